"""Ctrl-C at a moment that suits.

Python raises KeyboardInterrupt between any two steps, so also where a lock was just taken and nobody is left to
give it back. A thread that needs it then waits for ever, and the program for the thread.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class _Noted:
    """A handler of SIGINT that takes note of the first one. Whoever presses again means it."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def check(self) -> None:
        if self._asked:
            raise KeyboardInterrupt


@contextmanager
def held_back() -> Iterator[Callable[[], None]]:
    """A block that Ctrl-C does not cut in two: it takes effect right after, or where the block calls what it gets.

    Inside another such block it takes effect where that one says. Pressed a second time it does at once. In any
    but the main thread, and under a handler that is not Python's own, nothing is held back.
    """
    handler = signal.getsignal(signal.SIGINT)
    here = threading.current_thread() is threading.main_thread()
    if here and isinstance(handler, _Noted):
        yield handler.check
        return
    noted = _Noted()
    if not here or handler is not signal.default_int_handler:
        yield noted.check
        return
    signal.signal(signal.SIGINT, noted)
    try:
        yield noted.check
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    noted.check()
