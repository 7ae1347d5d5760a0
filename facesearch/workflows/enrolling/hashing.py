"""From planned files to photos known by their content: read by threads, unless the records know them unchanged."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import Protocol

from facesearch import photos
from facesearch.domain import PersonSpec, PhotoStatus, PlannedPhoto
from facesearch.domain.files import KnownFile
from facesearch.errors import PhotoError
from facesearch.workflows.enrolling.tally import Tally
from facesearch.workflows.enrolling.unchanged import FileIds, is_settled, state_of
from facesearch.workflows.enrolling.work import Work

LOOKED_UP = 1024  # files that the records are asked for at once
BATCH = 64  # photos read, and then written down in one transaction

_Read = tuple[str, KnownFile | None]  # a sha256, and what to remember of the file


class Records(Protocol):
    """What hashing asks of the records."""

    def known_files(self, ids: Sequence[str]) -> Mapping[str, KnownFile]: ...


class Database(Protocol):
    """Gives transactions that only read."""

    def read(self) -> AbstractContextManager[Records]: ...


class Hashing:
    """Gives planned photos their sha256. Threads of `pool` read the files, one batch ahead."""

    def __init__(self, database: Database, pool: ThreadPoolExecutor, tally: Tally) -> None:
        self._database = database
        self._pool = pool
        self._tally = tally
        self._ids = FileIds()

    def hashed(self, planned: Iterable[PlannedPhoto]) -> Iterator[list[Work]]:
        """Batches of photos with their sha256. What has none is told to the tally, with the reason."""
        ahead: deque[list[tuple[PlannedPhoto, Future[_Read]]]] = deque()
        for unchanged, others in self._looked_up(iter(planned)):
            yield unchanged
            rest = iter(others)
            while some := list(islice(rest, BATCH)):
                ahead.append([(photo, self._pool.submit(_read, photo.path, id_)) for photo, id_ in some])
                if len(ahead) > 1:
                    yield self._read(ahead.popleft())
        while ahead:
            yield self._read(ahead.popleft())

    def _looked_up(
        self, planned: Iterator[PlannedPhoto]
    ) -> Iterator[tuple[list[Work], list[tuple[PlannedPhoto, str]]]]:
        """The photos whose files are unchanged, and the others with the ids of their files."""
        while batch := list(islice(planned, LOOKED_UP)):
            ids = [self._ids(photo.path) for photo in batch]
            with self._database.read() as records:
                known = records.known_files(ids)
            unchanged: list[Work] = []
            others: list[tuple[PlannedPhoto, str]] = []
            for photo, id_ in zip(batch, ids, strict=True):
                if photo.problem or photo.person is None:
                    self._tally.set_aside(photo, PhotoStatus.FAILED, photo.problem)
                elif (file := known.get(id_)) and file.state == state_of(photo.path):
                    unchanged.append(Work(photo.path, photo.person, file.sha256, person=photo.known))
                else:
                    others.append((photo, id_))
            yield unchanged, others

    def _read(self, batch: list[tuple[PlannedPhoto, Future[_Read]]]) -> list[Work]:
        works: list[Work] = []
        for photo, reading in batch:
            person: PersonSpec = photo.person  # type: ignore[assignment]  # those without one ended before
            try:
                sha256, file = reading.result()
            except PhotoError as exc:
                self._tally.set_aside(photo, PhotoStatus.UNREADABLE, exc.reason)
            else:
                works.append(Work(photo.path, person, sha256, file, photo.known))
        return works


def _read(path: str, id_: str) -> _Read:
    """The clock first, then the state, then the content: a write in between gives the file another state."""
    now = time.time_ns()
    state = state_of(path)
    sha256 = photos.sha256_of(Path(path))
    return sha256, KnownFile(id_, state, sha256) if state and is_settled(state, now) else None
