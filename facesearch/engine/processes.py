"""An engine in processes of its own: as many photos looked at together as there are processors.

Threads of one Python process get in each other's way, since only one of them runs at a time outside the networks.
Processes do not, and they load the networks while the caller's is loading what it needs itself. Each has the whole
engine over the same store, as the workers of a server have.
"""

from __future__ import annotations

import os
import subprocess
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from facesearch.engine import pipes
from facesearch.engine.errors import RekognitionError
from facesearch.engine.pipes import Head

if TYPE_CHECKING:
    from io import RawIOBase

    from facesearch.engine.protocol import Response
    from facesearch.engine.service import Engine


class Processes:
    """Answers requests as an engine does; once there are photos to look at, in processes.

    Until then, the engine that `open_engine` gives answers. From the first photo or from `start` on, up to `most`
    processes do. `command` starts one, in that environment, that speaks over stdin and stdout (see `pipes`), and
    `opening` is the first message to it. What keeps it from opening its engine is raised as a `refusal`.

    Safe to share between threads: each has a process for itself while it waits for its answer. One that was
    interrupted while waiting leaves its process alone, which ends when it is done.
    """

    def __init__(
        self,
        open_engine: Callable[[], Engine],
        command: Sequence[str],
        environment: Mapping[str, str],
        opening: Head,
        most: int,
        refusal: Callable[[str], Exception],
    ) -> None:
        self._open_engine = open_engine
        self._command = command
        self._environment = environment
        self._opening = opening
        self._most = most
        self._refusal = refusal
        self._engine: Engine | None = None
        self._closed = False
        self._begin()
        _everyone.add(self)

    def _begin(self) -> None:
        self._change = threading.Condition()
        self._running: set[_Process] = set()
        self._idle: list[_Process] = []  # of those that run
        self._ending: list[_Process] = []
        self._failures: list[Exception] = []  # of processes that could not be made ready, for those who wait
        self._loading = 0
        self._waiting = 0
        self._room = 1  # until the first has built what is kept for the others

    def start(self) -> None:
        """Start a process, if there is none, for photos that are to come."""
        with self._change:
            if not self._running:
                self._start()

    def handle(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer one request; InternalServerError says that the process ended before it had."""
        from facesearch.engine import protocol  # botocore's part of it is loaded while a process starts

        if not self._running and not protocol.shows_photo(headers):
            return self._here().handle(headers, body)
        try:
            told, answer = self._ask({"call": "handle", "headers": dict(headers)}, body)
        except _EndedError as exc:
            return protocol.refusal(_fault(exc))
        return protocol.Response(told["status"], told["headers"], answer, told["error"])

    def search_each_face(
        self, collection_id: str, image: bytes, threshold: float, most: int | None
    ) -> list[dict[str, Any]]:
        """See Engine.search_each_face. Raises RekognitionError."""
        asked = {"collection_id": collection_id, "threshold": threshold, "most": most}
        try:
            told, _ = self._ask({"call": "search_each_face", **asked}, image)
        except _EndedError as exc:
            raise _fault(exc) from exc
        if "code" in told:
            raise RekognitionError(told["code"], told["message"])
        return cast("list[dict[str, Any]]", told["faces"])

    def close(self) -> None:
        """Wait until the processes have ended, and give the store back."""
        with self._change:
            self._closed = True
            self._change.notify_all()
            ending = sorted([*self._running, *self._ending], key=lambda process: process.ready)
        # One alone at last: SQLite puts its log back into the store's file when nobody else has it open.
        for some in (ending[:-1], ending[-1:]):
            for process in some:
                process.dismiss()
            for process in some:
                process.join()
        if self._engine:
            self._engine.close()

    def leave(self) -> None:
        """Let go of all processes, in a child of fork(): they are its parent's. It starts its own."""
        # Kept, since Python warns of a process that is forgotten while it runs.
        self._parents = [*self._running, *self._ending]
        for process in self._parents:
            process.leave()
        self._begin()

    def _here(self) -> Engine:
        with self._change:
            self._engine = self._engine or self._open_engine()
            return self._engine

    def _ask(self, head: Head, body: bytes) -> tuple[Head, bytes]:
        with self._one() as process:
            return process.ask(head, body)

    @contextmanager
    def _one(self) -> Iterator[_Process]:
        """A process for this thread alone; one that is not left in order is not used again."""
        process = self._taken()
        try:
            yield process
        except BaseException:
            process.dismiss()
            with self._change:
                self._end(process)
            raise
        with self._change:
            self._idle.append(process)
            self._change.notify_all()

    def _taken(self) -> _Process:
        """The first process that is free. One is started for each who waits, as far as there is room."""
        with self._change:
            self._waiting += 1
            try:
                while True:
                    if self._closed:
                        raise RuntimeError("the engine is closed")
                    if self._idle:
                        process = self._idle.pop()
                        if process.runs:
                            return process
                        self._end(process)
                    elif self._failures:
                        raise self._failures.pop()
                    elif len(self._running) < self._room and self._loading < self._waiting:
                        self._start()
                    else:
                        self._change.wait()
            finally:
                self._waiting -= 1

    def _start(self) -> None:
        """Start one more, unless this machine has no room for it: then those that run have to do."""
        try:
            process = _Process(self._command, self._environment, self._opening)
        except OSError as exc:
            if self._running:
                self._room = len(self._running)
                return
            why = f"no process can be started to look at photos: {exc.strerror or exc}"
            raise self._refusal(f"{why}; --jobs 1 takes none") from exc
        self._running.add(process)
        self._loading += 1
        process.when_ready(self._loaded)

    def _loaded(self, process: _Process, refused: str | None) -> None:
        """What a process said when its engine was open, or was not."""
        with self._change:
            self._loading -= 1
            if process.ready:
                self._idle.append(process)
                self._room = self._most
            else:
                self._failures.append(self._refusal(refused) if refused else process.ended())
                self._end(process)
            self._change.notify_all()

    def _end(self, process: _Process) -> None:
        self._running.remove(process)
        self._ending.append(process)
        self._change.notify_all()


_everyone: weakref.WeakSet[Processes] = weakref.WeakSet()


def _leave_all() -> None:
    for processes in list(_everyone):
        processes.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all)


class _EndedError(Exception):
    """The process is no more."""


class _Process:
    """A process that opens an engine, and says when it is `ready`."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], opening: Head) -> None:
        # In a group of its own, so that Ctrl-C on a terminal is for the one who asks. It ends when that one does.
        self._process = subprocess.Popen(  # noqa: S603 - the command is the program's own
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            process_group=0,
        )
        self._requests = cast("RawIOBase", self._process.stdin)
        self._answers = cast("RawIOBase", self._process.stdout)
        self._listening: threading.Thread | None = None
        self.ready = False
        with suppress(BrokenPipeError):  # it has ended, as who listens will hear
            pipes.send(self._requests, opening)

    def when_ready(self, tell: Callable[[_Process, str | None], None]) -> None:
        """Have `tell` called, in another thread, when its engine is open or will not be: then with the reason."""
        self._listening = threading.Thread(target=self._listen, args=(tell,), daemon=True)
        self._listening.start()

    def _listen(self, tell: Callable[[_Process, str | None], None]) -> None:
        refused = None
        with suppress(EOFError):
            refused = pipes.receive(self._answers)[0]["refused"]
            self.ready = refused is None
        tell(self, refused)

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def ask(self, head: Head, body: bytes) -> tuple[Head, bytes]:
        """Its answer. Raises _EndedError."""
        try:
            with suppress(BrokenPipeError):
                pipes.send(self._requests, head, body)
            return pipes.receive(self._answers)
        except EOFError:
            raise self.ended() from None

    def ended(self) -> _EndedError:
        """How it ended, which it has or is about to."""
        code = self._process.wait()
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return _EndedError(f"the engine's process for this photo ended ({how})")

    def dismiss(self) -> None:
        """Ask it no more: it ends when it is done with what it is at, at once while it is not ready."""
        if not self.ready:
            self._process.terminate()
        with suppress(BrokenPipeError):
            self._requests.close()

    def join(self) -> None:
        """Wait until it has ended."""
        self._process.wait()
        if self._listening:
            self._listening.join()
        self._answers.close()

    def leave(self) -> None:
        """Close this side's ends of the pipes, which another process has as well."""
        self._requests.close()
        self._answers.close()


def _fault(exc: _EndedError) -> RekognitionError:
    return RekognitionError("InternalServerError", str(exc))
