"""Starting a server as it was asked for: the socket, the certificate, one process or several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from facesearch.engine.answering import Closing
from facesearch.engine.faults import Faults, FaultyEngine
from facesearch.engine.http.application import Limits
from facesearch.engine.http.hosts import is_loopback
from facesearch.engine.http.keys import Keys
from facesearch.engine.http.server import Certificate, Server, ServingError, listen, served
from facesearch.engine.http.workers import Workers

__all__ = ["ServingError", "Wish", "serving"]


@dataclass(frozen=True, slots=True)
class Wish:
    """How a server is to be: where it listens, in how many processes, and what each of them takes on."""

    host: str = "127.0.0.1"
    port: int = 9000
    workers: int = 1
    concurrency: int | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    names: tuple[str, ...] = ()
    faults: Faults | None = None  # each process has them anew, and a new one has them from the start


@contextmanager
def serving(open_engine: Callable[[], Closing], keys: Keys, wish: Wish) -> Iterator[Server | Workers]:
    """A running server, in threads of this process or in processes of its own; `open_engine` is picklable.

    Raises ServingError before anything is served, StoreError for the keys, and what `open_engine` raises;
    ChildProcessError when processes cannot be kept running.
    """
    certificate = _certificate(wish)
    if wish.faults is not None:
        open_engine = partial(_faulty, open_engine, wish.faults)
    try:
        listener = listen(wish.host, wish.port)
    except OSError as exc:
        raise ServingError(f"cannot listen on {wish.host} port {wish.port}: {exc.strerror or exc}") from exc
    with listener:
        address = listener.getsockname()[0]
        if not is_loopback(address) and all(key.revoked_at for key in keys.all()):
            raise ServingError(
                f"{address} can be reached from other machines, and there is no access key to ask them for: "
                "create one first (facesearch engine keys create), or listen on 127.0.0.1"
            )
        serve = partial(
            served,
            open_engine,
            keys=keys,
            limits=Limits(concurrency=wish.concurrency) if wish.concurrency else Limits(),
            certificate=certificate,
            names=(wish.host, *wish.names),
        )
        if wish.workers == 1:
            with serve(listener=listener) as server:
                yield server
        else:
            with Workers(serve, listener, wish.workers, secure=certificate is not None) as workers:
                yield workers


def _faulty(open_engine: Callable[[], Closing], faults: Faults) -> FaultyEngine:
    return FaultyEngine(open_engine(), faults)


def _certificate(wish: Wish) -> Certificate | None:
    if wish.certfile is None:
        return None
    certificate = Certificate(wish.certfile, wish.keyfile)
    try:
        certificate.check()
    except OSError as exc:
        raise ServingError(
            f"the certificate in {wish.certfile} cannot be used: {exc.strerror or exc}"
        ) from exc
    return certificate
