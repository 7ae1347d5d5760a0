"""How many tries a call took is known, of an answer and of an error, and a throttled try is told at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from facesearch import errors
from facesearch.rekognition import Rekognition, client_config
from facesearch.settings import Settings

DONE = (200, {"FaceRecords": [], "FaceModelVersion": "7.0"})
THROTTLED = (400, {"__type": "ThrottlingException", "message": "Slow down"})
BROKEN = (500, {"__type": "InternalServerError", "message": "oops"})
REFUSED = (400, {"__type": "InvalidParameterException", "message": "no"})
BUSY = (429, {})
SILENCE = None


def answering(monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, dict[str, Any]] | None) -> Rekognition:
    """A gateway whose service gives these answers in turn; botocore's own retries run, without their pauses."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    config = client_config(Settings(max_attempts=3)).merge(Config(signature_version=UNSIGNED))
    client = botocore.session.Session().create_client("rekognition", region_name="us-east-1", config=config)
    script = iter(answers)

    class Raw:
        def __init__(self, body: bytes) -> None:
            self.body = body

        def stream(self, **_: object) -> Iterator[bytes]:
            yield self.body

    def answer(request: Any, **_: object) -> AWSResponse:
        told = next(script)
        if told is None:
            raise ReadTimeoutError(endpoint_url=request.url)
        status, body = told
        headers = {"x-amzn-RequestId": f"request {status}"}
        return AWSResponse(request.url, status, headers, Raw(json.dumps(body).encode()))

    client.meta.events.register("before-send.rekognition", answer)
    return Rekognition(client)


def test_an_answer_says_how_many_tries_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = answering(monkeypatch, THROTTLED, BROKEN, DONE, DONE)
    first, second = (gateway.index_faces("c", b"jpeg", "a", max_faces=1).call for _ in range(2))
    assert first is not None and second is not None
    assert (first.request_id, first.attempts, second.attempts) == ("request 200", 3, 1)
    assert first.milliseconds >= 0


@pytest.mark.parametrize(
    ("answers", "attempts", "request_id"),
    [
        ([REFUSED], 1, "request 400"),
        ([BROKEN] * 3, 3, "request 500"),
        ([SILENCE, THROTTLED, THROTTLED], 3, "request 400"),
        ([SILENCE] * 3, 3, None),
    ],
)
def test_an_error_says_how_many_tries_were_made(
    monkeypatch: pytest.MonkeyPatch, answers: list[Any], attempts: int, request_id: str | None
) -> None:
    gateway = answering(monkeypatch, *answers)
    with pytest.raises(errors.ServiceError) as raised:
        gateway.index_faces("c", b"jpeg", "a", max_faces=1)
    assert (raised.value.attempts, raised.value.request_id) == (attempts, request_id)
    assert raised.value.milliseconds is not None


def test_every_throttled_try_is_told_while_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = answering(monkeypatch, THROTTLED, BUSY, DONE, BROKEN, SILENCE, DONE, THROTTLED, DONE)
    told: list[int] = []
    with gateway.retries.telling(lambda: told.append(1)):
        gateway.index_faces("c", b"jpeg", "a", max_faces=1)
        assert len(told) == 2
        gateway.index_faces("c", b"jpeg", "a", max_faces=1)
    gateway.index_faces("c", b"jpeg", "a", max_faces=1)
    assert len(told) == 2
