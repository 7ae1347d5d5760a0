"""Several processes that serve one store on one socket: as many requests at once as there are processors.

The parent answers nothing. It starts the workers, starts another when one has died, and tells them when to stop;
they also stop when the parent is gone.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
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

# A worker that dies younger than this would do so again and again.
_LEAST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    channel: Connection
    started: float = field(default_factory=time.monotonic)

    def stop(self, *, hurry: bool) -> None:
        with suppress(OSError):  # it has ended already
            self.channel.send(hurry)


class Workers:
    """`count` processes on a socket while the `with` block lasts; like Server to whoever starts and stops it.

    `serve` is what each of them does: called with `listener` and `metrics_folder` it gives a running Server. It
    must survive pickling.
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
        for _ in range(self._count):
            self._start()
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
        """Wait until all workers have stopped. Raises ChildProcessError when they cannot be kept running."""
        while self._workers:
            ended = connection.wait([worker.process.sentinel for worker in self._workers])
            for worker in [worker for worker in self._workers if worker.process.sentinel in ended]:
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
        ending = f"worker {worker.process.pid} ended with exit code {worker.process.exitcode}"
        if time.monotonic() - worker.started < _LEAST_SECONDS:
            raise ChildProcessError(f"{ending} as soon as it was started")
        log.error("%s; another takes its place", ending)
        self._start()


def _work(serve: Serve, listener: socket.socket, metrics_folder: Path, channel: Connection) -> None:
    """A worker's life. Signals to the whole group of processes are the parent's business."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with serve(listener=listener, metrics_folder=metrics_folder) as server:
        threading.Thread(target=_obey, args=(channel, server), daemon=True).start()
        server.join()


def _obey(channel: Connection, server: Server) -> None:
    try:
        while True:
            server.stop(hurry=channel.recv())
    except EOFError:
        server.stop()
