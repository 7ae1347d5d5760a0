"""An HTTP server over an engine, in a thread of its own.

with Server(engine) as server:
    client = boto3.client("rekognition", endpoint_url=server.url, ...)
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from facesearch.engine.answering import Closing, Served
from facesearch.engine.errors import RekognitionError
from facesearch.engine.http import access_log
from facesearch.engine.http.access import Gate
from facesearch.engine.http.application import ABORT, Application, Limits
from facesearch.engine.http.hosts import Hosts, is_loopback
from facesearch.engine.http.keys import Keys
from facesearch.engine.http.metrics import Metrics
from facesearch.engine.vision.weights import WeightsError

_BACKLOG = 128
_MAX_CONNECTIONS = 1000
_KEEP_ALIVE_SECONDS = 20
_GRACE_SECONDS = 10.0  # on top of a body's time: for the headers, and for an answer that says what was wrong


class ServingError(Exception):
    """The server cannot be started: its address, its certificate, the keys that its address asks for, or what it
    recognises faces with.
    """


class Certificate(NamedTuple):
    """The PEM files of a certificate (with its chain) and of its key."""

    certfile: Path
    keyfile: Path | None = None  # None when the certificate's file holds the key too

    def check(self) -> None:
        """Raises OSError when a server cannot be run with it; a key that needs a password is of no use either."""
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certfile, self.keyfile, password="")


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A socket that waits for connections; port 0 is any free one. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )[0]
    # asyncio sends small packets at once only where the socket names its protocol, as create_server's does not.
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere this would let two servers listen on one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


class Server:
    """Serves an engine on a socket (a free port of 127.0.0.1 if none is given) while its `with` block lasts.

    Only this machine can reach a loopback address, so there anybody may call until `keys` hold the first one;
    everywhere else each request must be signed with one of them. `names` are those the server answers to beside
    localhost and addresses. `metrics_folder` is shared by the processes that serve one store. Raises OSError for
    a certificate that cannot be used. The engine stays open.
    """

    def __init__(
        self,
        engine: Served,
        *,
        listener: socket.socket | None = None,
        keys: Keys | None = None,
        limits: Limits | None = None,
        certificate: Certificate | None = None,
        names: Sequence[str] = (),
        metrics_folder: Path | None = None,
    ) -> None:
        if certificate is not None:
            certificate.check()
        self._listener = listener or listen()
        limits = limits or Limits()
        address = self._listener.getsockname()[0]
        self._application = Application(
            engine,
            Gate(keys, engine.arn, open_at_first=is_loopback(address)),
            Hosts(address, names),
            Metrics(engine.totals, metrics_folder),
            limits,
        )
        config = uvicorn.Config(
            self._application,
            http=_patient(limits.seconds + _GRACE_SECONDS),
            ws="none",
            lifespan="off",
            loop="asyncio",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            ssl_certfile=certificate and certificate.certfile,
            ssl_keyfile=certificate and certificate.keyfile,
        )
        config.load()
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._uvicorn.run, args=([self._listener],), name="facesearch-server", daemon=True
        )
        self.url = address_of(self._listener, secure=certificate is not None)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.join()
        self._listener.close()  # uvicorn does that only when it had time to start
        self._application.close()

    def stop(self, *, hurry: bool = False) -> None:
        """Take no more requests and answer those that are there; in a hurry, leave them without an answer."""
        self._uvicorn.should_exit = True
        if hurry:
            self._uvicorn.force_exit = True
            for connection in list(self._uvicorn.server_state.connections):
                if isinstance(connection, H11Protocol):
                    connection.loop.call_soon_threadsafe(connection.transport.abort)

    def join(self) -> None:
        """Wait until the server has stopped."""
        self._thread.join()


@contextmanager
def served(open_engine: Callable[[], Closing], **arguments: Any) -> Iterator[Server]:
    """A server with an engine of its own, and the log on stderr: all that one process does.

    `arguments` are Server's. Raises ServingError when there is no face model to serve with.
    """
    access_log.to_stderr()
    with closing(open_engine()) as engine:
        try:
            engine.load()
        except (WeightsError, RekognitionError) as exc:
            raise ServingError(str(exc)) from exc
        with Server(engine, **arguments) as server:
            yield server


def address_of(listener: socket.socket, *, secure: bool) -> str:
    """The URL of a server on this socket."""
    host, port = listener.getsockname()[:2]
    return f"{'https' if secure else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def _patient(seconds: float) -> type[asyncio.Protocol]:
    """HTTP connections that wait so long for a whole request, and are closed when it is not there by then."""

    class Connection(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.app_state = {**self.app_state, ABORT: transport.abort}
            if len(self.connections) > _MAX_CONNECTIONS:
                transport.abort()
            self._deadline = self.loop.call_later(seconds, transport.abort)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._cancel()

        def _watch(self) -> None:
            """Let the time run as long as a part of a request is missing, and start it anew with the next."""
            if not self._arriving():
                self._cancel()
            elif self._deadline is None:
                self._deadline = self.loop.call_later(seconds, self.transport.abort)

        def _arriving(self) -> bool:
            state = self.conn.their_state
            return state is h11.SEND_BODY or (state is h11.IDLE and bool(self.conn.trailing_data[0]))

        def _cancel(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return Connection
