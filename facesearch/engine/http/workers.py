"""Several processes that serve one store on one socket: as many requests at once as there are processors.

The parent answers nothing. It starts the workers, starts another when one has died, and tells them when to stop;
they also stop when the parent is gone.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import socket
import threading
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from facesearch.engine.http.server import Server, address_of

log = logging.getLogger(__name__)

Serve = Callable[..., AbstractContextManager[Server]]

# Where prometheus_client looks, when it is imported, for the folder that processes share their numbers in.
_METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    channel: Connection
    ready: bool = False

    def stop(self, *, hurry: bool) -> None:
        with suppress(OSError):  # it has ended already
            self.channel.send(hurry)

    def hear(self) -> None:
        """What it says of its start, once there is something to hear. Raises what kept it from serving."""
        try:
            failure = self.channel.recv()
        except (EOFError, ConnectionError):  # it said nothing and died
            self.process.join()
            raise ChildProcessError(f"{self.ending} before it could serve") from None
        if failure is not None:
            raise failure
        self.ready = True

    @property
    def ending(self) -> str:
        return f"worker {self.process.pid} ended with exit code {self.process.exitcode}"


class Workers:
    """`count` processes on a socket while the `with` block lasts; like Server to whoever starts and stops it.

    `serve` is what each of them does: called with `listener` and `metrics_folder` it gives a running Server. It
    must survive pickling. The block is entered when all of them serve; what keeps one of them from it is raised,
    and ChildProcessError for one that dies of it.
    """

    def __init__(self, serve: Serve, listener: socket.socket, count: int, *, secure: bool) -> None:
        self.url = address_of(listener, secure=secure)
        self._serve = serve
        self._listener = listener
        self._count = count
        self._workers: list[_Worker] = []
        self._stopping = False
        self._folder = TemporaryDirectory(prefix="facesearch-metrics-")

    def __enter__(self) -> Self:
        try:
            for _ in range(self._count):
                self._start()
            for worker in self._workers:
                worker.hear()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.join()
        self._listener.close()
        self._folder.cleanup()

    def stop(self, *, hurry: bool = False) -> None:
        """Take no more requests and answer those that are there; in a hurry, leave them without an answer."""
        self._stopping = True
        for worker in list(self._workers):
            worker.stop(hurry=hurry)

    def join(self) -> None:
        """Wait until all workers have stopped. Raises what keeps one that takes another's place from serving."""
        while self._workers:
            starting = [] if self._stopping else [worker for worker in self._workers if not worker.ready]
            waited = [worker.channel for worker in starting]
            heard = connection.wait([*waited, *(worker.process.sentinel for worker in self._workers)])
            for worker in starting:
                if worker.channel in heard:
                    worker.hear()
            for worker in [worker for worker in self._workers if worker.process.sentinel in heard]:
                self._bury(worker)

    def _start(self) -> None:
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=_work, args=(self._serve, self._listener, Path(self._folder.name), theirs)
        )
        os.putenv(_METRICS_VARIABLE, self._folder.name)
        try:
            process.start()
        finally:
            os.unsetenv(_METRICS_VARIABLE)
        theirs.close()
        self._workers.append(_Worker(process, ours))
        if self._stopping:  # a signal came while it started
            self.stop()

    def _bury(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.process.join()
        worker.channel.close()
        if self._stopping:
            return
        log.error("%s; another takes its place", worker.ending)
        self._start()


def _work(serve: Serve, listener: socket.socket, metrics_folder: Path, channel: Connection) -> None:
    """A worker's life. Signals to the whole group of processes are the parent's business."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with ExitStack() as stack:
        try:
            server = stack.enter_context(serve(listener=listener, metrics_folder=metrics_folder))
        except Exception as exc:
            _confess(channel, exc)
            return
        channel.send(None)
        threading.Thread(target=_obey, args=(channel, server), daemon=True).start()
        server.join()


def _confess(channel: Connection, exc: Exception) -> None:
    """Send the parent what went wrong, with where, which would not survive the way."""
    lines = "".join(traceback.format_exception(exc))
    try:
        pickle.loads(pickle.dumps(exc))  # noqa: S301 - our own
    except Exception:  # what an exception needs to be made anew is its own affair
        exc = RuntimeError(f"{type(exc).__name__}: {exc}")
    exc.add_note(lines)
    channel.send(exc)


def _obey(channel: Connection, server: Server) -> None:
    try:
        while True:
            server.stop(hurry=channel.recv())
    except EOFError:
        server.stop()
