"""Work in threads, whose answers the thread that asked for them takes in its own time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from facesearch.interruption import held_back

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 2  # so many times as many pieces of work as there are threads are handed to them
_AWAKE = 0.1  # seconds after which who waits looks whether they are still meant to


def in_order(
    work: Callable[[T], R],
    given: Iterable[T],
    jobs: int,
    name: str,
    stop: Callable[[], None] | None = None,
) -> Generator[tuple[T, R]]:
    """Each of what is given with what the work makes of it, in order and as soon as it is there.

    `jobs` threads of that name do the work, and a few pieces for each are asked for ahead. Raises what the work
    raises. Closing the generator calls `stop` and waits for the work that was begun.
    """
    pool = ThreadPoolExecutor(jobs, thread_name_prefix=name)
    under_way: deque[tuple[T, Future[R]]] = deque()
    try:
        for one in given:
            with held_back():
                under_way.append((one, pool.submit(work, one)))
            if len(under_way) > AHEAD * jobs:
                yield _answered(*under_way.popleft())
        while under_way:
            yield _answered(*under_way.popleft())
    finally:
        if stop:
            stop()
        pool.shutdown(wait=True, cancel_futures=True)


def _answered(given: T, future: Future[R]) -> tuple[T, R]:
    return given, result(future)


def result(future: Future[R]) -> R:
    """What the work came to, once it is done. Raises what the work raised."""
    with held_back() as check:
        wait_for_any([future], check)
        return future.result()


def wait_for_any(futures: Collection[Future[R]], check: Callable[[], None]) -> None:
    """Wait until one of them is done; `check` is called over and over, and ends the wait by what it raises."""
    while not wait(futures, _AWAKE, FIRST_COMPLETED).done:
        check()
