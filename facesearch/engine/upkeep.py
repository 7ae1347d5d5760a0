"""Work on files that goes on beside the requests, so that none of them waits for it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

_LOG = logging.getLogger(__name__)


class Upkeep:
    """Does one piece of work after the other in a thread, which ends when there is none left."""

    _thread: threading.Thread | None

    def __init__(self) -> None:
        self._start_over()

    def ask(self, key: int, work: Callable[[], None]) -> None:
        """Have work done soon, unless work of this key waits already."""
        if self._process != os.getpid():
            self._start_over()  # a child of fork() has neither the thread nor what it was to do
        with self._guard:
            self._waiting.setdefault(key, work)
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="facesearch-upkeep")
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is shutting down, or the system has no more threads
                self._thread = None
                self._waiting.clear()

    def wait(self) -> None:
        """Return when nothing is left to do."""
        while self._process == os.getpid() and (thread := self._thread) is not None:
            thread.join()

    def _start_over(self) -> None:
        self._process = os.getpid()
        self._guard = threading.Lock()
        self._waiting: dict[int, Callable[[], None]] = {}
        self._thread = None

    def _run(self) -> None:
        while True:
            with self._guard:
                if not self._waiting:
                    self._thread = None
                    return
                work = self._waiting.pop(next(iter(self._waiting)))
            try:
                work()
            except Exception:
                _LOG.exception(
                    "the files of a collection's vectors could not be kept up; searches do without"
                )
