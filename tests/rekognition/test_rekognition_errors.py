"""The gateway: whatever goes wrong becomes one of our errors."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore import exceptions as aws

from facesearch import errors, service_errors
from facesearch.rekognition import Rekognition, translated

from .conftest import ID, client

if TYPE_CHECKING:
    from botocore.stub import Stubber

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
