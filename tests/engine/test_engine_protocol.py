"""AWS JSON 1.1 at the engine's door, without a client in between: what is refused, and in which words."""

import base64
import json
import logging

import pytest

from facesearch.engine import protocol
from facesearch.engine.errors import FRAMEWORK_CODES, RekognitionError
from facesearch.engine.operations import OPERATIONS

HEADERS = {"Content-Type": "application/x-amz-json-1.1"}


def ask(operation, body, operations=None, **headers):
    """Status and decoded answer. Every operation echoes its parameters unless others are given."""
    if operations is None:
        operations = dict.fromkeys(OPERATIONS, lambda parameters: {})
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    headers = {**HEADERS, "X-Amz-Target": f"RekognitionService.{operation}", **headers}
    response = protocol.handle(headers, body, operations)
    assert response.headers["Content-Type"] == protocol.CONTENT_TYPE
    assert response.headers["Content-Length"] == str(len(response.body))
    return response.status, json.loads(response.body)


def refusal(operation, body):
    status, answer = ask(operation, body)
    assert status == 400
    assert set(answer) == {"__type", "message"}
    return answer["__type"], answer["message"]


def received(operation, body):
    """The parameters that the operation was called with."""
    calls = []
    status, answer = ask(operation, body, {operation: lambda parameters: calls.append(parameters) or {}})
    assert status == 200, answer
    return calls[0]


def test_an_answer_carries_a_request_id_of_its_own():
    ids = {
        protocol.handle(HEADERS, b"", {}).headers["x-amzn-RequestId"],
        protocol.handle(HEADERS, b"", {}).headers["x-amzn-RequestId"],
    }
    assert len(ids) == 2


@pytest.mark.parametrize(
    "target",
    [
        "",
        "ListCollections",
        "RekognitionService",
        "RekognitionService.",
        "RekognitionService.MakeCoffee",
        "RekognitionService.listcollections",
        "DynamoDB_20120810.ListCollections",
        "RekognitionService.ListCollections.x",
    ],
)
def test_a_target_that_names_no_operation_is_an_unknown_operation(target):
    status, answer = ask("", {}, **{"X-Amz-Target": target})
    assert (status, answer["__type"]) == (400, "UnknownOperationException")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"]
)
def test_a_content_type_of_another_protocol_is_an_unknown_operation(content_type):
    status, answer = ask("ListCollections", {}, **{"Content-Type": content_type})
    assert (status, answer["__type"]) == (400, "UnknownOperationException")


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "application/x-amz-json-1.0",
        "Application/X-Amz-JSON-1.1",
        "application/x-amz-json-1.1; charset=utf-8",
    ],
)
def test_any_content_type_for_json_will_do(content_type):
    assert ask("ListCollections", {}, **{"Content-Type": content_type})[0] == 200


def test_header_names_are_read_in_any_case():
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-AMZ-target": "RekognitionService.ListCollections",
    }
    assert protocol.handle(headers, b"{}", {"ListCollections": lambda _: {}}).status == 200


def test_an_operation_that_is_not_built_says_so_with_an_error_that_the_model_knows():
    model = protocol.service_model()
    for name in set(model.operation_names) - set(OPERATIONS):
        status, answer = ask(name, {})
        assert status == 400
        assert answer["__type"] in {shape.name for shape in model.operation_model(name).error_shapes}
        assert name in answer["Message"] and "Amazon Rekognition" in answer["Message"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{]",
        b"nonsense",
        b"{'CollectionId': 'a'}",
        b'{"CollectionId": "a"} trailing',
        b'{"CollectionId": "a\xff"}',
        b"\xef\xbb\xbf{}",
        '{"CollectionId": "a"}'.encode("utf-16"),
        b'{"MaxResults": NaN}',
        b'{"MaxResults": -Infinity}',
        b'{"MaxResults": ' + b"9" * 5000 + b"}",
        b"[" * 200_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_no_json_is_a_serialization_error(body):
    assert refusal("ListCollections", body) == (
        "SerializationException",
        "The request body is not valid JSON",
    )


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"x"', b"true"])
def test_a_body_that_is_no_object_is_a_serialization_error(body):
    assert refusal("ListCollections", body)[0] == "SerializationException"


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("CreateCollection", {"CollectionId": 1}),
        ("CreateCollection", {"CollectionId": True}),
        ("CreateCollection", {"CollectionId": ["a"]}),
        ("CreateCollection", {"CollectionId": {"a": "b"}}),
        ("CreateCollection", {"CollectionId": "a", "Tags": ["a"]}),
        ("CreateCollection", {"CollectionId": "a", "Tags": {"a": 1}}),
        ("CreateCollection", {"CollectionId": "a", "Tags": {"a": "\ud800"}}),
        ("ListCollections", {"MaxResults": "1"}),
        ("ListCollections", {"MaxResults": True}),
        ("ListCollections", {"MaxResults": 1.5}),
        ("ListCollections", {"MaxResults": 2**31}),
        ("ListCollections", {"MaxResults": 10**400}),
        ("ListFaces", {"CollectionId": "a", "FaceIds": "a"}),
        ("ListFaces", {"CollectionId": "a", "FaceIds": [1]}),
        ("SearchFacesByImage", {"CollectionId": "a", "Image": {"Bytes": "YQ=="}, "FaceMatchThreshold": "80"}),
        (
            "SearchFacesByImage",
            {"CollectionId": "a", "Image": {"Bytes": "YQ=="}, "FaceMatchThreshold": False},
        ),
        (
            "SearchFacesByImage",
            {"CollectionId": "a", "Image": {"Bytes": "YQ=="}, "FaceMatchThreshold": 10**400},
        ),
        ("DetectFaces", {"Image": "YQ=="}),
        ("DetectFaces", {"Image": {"Bytes": 1}}),
        ("DetectFaces", {"Image": {"Bytes": "a"}}),
        ("DetectFaces", {"Image": {"Bytes": "YQ= ="}}),
        ("DetectFaces", {"Image": {"Bytes": "data:image/png;base64,YQ=="}}),
        ("DetectFaces", {"Image": {"Bytes": "é"}}),
        ("DetectFaces", {"Image": {"S3Object": []}}),
    ],
)
def test_a_value_of_another_type_is_a_serialization_error(operation, members):
    assert refusal(operation, members)[0] == "SerializationException"


def test_a_number_too_large_for_json_itself_is_a_serialization_error():
    body = b'{"CollectionId": "a", "Image": {"Bytes": "YQ=="}, "FaceMatchThreshold": 1e999}'
    assert refusal("SearchFacesByImage", body)[0] == "SerializationException"


def test_a_missing_member_is_named_in_camel_case():
    assert refusal("CreateCollection", {}) == (
        "ValidationException",
        "1 validation error detected: Value null at 'collectionId' failed to satisfy constraint: "
        "Member must not be null",
    )


def test_null_counts_as_missing():
    assert refusal("CreateCollection", {"CollectionId": None}) == refusal("CreateCollection", {})


@pytest.mark.parametrize(
    ("operation", "members", "violation"),
    [
        (
            "CreateCollection",
            {"CollectionId": "a b"},
            r"Value 'a b' at 'collectionId' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [a-zA-Z0-9_.\-]+",
        ),
        (
            "CreateCollection",
            {"CollectionId": "a\n"},
            "Value 'a\n' at 'collectionId' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [a-zA-Z0-9_.\-]+",
        ),
        (
            "ListCollections",
            {"MaxResults": 4097},
            "Value '4097' at 'maxResults' failed to satisfy constraint: "
            "Member must have value less than or equal to 4096",
        ),
        (
            "ListCollections",
            {"MaxResults": -1},
            "Value '-1' at 'maxResults' failed to satisfy constraint: "
            "Member must have value greater than or equal to 0",
        ),
        (
            "IndexFaces",
            {"CollectionId": "a", "Image": {"Bytes": "YQ=="}, "MaxFaces": 0},
            "Value '0' at 'maxFaces' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
        (
            "IndexFaces",
            {"CollectionId": "a", "Image": {"Bytes": "YQ=="}, "QualityFilter": "auto"},
            "Value 'auto' at 'qualityFilter' failed to satisfy constraint: "
            "Member must satisfy enum value set: [NONE, AUTO, LOW, MEDIUM, HIGH]",
        ),
        (
            "IndexFaces",
            {"CollectionId": "a", "Image": {"Bytes": "YQ=="}, "ExternalImageId": "a/b.jpg"},
            "Value 'a/b.jpg' at 'externalImageId' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [a-zA-Z0-9_.\-:]+",
        ),
        (
            "CompareFaces",
            {
                "SourceImage": {"Bytes": "YQ=="},
                "TargetImage": {"Bytes": "YQ=="},
                "SimilarityThreshold": 100.5,
            },
            "Value '100.5' at 'similarityThreshold' failed to satisfy constraint: "
            "Member must have value less than or equal to 100",
        ),
        (
            "DetectFaces",
            {"Image": {"Bytes": ""}},
            "Value 'java.nio.HeapByteBuffer[pos=0 lim=0 cap=0]' at 'image.bytes' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
        (
            "DetectFaces",
            {"Image": {"Bytes": base64.b64encode(bytes(5_242_881)).decode()}},
            "Value 'java.nio.HeapByteBuffer[pos=0 lim=5242881 cap=5242881]' at 'image.bytes' failed to satisfy "
            "constraint: Member must have length less than or equal to 5242880",
        ),
        (
            "DetectFaces",
            {"Image": {"S3Object": {"Bucket": "a", "Name": "b"}}},
            "Value 'a' at 'image.s3Object.bucket' failed to satisfy constraint: "
            "Member must have length greater than or equal to 3",
        ),
        (
            "DetectFaces",
            {"Image": {"Bytes": "YQ=="}, "Attributes": ["ALL", "HAT"]},
            "Value '[ALL, HAT]' at 'attributes' failed to satisfy constraint: Member must satisfy constraint: "
            "[Member must satisfy enum value set: [DEFAULT, ALL, AGE_RANGE, BEARD, EMOTIONS, EYE_DIRECTION, "
            "EYEGLASSES, EYES_OPEN, GENDER, MOUTH_OPEN, MUSTACHE, FACE_OCCLUDED, SMILE, SUNGLASSES], "
            "Member must not be null]",
        ),
        (
            "DeleteFaces",
            {"CollectionId": "a", "FaceIds": []},
            "Value '[]' at 'faceIds' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
        (
            "DeleteFaces",
            {"CollectionId": "a", "FaceIds": ["ABCDEF01-0000-0000-0000-000000000000", None]},
            "Value '[ABCDEF01-0000-0000-0000-000000000000, null]' at 'faceIds' failed to satisfy constraint: "
            "Member must satisfy constraint: [Member must satisfy regular expression pattern: "
            "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}, Member must not be null]",
        ),
        (
            "CreateCollection",
            {"CollectionId": "a", "Tags": {"": "v"}},
            "Value '{=v}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: "
            "[Member must have length less than or equal to 128, Member must have length greater than or equal "
            r"to 1, Member must satisfy regular expression pattern: ^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]*$, "
            "Member must not be null]",
        ),
        (
            "CreateCollection",
            {"CollectionId": "a", "Tags": {"k": "a!"}},
            "Value '{k=a!}' at 'tags' failed to satisfy constraint: Map value must satisfy constraint: "
            "[Member must have length less than or equal to 256, Member must have length greater than or equal "
            r"to 0, Member must satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$, "
            "Member must not be null]",
        ),
    ],
)
def test_a_broken_constraint_is_worded_as_aws_words_it(operation, members, violation):
    assert refusal(operation, members) == ("ValidationException", f"1 validation error detected: {violation}")


def test_all_broken_constraints_are_counted_and_named():
    code, message = refusal(
        "CreateCollection", {"CollectionId": "", "Tags": {f"k{n}": "" for n in range(201)}}
    )
    assert code == "ValidationException"
    assert message.startswith("3 validation errors detected: Value '' at 'collectionId'")
    assert message.count("failed to satisfy constraint") == 3
    assert message.count("; ") == 2


def test_a_long_value_is_not_sent_back_whole():
    _, message = refusal("CreateCollection", {"CollectionId": "x" * 1_000_000})
    assert len(message) < 1000
    _, message = refusal("DeleteFaces", {"CollectionId": "a", "FaceIds": ["x" * 100] * 5000})
    assert len(message) < 1000


def test_a_value_nested_to_the_limit_of_the_parser_is_not_walked():
    for depth in range(900, 1000, 5):
        nested = "[" * depth + "]" * depth
        body = f'{{"CollectionId": "a", "FaceIds": [{nested}{", 1" * 5000}]}}'
        assert refusal("DeleteFaces", body.encode())[0] in ("ValidationException", "SerializationException")


def test_what_fits_the_shape_arrives_as_python_values():
    assert received(
        "SearchFacesByImage",
        {
            "CollectionId": "a.b-C_9",
            "Image": {"Bytes": "AAEC"},
            "MaxFaces": 5.0,
            "FaceMatchThreshold": 80,
            "QualityFilter": None,
        },
    ) == {"CollectionId": "a.b-C_9", "Image": {"Bytes": b"\0\1\2"}, "MaxFaces": 5, "FaceMatchThreshold": 80.0}


def test_members_that_the_shape_does_not_know_are_ignored_however_they_look():
    assert received("ListCollections", {"Nonsense": {"deep": [[[]]]}, "NextToken": "t"}) == {"NextToken": "t"}


def test_an_empty_body_is_an_empty_object():
    assert received("ListCollections", b"") == {}


def test_tags_may_be_in_any_script():
    tags = {"имя/name": "Зоя Ώ 名前 ٣", "empty": ""}
    assert received("CreateCollection", {"CollectionId": "a", "Tags": tags})["Tags"] == tags


@pytest.mark.parametrize("value", ["a\u0301", "€", "é!", "\n", "\x7f", "🙂"])
def test_a_tag_of_characters_that_are_no_letters_spaces_or_digits_is_refused(value):
    assert (
        refusal("CreateCollection", {"CollectionId": "a", "Tags": {"k": value}})[0] == "ValidationException"
    )


def test_letters_of_other_scripts_are_no_letters_of_an_id():
    assert refusal("CreateCollection", {"CollectionId": "Zoé"})[0] == "ValidationException"
    assert refusal("ListFaces", {"CollectionId": "a", "UserId": "٣"})[0] == "ValidationException"


def test_a_tag_without_a_value_is_refused():
    code, message = refusal("CreateCollection", {"CollectionId": "a", "Tags": {"k": None, "l": "v"}})
    assert code == "ValidationException"
    assert message.startswith(
        "1 validation error detected: Value '{k=null, l=v}' at 'tags' failed to satisfy"
    )


def test_a_tag_key_of_aws_itself_is_refused():
    assert (
        refusal("CreateCollection", {"CollectionId": "a", "Tags": {"aws:x": "1"}})[0] == "ValidationException"
    )


def test_the_limits_themselves_are_allowed():
    received(
        "CreateCollection", {"CollectionId": "x" * 255, "Tags": {f"k{n}": "v" * 256 for n in range(200)}}
    )
    received("ListCollections", {"MaxResults": 4096, "NextToken": "t" * 255})
    received("ListCollections", {"MaxResults": 0})
    image = base64.b64encode(bytes(5_242_880)).decode()
    received("CompareFaces", {"SourceImage": {"Bytes": image}, "TargetImage": {"Bytes": image}})
    received(
        "DeleteFaces", {"CollectionId": "a", "FaceIds": ["0" * 8 + "-0000-0000-0000-" + "0" * 12] * 4096}
    )


def test_a_body_beyond_any_request_is_refused_unread():
    status, answer = ask("ListCollections", b"x" * (protocol.MAX_BODY + 1))
    assert (status, answer["__type"]) == (413, "RequestEntityTooLargeException")


def test_an_error_of_an_operation_has_the_members_that_rekognition_sends():
    def fail(parameters):
        raise RekognitionError("ResourceNotFoundException", "gone")

    status, answer = ask("DescribeCollection", {"CollectionId": "a"}, {"DescribeCollection": fail})
    assert status == 400
    assert answer.pop("Logref")
    assert answer == {
        "__type": "ResourceNotFoundException",
        "Code": "ResourceNotFoundException",
        "Message": "gone",
    }


def broken(parameters):
    raise KeyError("secret")


def beside_the_model(parameters):
    raise RekognitionError("ImageTooLargeException", "ListCollections has no images")


@pytest.mark.parametrize(
    "operation",
    [
        broken,
        beside_the_model,
        lambda parameters: {"Surprise": 1},
        lambda parameters: {"CollectionIds": [1]},
        lambda parameters: {"CollectionIds": "abc", "NextToken": 1},
        lambda parameters: None,
    ],
)
def test_a_fault_of_our_own_is_logged_and_never_shown(operation, caplog):
    status, answer = ask("ListCollections", {}, {"ListCollections": operation})
    assert status == 500
    assert (answer["__type"], answer["Message"]) == ("InternalServerError", "Internal server error")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR and record.exc_info
    assert answer["Logref"] in record.getMessage()
    caplog.clear()


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ("DescribeCollection", {"FaceCount": 1.5}),
        ("DescribeCollection", {"FaceCount": True}),
        ("DescribeCollection", {"CreationTimestamp": "yesterday"}),
        ("DetectFaces", {"FaceDetails": [{"Confidence": float("nan")}]}),
        ("DetectFaces", {"FaceDetails": [{"Confidence": "99"}]}),
        ("DetectFaces", {"FaceDetails": [{"Landmarks": [{"Type": "thirdEye"}]}]}),
    ],
)
def test_a_result_that_does_not_fit_its_shape_is_a_fault_of_our_own(operation, result, caplog):
    parameters = {"CollectionId": "a"} if operation == "DescribeCollection" else {"Image": {"Bytes": "YQ=="}}
    assert ask(operation, parameters, {operation: lambda _: result})[0] == 500
    caplog.clear()


def test_framework_codes_are_no_shapes_of_the_model():
    assert FRAMEWORK_CODES.isdisjoint(protocol.service_model().shape_names)
