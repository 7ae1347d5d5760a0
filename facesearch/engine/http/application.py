"""The engine as an ASGI application: POST / is Rekognition's protocol; /health and /metrics tell how it is.

Whatever becomes of a request, its answer carries a request id, and it leaves one line in the log and one count in
the metrics. What a client sends is limited in size and in time, and so is how much is done at once: past that a
client is told to slow down, at once, as AWS does, and no queue grows.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from facesearch.engine import errors, protocol
from facesearch.engine.answering import LostAnswer
from facesearch.engine.errors import RekognitionError
from facesearch.engine.http import access_log
from facesearch.engine.http.access_log import Exchange
from facesearch.engine.http.metrics import CONTENT_TYPE
from facesearch.engine.http.signatures import Signed, joined

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from facesearch.engine.answering import Served
    from facesearch.engine.http.access import Caller, Gate
    from facesearch.engine.http.hosts import Hosts
    from facesearch.engine.http.metrics import Metrics

log = logging.getLogger(__name__)

# Among a request's state: what breaks its connection at once.
ABORT = "abort"

_REQUEST_ID = "x-amzn-RequestId"
_GONE = 499  # what others log for a client that went away before its answer; nobody receives it


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process takes on.

    `concurrency` requests are worked on at once, and four times as many may wait or be on their way in. A request
    of more than `body` bytes is refused, and so is one that is not there whole after `seconds`.
    """

    concurrency: int = field(default_factory=lambda: max(4, os.cpu_count() or 1))
    body: int = protocol.MAX_BODY
    seconds: float = 30.0

    @property
    def places(self) -> int:
        """How many requests may be in the house at once."""
        return 5 * self.concurrency


class Application:
    """The ASGI application over one engine. `close` when nothing is under way any more."""

    def __init__(self, engine: Served, gate: Gate, hosts: Hosts, metrics: Metrics, limits: Limits) -> None:
        self._engine = engine
        self._gate = gate
        self._hosts = hosts
        self._metrics = metrics
        self._limits = limits
        self._taken = 0
        self._pool = ThreadPoolExecutor(limits.concurrency, thread_name_prefix="facesearch-engine")
        self._routes = Starlette(
            routes=[
                Route("/", self._protocol, methods=["POST"]),
                Route("/health", self._health, methods=["GET"]),
                Route("/metrics", self._numbers, methods=["GET"]),
            ],
            exception_handlers={HTTPException: _no_such_door},
        )
        self._routes.router.redirect_slashes = False

    def close(self) -> None:
        """Let the threads go once they are done."""
        self._pool.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, count it and write its line."""
        started = time.perf_counter()
        exchange = Exchange()
        scope.setdefault("state", {})["exchange"] = exchange

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                MutableHeaders(scope=message).setdefault(_REQUEST_ID, exchange.request_id)
            else:
                exchange.bytes_out += len(message.get("body", b""))
            await send(message)

        try:
            await self._routed(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - started
            if scope["path"] == "/":
                self._metrics.observe(exchange.operation or "other", exchange.error or "OK", seconds)
            access_log.write(exchange, scope["method"], scope["path"], seconds)

    async def _routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Request(scope).headers.get("host", "")
        if host in self._hosts:
            await self._routes(scope, receive, send)
            return
        error = RekognitionError(
            "AccessDeniedException",
            f"This server does not answer to the name {host[:100]!r}; start it with --allow-host to let it.",
        )
        await _response(protocol.refusal(error), scope["state"]["exchange"], 403)(scope, receive, send)

    # --- the protocol

    async def _protocol(self, request: Request) -> Response:
        exchange: Exchange = request.state.exchange
        try:
            answer = await self._answer(request, exchange)
        except RekognitionError as error:
            answer = protocol.refusal(error)
        except ClientDisconnect:
            exchange.error = "ClientDisconnected"
            return Response(status_code=_GONE)
        except LostAnswer:
            exchange.error = "AnswerLost"
            request.scope["state"][ABORT]()
            return Response(status_code=_GONE)
        except Exception:
            log.exception("Request %s failed by a fault of the server", exchange.request_id)
            answer = protocol.refusal(errors.internal(), exchange.request_id)
        return _response(answer, exchange)

    async def _answer(self, request: Request, exchange: Exchange) -> protocol.Response:
        headers = joined(request.headers.items())
        exchange.read(headers)
        with self._place():
            caller = await asyncio.to_thread(self._gate.caller, headers)
            body = await self._body(request)
            exchange.bytes_in = len(body)
            signed = Signed(headers, request.url.query, body)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._work, caller, signed)

    def _work(self, caller: Caller | None, request: Signed) -> protocol.Response:
        if caller is None:
            return self._engine.handle(request.headers, request.body)
        caller.check(request)
        return self._engine.handle(request.headers, request.body, caller.authorise)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._taken >= self._limits.places:
            raise RekognitionError("ThrottlingException", "Slow down; sudden increase in rate of requests.")
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def _body(self, request: Request) -> bytes:
        limit = self._limits.body
        too_large = RekognitionError(
            "RequestEntityTooLargeException", f"Request is larger than {limit} bytes"
        )
        if int(request.headers.get("content-length", 0)) > limit:
            raise too_large
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.seconds):
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > limit:
                        raise _too_large(limit)
                    chunks.append(chunk)
        except TimeoutError as exc:
            raise RekognitionError(
                "RequestTimeoutException",
                f"The request was not there whole after {self._limits.seconds:g} seconds.",
            ) from exc
        return b"".join(chunks)

    # --- how it is

    async def _health(self, _request: Request) -> Response:
        try:
            await asyncio.to_thread(self._engine.totals)
        except Exception:
            log.exception("The store does not answer")
            return JSONResponse({"status": "unavailable"}, 503)
        return JSONResponse({"status": "ok"})

    async def _numbers(self, _request: Request) -> Response:
        text = await asyncio.to_thread(self._metrics.text)
        return Response(text, headers={"Content-Type": CONTENT_TYPE})


def _too_large(limit: int) -> RekognitionError:
    return RekognitionError("RequestEntityTooLargeException", f"Request is larger than {limit} bytes")


def _response(answer: protocol.Response, exchange: Exchange, status: int | None = None) -> Response:
    exchange.request_id = answer.headers[_REQUEST_ID]
    exchange.error = answer.error
    response = Response(answer.body, status or answer.status, answer.headers)
    if answer.status == HTTPStatus.REQUEST_TIMEOUT:
        response.headers["Connection"] = (
            "close"  # the rest of the request may still come, and nobody wants it
        )
    return response


async def _no_such_door(request: Request, exc: Exception) -> Response:
    """404 and 405, in the form that an AWS client understands."""
    status = exc.status_code if isinstance(exc, HTTPException) else 404
    error = RekognitionError(
        "UnknownOperationException",
        "There are POST / for Rekognition's protocol, GET /health and GET /metrics.",
    )
    response = _response(protocol.refusal(error), request.state.exchange, status)
    response.headers.update(getattr(exc, "headers", None) or {})
    return response
