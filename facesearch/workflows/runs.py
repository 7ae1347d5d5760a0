"""Runs: found by the beginning of their id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from facesearch.domain import Run
from facesearch.errors import UsageError

LAST = "last"


class Records(Protocol):
    """What is asked of the records."""

    def runs(self, collection_id: str | None = None) -> Iterator[Run]: ...
    def find_runs(self, beginning: str) -> list[Run]: ...


def find(records: Records, ref: str) -> Run:
    """The run whose id is `ref`, or alone begins so, or the newest for "last". Raises UsageError."""
    if ref == LAST:
        newest = next(records.runs(), None)
        if newest is None:
            raise UsageError("there was no run yet; `facesearch enroll` makes one")
        return newest
    found = records.find_runs(ref.lower())
    if not found:
        raise UsageError(f"there is no run {ref!r}; see `facesearch runs list`")
    if len(found) > 1:
        raise UsageError(f"several runs begin with {ref!r}: give more of the id")
    return found[0]
