"""Requests to an engine and its answers over two pipes, one after the other: how one process asks another.

A message is the length of its head and of its body (4 bytes each, the high one first), the head as JSON, and the
body. The first message says how the engine is to be opened and the first answer that it is, or why not.
"""

from __future__ import annotations

import json
import logging
import struct
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from io import RawIOBase
from typing import TYPE_CHECKING, Any

from facesearch.engine import errors
from facesearch.engine.errors import RekognitionError

if TYPE_CHECKING:
    from facesearch.engine.service import Engine

log = logging.getLogger(__name__)

Head = Mapping[str, Any]

_LENGTHS = struct.Struct(">II")


def send(pipe: RawIOBase, head: Head, body: bytes = b"") -> None:
    """Write one message. Raises BrokenPipeError when nobody reads any more."""
    told = json.dumps(head).encode("ascii")
    for part in (_LENGTHS.pack(len(told), len(body)) + told, body):
        rest = memoryview(part)
        while rest:
            rest = rest[pipe.write(rest) :]


def receive(pipe: RawIOBase) -> tuple[Head, bytes]:
    """Read one message. Raises EOFError when nobody writes any more."""
    of_head, of_body = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    return json.loads(_exactly(pipe, of_head)), _exactly(pipe, of_body)


def _exactly(pipe: RawIOBase, length: int) -> bytes:
    data = bytearray(length)
    rest = memoryview(data)
    while rest:
        if not (read := pipe.readinto(rest)):
            raise EOFError
        rest = rest[read:]
    return bytes(data)


def answer_all(
    requests: RawIOBase, answers: RawIOBase, opened: Callable[[Head], Engine], refusal: type[Exception]
) -> None:
    """Open an engine as the first message says, and answer what is asked of it until nobody asks any more.

    When `opened` raises a `refusal`, the other side is told its text.
    """
    with suppress(EOFError, BrokenPipeError):
        try:
            engine = opened(receive(requests)[0])
        except refusal as exc:
            send(answers, {"refused": str(exc)})
            return
        with closing(engine):
            send(answers, {"refused": None})
            while True:
                send(answers, *_answer(engine, *receive(requests)))


def _answer(engine: Engine, asked: Head, body: bytes) -> tuple[Head, bytes]:
    if asked["call"] == "handle":
        response = engine.handle(asked["headers"], body)
        return {
            "status": response.status,
            "headers": response.headers,
            "error": response.error,
        }, response.body
    try:
        faces = engine.search_each_face(asked["collection_id"], body, asked["threshold"], asked["most"])
        return {"faces": faces}, b""
    except RekognitionError as exc:
        return {"code": exc.code, "message": exc.message}, b""
    except Exception:
        log.exception("A search for each face failed by a fault of the engine")
        fault = errors.internal()
        return {"code": fault.code, "message": fault.message}, b""
