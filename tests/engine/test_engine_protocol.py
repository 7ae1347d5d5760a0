"""AWS JSON 1.1 at the engine's door, without a client in between: what is refused, and in which words."""

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


def test_a_number_too_large_for_json_itself_is_a_serialization_error():
    body = b'{"CollectionId": "a", "Image": {"Bytes": "YQ=="}, "FaceMatchThreshold": 1e999}'
    assert refusal("SearchFacesByImage", body)[0] == "SerializationException"


def test_a_value_nested_to_the_limit_of_the_parser_is_not_walked():
    for depth in range(900, 1000, 5):
        nested = "[" * depth + "]" * depth
        body = f'{{"CollectionId": "a", "FaceIds": [{nested}{", 1" * 5000}]}}'
        assert refusal("DeleteFaces", body.encode())[0] in ("ValidationException", "SerializationException")


def test_an_empty_body_is_an_empty_object():
    assert received("ListCollections", b"") == {}


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
