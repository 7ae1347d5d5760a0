"""The gateway: AWS's shapes become the domain's values, and whatever goes wrong becomes one of our errors."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore import exceptions as aws
from botocore.config import Config
from botocore.stub import ANY, Stubber
from PIL import Image

from facesearch import errors, service_errors
from facesearch.domain import Box, FaceDeletion, Landmark, Pose, Quality
from facesearch.domain.faces import FaceListing
from facesearch.photos import prepare
from facesearch.rekognition import MAX_PAGE, Rekognition, client_config, translated
from facesearch.settings import Settings

if TYPE_CHECKING:
    from botocore.client import BaseClient

BOX = {"Left": 0.1, "Top": -0.2, "Width": 0.3, "Height": 0.4}
ID = "11111111-2222-4333-8444-{:012x}"
FACE = {
    "FaceId": ID.format(1),
    "ImageId": ID.format(2),
    "BoundingBox": BOX,
    "Confidence": 99.5,
    "ExternalImageId": "a:b",
    "IndexFacesModelVersion": "7.0",
    "UserId": "u",
}
DETAIL = {
    "BoundingBox": BOX,
    "Confidence": 98.5,
    "Landmarks": [{"Type": "nose", "X": 0.2, "Y": 0.1}],
    "Pose": {"Roll": 1.0, "Yaw": -2.0, "Pitch": 3.0},
    "Quality": {"Brightness": 60.0, "Sharpness": 70.0},
}


def client(**options: Any) -> BaseClient:
    once: Any = {"total_max_attempts": 1}
    config = Config(retries=once, **{"connect_timeout": 2, "read_timeout": 2, **options.pop("config", {})})
    keys = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret"}
    return botocore.session.Session().create_client(
        "rekognition", **{"region_name": "us-east-1", **keys, **options}, config=config
    )


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(client()) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def gateway(stub: Stubber) -> Rekognition:
    return Rekognition(stub.client)


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


# --- errors that are answers --------------------------------------------------------------------------------

ANSWERS = [
    ("AccessDeniedException", 400, errors.AccessDeniedError, "must allow rekognition:DescribeCollection"),
    ("UnrecognizedClientException", 400, errors.CredentialsError, "does not know the credentials"),
    ("InvalidSignatureException", 403, errors.CredentialsError, "does not know the credentials"),
    ("ExpiredTokenException", 400, errors.CredentialsError, "have expired"),
    ("RequestTimeTooSkewed", 403, errors.CredentialsError, "clock"),
    ("ResourceNotFoundException", 400, errors.CollectionNotFoundError, "'staff'.*facesearch collection list"),
    ("ResourceAlreadyExistsException", 400, errors.CollectionExistsError, "'staff' already"),
    ("ThrottlingException", 400, errors.ThrottledError, "enroll --rate"),
    ("ThrottlingException", 500, errors.ThrottledError, "enroll --rate"),
    ("ProvisionedThroughputExceededException", 400, errors.ThrottledError, "enroll --rate"),
    ("SomethingNew", 429, errors.ThrottledError, "enroll --rate"),
    ("ServiceQuotaExceededException", 400, errors.ServiceError, "quota.*said so"),
    ("InvalidParameterException", 400, errors.InvalidRequestError, "said so"),
    ("ValidationException", 400, errors.InvalidRequestError, "said so"),
    ("413", 413, errors.InvalidRequestError, "refused"),
    ("ImageTooLargeException", 400, errors.InvalidRequestError, "size"),
    ("InvalidImageFormatException", 400, errors.InvalidRequestError, "cannot read the image"),
    ("InvalidPaginationTokenException", 400, errors.ServiceError, "run the same again"),
    ("InternalServerError", 500, errors.ServiceUnavailableError, "try again later"),
    ("502", 502, errors.ServiceUnavailableError, "try again later"),
    ("UnknownOperationException", 400, errors.ServiceError, "does not speak Rekognition's API"),
    ("404", 404, errors.ServiceError, "does not speak Rekognition's API"),
    ("NeverHeardOfException", 400, errors.ServiceError, "NeverHeardOfException: said so"),
]


@pytest.mark.parametrize(("code", "status", "error", "says"), ANSWERS)
def test_each_answer_of_aws_becomes_the_error_that_says_what_to_do(
    stub: Stubber, gateway: Rekognition, code: str, status: int, error: type[Exception], says: str
) -> None:
    stub.add_client_error("describe_collection", code, "said so", status, response_meta={"RequestId": "r-1"})
    with pytest.raises(error, match=says) as caught:
        gateway.describe_collection("staff")
    assert type(caught.value) is error
    assert isinstance(caught.value.__cause__, aws.ClientError)
    if isinstance(caught.value, errors.ServiceError):
        assert (caught.value.code, caught.value.request_id) == (code, "r-1")


def test_every_error_that_the_api_knows_has_a_sentence_of_its_own() -> None:
    model = botocore.session.Session().get_service_model("rekognition")
    asked = ["CreateCollection", "DescribeCollection", "ListCollections", "DeleteCollection", "IndexFaces"]
    asked += ["ListFaces", "DeleteFaces", "SearchFacesByImage", "DetectFaces", "CompareFaces"]
    codes = {shape.name for name in asked for shape in model.operation_model(name).error_shapes}
    assert codes - {"InvalidS3ObjectException"} <= service_errors._BY_CODE.keys()


def test_braces_in_what_the_service_says_do_no_harm(stub: Stubber, gateway: Rekognition) -> None:
    stub.add_client_error("delete_collection", "ValidationException", "{0} {operation.x} %s", 400)
    with pytest.raises(errors.InvalidRequestError, match=r"\{0\} \{operation.x\} %s"):
        gateway.delete_collection("{there}")


# --- errors that are silence --------------------------------------------------------------------------------


def test_no_credentials_say_where_to_get_some(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_SESSION_TOKEN",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    nobody = client(aws_access_key_id=None, aws_secret_access_key=None)
    with pytest.raises(errors.CredentialsError, match="aws configure"):
        Rekognition(nobody).describe_collection("c")  # type: ignore[arg-type]


def test_no_region_says_how_to_set_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(aws.NoRegionError) as caught:
        client(region_name=None)
    assert isinstance(translated(caught.value), errors.ConfigurationError)
    assert "AWS_REGION" in str(translated(caught.value))


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (aws.PartialCredentialsError(provider="env", cred_var="secret"), errors.CredentialsError),
        (aws.UnauthorizedSSOTokenError(), errors.CredentialsError),
        (aws.SSOTokenLoadError(error_msg="no token"), errors.CredentialsError),
        (aws.CredentialRetrievalError(provider="process", error_msg="no"), errors.CredentialsError),
        (aws.ProfileNotFound(profile="nobody"), errors.ConfigurationError),
        (aws.SSLError(endpoint_url="https://x", error="bad"), errors.ServiceUnavailableError),
        (aws.ProxyConnectionError(proxy_url="http://p"), errors.ServiceUnavailableError),
        (aws.ConnectionClosedError(endpoint_url="https://x"), errors.ServiceUnavailableError),
        (aws.PaginationError(message="same token twice"), errors.ServiceError),
        (aws.UnknownSignatureVersionError(signature_version="v9"), errors.ConfigurationError),
    ],
)
def test_each_failure_inside_botocore_becomes_one_of_ours(
    raised: aws.BotoCoreError, error: type[Exception]
) -> None:
    assert type(translated(raised, "IndexFaces", "c")) is error


def test_a_closed_port_cannot_be_reached_and_the_address_is_named() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(errors.ServiceUnavailableError, match=f"cannot be reached.*{url}"):
        Rekognition(client(endpoint_url=url)).describe_collection("c")  # type: ignore[arg-type]


def test_a_service_that_never_answers_is_given_up_in_time() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        silent = client(endpoint_url=url, config={"read_timeout": 0.2})
        started = time.monotonic()
        with pytest.raises(errors.ServiceUnavailableError, match="FACESEARCH_READ_TIMEOUT"):
            Rekognition(silent).describe_collection("c")  # type: ignore[arg-type]
        assert time.monotonic() - started < 5


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[Rekognition]:
    """A gateway to a real HTTP server that gives the same answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on the tests' terminal."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield Rekognition(client(endpoint_url=f"http://127.0.0.1:{server.server_port}"))  # type: ignore[arg-type]
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Welcome to nginx!</html>",
        b"{}",
        b"[]",
        b'{"CollectionARN": 7}',
        b'{"CollectionARN": "a", "FaceModelVersion": "1", "CreationTimestamp": 1763000000000}',
        b'{"CollectionIds": null, "Faces": [{"FaceId": "x"}], "FaceDetails": [{}], "DeletedFaces": null}',
    ],
)
def test_what_is_not_rekognition_is_a_service_error_and_never_an_empty_answer(body: bytes) -> None:
    with answering(body) as gateway:
        for call in (
            lambda: gateway.describe_collection("c"),
            lambda: list(gateway.list_collections()),
            lambda: list(gateway.pages_of_faces("c")),
            lambda: gateway.detect_faces(b"x"),
            lambda: gateway.delete_faces("c", [ID.format(1)]),
        ):
            with pytest.raises(errors.ServiceError, match="does not speak Rekognition's API"):
                call()


def test_a_listing_that_never_ends_is_found_out() -> None:
    body = json.dumps({"CollectionIds": ["a"], "NextToken": "again"}).encode()
    with answering(body) as gateway, pytest.raises(errors.ServiceError, match="repeats itself"):
        list(gateway.list_collections())


def test_a_web_server_that_knows_no_post_is_named_for_what_it_is() -> None:
    with (
        answering(b"<h1>Not Found</h1>", status=404) as gateway,
        pytest.raises(errors.ServiceError, match="check the URL that --engine names"),
    ):
        gateway.describe_collection("c")


# --- the client's configuration -----------------------------------------------------------------------------


def test_retries_and_timeouts_come_from_the_settings_and_connections_are_never_short() -> None:
    config: Any = client_config(Settings(max_attempts=7, connect_timeout=1.5, read_timeout=9.0))
    assert config.retries == {"mode": "standard", "total_max_attempts": 7}
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (1.5, 9.0, 256)
    assert config.user_agent_extra.startswith("facesearch/")


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


# --- against the engine -------------------------------------------------------------------------------------

PORTRAITS = Path(__file__).parent / "engine" / "vision" / "data"


@pytest.fixture(scope="module")
def seeing(vision_cache: Path) -> Iterator[Rekognition]:
    """A gateway to an embedded engine with real eyes and nothing in its store."""
    from facesearch.engine.service import Engine
    from facesearch.engine.transports import attach
    from facesearch.engine.vision.recognizer import DlibRecognizer

    engine = Engine(None, lambda: DlibRecognizer.load(cache=vision_cache))
    yield Rekognition(attach(client(endpoint_url="http://embedded.invalid"), engine))
    engine.close()


@pytest.fixture(scope="module")
def faces() -> dict[str, bytes]:
    """One photo each of two people, and one of nobody."""
    empty = BytesIO()
    Image.new("RGB", (200, 200), (90, 120, 150)).save(empty, "JPEG")
    people = {name: prepare(PORTRAITS / f"{name}.png").data for name in ("hopper", "collins")}
    return {**people, "nobody": empty.getvalue()}


def test_a_face_goes_through_its_whole_life_on_the_engine(
    seeing: Rekognition, faces: dict[str, bytes]
) -> None:
    seeing.create_collection("life")
    with pytest.raises(errors.CollectionExistsError, match="'life' already"):
        seeing.create_collection("life")
    (record,) = seeing.index_faces("life", faces["hopper"], "grace:1", max_faces=1).records
    assert record.face.external_image_id == "grace:1"
    assert record.detail.pose is not None
    assert record.detail.quality is not None
    assert seeing.index_faces("life", faces["nobody"], "no:1", max_faces=1).records == ()
    collection = seeing.describe_collection("life")
    assert (collection.face_count, "life" in seeing.list_collections()) == (1, True)
    assert collection.arn.startswith("arn:aws:rekognition:us-east-1:")
    assert [[face.face_id for face in page] for page in seeing.pages_of_faces("life")] == [
        [record.face.face_id]
    ]
    (match,) = seeing.search_faces_by_image("life", faces["hopper"], threshold=80).matches
    assert match.face == record.face
    assert match.similarity > 99
    assert seeing.search_faces_by_image("life", faces["collins"], threshold=80).matches == ()
    deletion = seeing.delete_faces("life", [record.face.face_id, ID.format(7)])
    assert deletion.deleted == (record.face.face_id,)
    assert deletion.refused == {ID.format(7): ("FACE_NOT_FOUND",)}
    seeing.delete_collection("life")
    with pytest.raises(errors.CollectionNotFoundError, match="'life'"):
        seeing.describe_collection("life")


def test_the_engine_tells_no_face_from_a_bad_request(seeing: Rekognition, faces: dict[str, bytes]) -> None:
    seeing.create_collection("refusals")
    with pytest.raises(errors.NoFaceError):
        seeing.search_faces_by_image("refusals", faces["nobody"], threshold=80)
    with pytest.raises(errors.InvalidRequestError, match="cannot read the image"):
        seeing.search_faces_by_image("refusals", b"no photo", threshold=80)
    with pytest.raises(errors.InvalidRequestError):
        seeing.search_faces_by_image("refusals", faces["hopper"], threshold=101)
    with pytest.raises(errors.InvalidRequestError):
        seeing.index_faces("refusals", faces["hopper"], "no spaces, please", max_faces=1)
    assert seeing.detect_faces(faces["nobody"]) == ()


def test_the_engine_compares_and_the_gateway_names_the_photo_without_a_face(
    seeing: Rekognition, faces: dict[str, bytes]
) -> None:
    same = seeing.compare_faces(faces["hopper"], faces["hopper"], threshold=80)
    assert [round(face.similarity or 0) for face in same.matches] == [100]
    other = seeing.compare_faces(faces["hopper"], faces["collins"], threshold=80)
    assert (len(other.matches), len(other.unmatched)) == (0, 1)
    for source, target, named in (("nobody", "hopper", "source"), ("hopper", "nobody", "target")):
        with pytest.raises(errors.NoFaceError) as caught:
            seeing.compare_faces(faces[source], faces[target], threshold=80)
        assert caught.value.photo == named
