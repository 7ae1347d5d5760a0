"""The gateway: AWS's shapes become the domain's values, and its client is made of the settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.stub import ANY, Stubber

from facesearch import errors
from facesearch.domain import Box, FaceDeletion, Landmark, Pose, Quality
from facesearch.domain.faces import FaceListing
from facesearch.rekognition import MAX_PAGE, Rekognition, client_config
from facesearch.settings import Settings

from .conftest import BOX, DETAIL, FACE, ID

# --- what is asked and answered -----------------------------------------------------------------------------


def test_a_collection_is_described_with_its_true_arn(stub: Stubber, gateway: Rekognition) -> None:
    arn = "arn:aws:rekognition:us-east-1:123456789012:collection/c"
    made = datetime(2026, 11, 21, tzinfo=UTC)
    answer = {"CollectionARN": arn, "FaceModelVersion": "7.0", "FaceCount": 3, "CreationTimestamp": made}
    stub.add_response("describe_collection", answer, {"CollectionId": "c"})
    collection = gateway.describe_collection("c")
    assert (collection.arn, collection.face_count, collection.user_count) == (arn, 3, 0)
    assert collection.created_at == made


def test_collections_are_made_deleted_and_listed_over_every_page(stub: Stubber, gateway: Rekognition) -> None:
    stub.add_response("create_collection", {"StatusCode": 200}, {"CollectionId": "c"})
    stub.add_response("delete_collection", {"StatusCode": 200}, {"CollectionId": "c"})
    stub.add_response(
        "list_collections", {"CollectionIds": ["a", "b"], "NextToken": "t"}, {"MaxResults": MAX_PAGE}
    )
    stub.add_response(
        "list_collections", {"CollectionIds": ["c"]}, {"MaxResults": MAX_PAGE, "NextToken": "t"}
    )
    gateway.create_collection("c")
    gateway.delete_collection("c")
    assert list(gateway.list_collections()) == ["a", "b", "c"]


def test_indexing_gives_what_was_stored_and_what_was_not(stub: Stubber, gateway: Rekognition) -> None:
    stub.add_response(
        "index_faces",
        {
            "FaceRecords": [{"Face": FACE, "FaceDetail": DETAIL}],
            "UnindexedFaces": [{"Reasons": ["EXCEEDS_MAX_FACES"], "FaceDetail": DETAIL}],
            "FaceModelVersion": "7.0",
        },
        {
            "CollectionId": "c",
            "Image": {"Bytes": b"jpeg"},
            "ExternalImageId": "a:b",
            "MaxFaces": 1,
            "QualityFilter": "AUTO",
        },
    )
    result = gateway.index_faces("c", b"jpeg", "a:b", max_faces=1)
    (record,) = result.records
    assert record.face.box == Box(0.1, -0.2, 0.3, 0.4)
    assert (record.face.external_image_id, record.face.model_version, record.face.user_id) == (
        "a:b",
        "7.0",
        "u",
    )
    assert record.detail.pose == Pose(1.0, -2.0, 3.0)
    assert record.detail.quality == Quality(60.0, 70.0)
    assert record.detail.landmarks == (Landmark("nose", 0.2, 0.1),)
    assert result.unindexed[0].reasons == ("EXCEEDS_MAX_FACES",)


def test_a_photo_without_a_face_is_indexed_as_nothing(stub: Stubber, gateway: Rekognition) -> None:
    stub.add_response("index_faces", {"FaceRecords": [], "FaceModelVersion": "7.0"})
    result = gateway.index_faces("c", b"jpeg", "a:b", max_faces=500)
    assert (result.records, result.unindexed) == ((), ())


def test_no_more_faces_are_asked_for_than_a_call_can_store(stub: Stubber, gateway: Rekognition) -> None:
    expected = {
        "CollectionId": "c",
        "Image": ANY,
        "ExternalImageId": "a",
        "MaxFaces": 100,
        "QualityFilter": "NONE",
    }
    stub.add_response("index_faces", {"FaceRecords": [], "FaceModelVersion": "7.0"}, expected)
    gateway.index_faces("c", b"jpeg", "a", max_faces=101, quality_filter="NONE")


def test_faces_come_a_page_at_a_time(stub: Stubber, gateway: Rekognition) -> None:
    asked = {"CollectionId": "c", "MaxResults": MAX_PAGE}
    stub.add_response("list_faces", {"Faces": [FACE, FACE], "NextToken": "t"}, asked)
    pages = gateway.pages_of_faces("c")
    assert [face.face_id for face in next(pages)] == [FACE["FaceId"]] * 2
    stub.add_response("list_faces", {"Faces": [FACE]}, {**asked, "NextToken": "t"})
    assert [len(page) for page in pages] == [1]


def test_given_faces_are_asked_for_in_batches_the_service_takes(stub: Stubber, gateway: Rekognition) -> None:
    ids = [ID.format(n) for n in range(MAX_PAGE + 1)]
    asked = {"CollectionId": "c", "MaxResults": MAX_PAGE}
    stub.add_response("list_faces", {"Faces": [FACE]}, {**asked, "FaceIds": ids[:-1]})
    stub.add_response("list_faces", {"Faces": []}, {**asked, "FaceIds": ids[-1:]})
    assert [len(page) for page in gateway.pages_of_faces("c", ids)] == [1, 0]
    assert list(gateway.pages_of_faces("c", [])) == []


def test_deletions_go_in_batches_and_come_back_as_one(stub: Stubber, gateway: Rekognition) -> None:
    ids = [ID.format(n) for n in range(MAX_PAGE + 2)]
    bound = {"FaceId": ids[-1], "UserId": "u", "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]}
    stub.add_response(
        "delete_faces",
        {"DeletedFaces": ids[:MAX_PAGE], "UnsuccessfulFaceDeletions": []},
        {"CollectionId": "c", "FaceIds": ids[:MAX_PAGE]},
    )
    stub.add_response(
        "delete_faces", {"DeletedFaces": ids[MAX_PAGE:-1], "UnsuccessfulFaceDeletions": [bound]}
    )
    deletion = gateway.delete_faces("c", [*ids, ids[0]])
    assert deletion.deleted == tuple(ids[:-1])
    assert deletion.refused == {ids[-1]: ("ASSOCIATED_TO_AN_EXISTING_USER",)}
    assert gateway.delete_faces("c", []) == FaceDeletion((), {})


def test_faces_are_asked_for_by_id_and_the_last_request_named(stub: Stubber, gateway: Rekognition) -> None:
    ids = [ID.format(n) for n in range(MAX_PAGE + 1)]
    for some, found, request_id in ((ids[:MAX_PAGE], [FACE], "r-1"), (ids[MAX_PAGE:], [], "r-2")):
        stub.add_response(
            "list_faces",
            {"Faces": found, "ResponseMetadata": {"RequestId": request_id}},
            {"CollectionId": "c", "FaceIds": some, "MaxResults": MAX_PAGE},
        )
    listing = gateway.list_faces("c", ids)
    assert ([face.face_id for face in listing.faces], listing.request_id) == ([FACE["FaceId"]], "r-2")
    assert gateway.list_faces("c", []) == FaceListing(())


def test_users_are_listed_emptied_and_deleted(stub: Stubber, gateway: Rekognition) -> None:
    user = {"CollectionId": "c", "UserId": "u"}
    first = {"Users": [{"UserId": "u"}], "NextToken": "t"}
    stub.add_response("list_users", first, {"CollectionId": "c", "MaxResults": 500})
    stub.add_response(
        "list_users", {"Users": [{"UserId": "v"}]}, {"CollectionId": "c", "MaxResults": 500, "NextToken": "t"}
    )
    assert list(gateway.list_users("c")) == ["u", "v"]
    stub.add_response("list_faces", {"Faces": [FACE]}, {**user, "MaxResults": MAX_PAGE})
    assert [face.user_id for face in gateway.faces_of_user("c", "u")] == ["u"]
    ids = [ID.format(n) for n in range(101)]
    for some in (ids[:100], ids[100:]):
        answer = {"ResponseMetadata": {"RequestId": some[-1]}}
        stub.add_response("disassociate_faces", answer, {**user, "FaceIds": some})
    assert gateway.disassociate_faces("c", "u", ids) == ids[-1]
    stub.add_response("delete_user", {"ResponseMetadata": {"RequestId": "r"}}, user)
    assert gateway.delete_user("c", "u") == "r"


def test_a_search_keeps_the_services_order(stub: Stubber, gateway: Rekognition) -> None:
    matches = [
        {"Similarity": s, "Face": {**FACE, "FaceId": ID.format(n)}} for n, s in enumerate((99.0, 81.5))
    ]
    stub.add_response(
        "search_faces_by_image",
        {
            "SearchedFaceBoundingBox": BOX,
            "SearchedFaceConfidence": 99.0,
            "FaceMatches": matches,
            "FaceModelVersion": "7.0",
        },
        {"CollectionId": "c", "Image": {"Bytes": b"x"}, "FaceMatchThreshold": 80.0, "MaxFaces": MAX_PAGE},
    )
    found = gateway.search_faces_by_image("c", b"x", threshold=80.0)
    assert [match.similarity for match in found.matches] == [99.0, 81.5]
    assert found.box == Box(0.1, -0.2, 0.3, 0.4)


def test_a_search_in_a_photo_without_a_face_raises_no_face(stub: Stubber, gateway: Rekognition) -> None:
    text = "There are no faces in the image. Should be at least 1."
    stub.add_client_error("search_faces_by_image", "InvalidParameterException", text, 400)
    with pytest.raises(errors.NoFaceError, match="it shows no face"):
        gateway.search_faces_by_image("c", b"x", threshold=80.0)


def test_detected_faces_come_largest_first(stub: Stubber, gateway: Rekognition) -> None:
    boxes = [{**BOX, "Width": width} for width in (0.1, 0.5, 0.3)]
    stub.add_response(
        "detect_faces", {"FaceDetails": [{"BoundingBox": b, "Confidence": 90.0} for b in boxes]}
    )
    faces = gateway.detect_faces(b"x")
    assert [face.box.width for face in faces] == [0.5, 0.3, 0.1]
    assert (faces[0].pose, faces[0].quality, faces[0].landmarks) == (None, None, ())


def test_a_comparison_keeps_matches_and_the_others_apart(stub: Stubber, gateway: Rekognition) -> None:
    stub.add_response(
        "compare_faces",
        {
            "SourceImageFace": {"BoundingBox": BOX, "Confidence": 97.0},
            "FaceMatches": [{"Similarity": 91.0, "Face": DETAIL}],
            "UnmatchedFaces": [DETAIL],
        },
        {"SourceImage": {"Bytes": b"a"}, "TargetImage": {"Bytes": b"b"}, "SimilarityThreshold": 70.0},
    )
    comparison = gateway.compare_faces(b"a", b"b", threshold=70.0)
    assert comparison.source.confidence == 97.0
    assert [face.similarity for face in (*comparison.matches, *comparison.unmatched)] == [91.0, None]


@pytest.mark.parametrize(("faces", "photo"), [([0], "source"), ([1, 0], "target")])
def test_a_comparison_says_which_photo_shows_no_face(
    stub: Stubber, gateway: Rekognition, faces: list[int], photo: str
) -> None:
    refused = "Request has invalid parameters"
    stub.add_client_error("compare_faces", "InvalidParameterException", refused, 400)
    for count in faces:
        stub.add_response("detect_faces", {"FaceDetails": [DETAIL] * count})
    with pytest.raises(errors.NoFaceError) as caught:
        gateway.compare_faces(b"a", b"b", threshold=80.0)
    assert caught.value.photo == photo


def test_a_comparison_refused_for_another_reason_says_so(stub: Stubber, gateway: Rekognition) -> None:
    stub.add_client_error("compare_faces", "InvalidParameterException", "Request has invalid parameters", 400)
    for _ in range(2):
        stub.add_response("detect_faces", {"FaceDetails": [DETAIL]})
    with pytest.raises(errors.InvalidRequestError, match="Request has invalid parameters"):
        gateway.compare_faces(b"a", b"b", threshold=80.0)


# --- the client's configuration -----------------------------------------------------------------------------


def test_retries_and_timeouts_come_from_the_settings_and_connections_are_never_short() -> None:
    config: Any = client_config(Settings(max_attempts=7, connect_timeout=1.5, read_timeout=9.0))
    assert config.retries == {"mode": "standard", "total_max_attempts": 7}
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (1.5, 9.0, 256)
    assert config.user_agent.startswith("facesearch/")


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_failing_service_is_asked_as_often_as_the_settings_say(attempts: int) -> None:
    calls = 0
    settings = Settings(max_attempts=attempts, jobs=1)
    keys = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret"}
    asking = botocore.session.Session().create_client(
        "rekognition", region_name="us-east-1", config=client_config(settings), **keys
    )

    def fail(request: Any, **_: object) -> Any:
        nonlocal calls
        calls += 1
        from botocore.awsrequest import AWSResponse

        class Raw:
            def stream(self, **_: object) -> Iterator[bytes]:
                yield b'{"__type": "InternalServerError", "Message": "oops"}'

        return AWSResponse(request.url, 500, {}, Raw())

    asking.meta.events.register("before-send.rekognition", fail)
    with pytest.raises(errors.ServiceUnavailableError, match="oops"):
        Rekognition(asking).describe_collection("c")  # type: ignore[arg-type]
    assert calls == attempts
