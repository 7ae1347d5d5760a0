"""Parameters as the shapes of the service model allow them: what is refused, and in which words."""

import base64
import json

import pytest

from facesearch.engine import protocol, validation
from facesearch.engine.errors import RekognitionError


def received(operation, members):
    """The parameters that the operation would be called with."""
    shape = protocol.service_model().operation_model(operation).input_shape
    return validation.read(shape, json.loads(json.dumps(members)))


def refusal(operation, members):
    with pytest.raises(RekognitionError) as refused:
        received(operation, members)
    return refused.value.code, refused.value.message


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
