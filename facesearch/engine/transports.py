"""The doors to an engine. In-process: a boto3 client whose requests never reach a socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

    from facesearch.engine.service import Engine

_EVENT = "before-send.rekognition"
_HANDLER = "facesearch-engine"

Client = TypeVar("Client")


def attach(client: Client, engine: Engine) -> Client:
    """Let `engine` answer every request of this one Rekognition client, and return the client.

    botocore builds and validates the requests and parses the answers as it does for AWS. Attaching another engine
    replaces the first.
    """

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        response = engine.handle(
            {_text(name): _text(value) for name, value in request.headers.items()}, _bytes(request.body)
        )
        answered = HTTPHeaders.from_dict(response.headers)
        return AWSResponse(request.url, response.status, answered, _Body(response.body))

    events = client.meta.events  # type: ignore[attr-defined]
    events.unregister(_EVENT, unique_id=_HANDLER)
    events.register(_EVENT, answer, unique_id=_HANDLER)
    return client


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
