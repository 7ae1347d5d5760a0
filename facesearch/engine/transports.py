"""The doors to an engine. A boto3 client whose requests never reach a socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, ConnectionClosedError

from facesearch.engine.answering import LostAnswer
from facesearch.engine.errors import RekognitionError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

    from facesearch.engine.answering import Answering
    from facesearch.engine.processes import Processes
    from facesearch.engine.service import Engine

_EVENT = "before-send.rekognition"
_HANDLER = "facesearch-engine"

Client = TypeVar("Client")


def attach(client: Client, engine: Answering) -> Client:
    """Let `engine` answer every request of this one Rekognition client, and return the client.

    botocore builds and validates the requests and parses the answers as it does for AWS. Attaching another engine
    replaces the first.
    """

    def send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        return answer(request, engine)

    events = client.meta.events  # type: ignore[attr-defined]
    events.unregister(_EVENT, unique_id=_HANDLER)
    events.register(_EVENT, send, unique_id=_HANDLER)
    return client


def answer(request: AWSPreparedRequest, engine: Answering) -> AWSResponse:
    """What `engine` answers to a request of botocore's; raises ConnectionClosedError when the answer is lost."""
    headers = {_text(name): _text(value) for name, value in request.headers.items()}
    try:
        response = engine.handle(headers, _bytes(request.body))
    except LostAnswer as exc:
        raise ConnectionClosedError(endpoint_url=request.url) from exc
    return AWSResponse(
        request.url, response.status, HTTPHeaders.from_dict(response.headers), _Body(response.body)
    )


def each_face(
    engine: Engine | Processes, collection_id: str, image: bytes, threshold: float, most: int | None
) -> list[dict[str, Any]]:
    """`engine.search_each_face`, whose errors are those of a call: it raises ClientError."""
    try:
        return engine.search_each_face(collection_id, image, threshold, most)
    except RekognitionError as exc:
        said = {"Error": {"Code": exc.code, "Message": exc.message}}
        raise ClientError(
            {**said, "ResponseMetadata": {"HTTPStatusCode": exc.status}},  # type: ignore[typeddict-item]
            "SearchFacesByImage",
        ) from exc


class _Body:
    """The part of a urllib3 response that botocore reads an answer from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    return body.encode("utf-8") if isinstance(body, str) else bytes(body)
