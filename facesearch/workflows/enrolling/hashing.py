"""From planned files to photos known by their content: read by threads, unless the records know them unchanged."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import islice
from typing import Protocol

from facesearch.domain import PersonSpec, PhotoStatus, PlannedPhoto
from facesearch.domain.files import KnownFile
from facesearch.errors import PhotoError
from facesearch.workflows.enrolling.decided import LOOKED_UP
from facesearch.workflows.enrolling.tally import Tally
from facesearch.workflows.enrolling.work import Work
from facesearch.workflows.reading import PhotoIds, Reader, state_now
from facesearch.workflows.threads import result

BATCH = 64  # photos read, and then written down in one transaction

_Read = tuple[str, KnownFile | None]  # a sha256, and what to remember of the file
_Other = tuple[PlannedPhoto, KnownFile | None, str]  # with what is known of its file, and the file's id


class Records(Protocol):
    """What hashing asks of the records."""

    def known_files(self, ids: Sequence[str]) -> Mapping[str, KnownFile]: ...


class Database(Protocol):
    """Gives transactions that only read."""

    def read(self) -> AbstractContextManager[Records]: ...


class Hashing:
    """Gives planned photos their sha256. Threads of `pool` read the files, one batch ahead."""

    def __init__(self, database: Database, pool: ThreadPoolExecutor, tally: Tally, reader: Reader) -> None:
        self._database = database
        self._pool = pool
        self._tally = tally
        self._reader = reader
        self._ids = PhotoIds()

    def hashed(self, planned: Iterable[PlannedPhoto]) -> Iterator[list[Work]]:
        """Batches of photos with their sha256. What has none is told to the tally, with the reason."""
        ahead: deque[list[tuple[PlannedPhoto, Future[_Read]]]] = deque()
        for unchanged, others in self._looked_up(iter(planned)):
            yield unchanged
            rest = iter(others)
            while some := list(islice(rest, BATCH)):
                ahead.append([(photo, self._start(photo, file, id_)) for photo, file, id_ in some])
                if len(ahead) > 1:
                    yield self._read(ahead.popleft())
        while ahead:
            yield self._read(ahead.popleft())

    def _looked_up(self, planned: Iterator[PlannedPhoto]) -> Iterator[tuple[list[Work], list[_Other]]]:
        """The photos whose files are unchanged, and the others with what is known of their files."""
        while batch := list(islice(planned, LOOKED_UP)):
            ids = [self._ids(photo.path) for photo in batch]
            with self._database.read() as records:
                known = records.known_files(ids)
            unchanged: list[Work] = []
            others: list[_Other] = []
            for photo, id_ in zip(batch, ids, strict=True):
                if photo.problem or photo.person is None:
                    self._tally.set_aside(photo, PhotoStatus.FAILED, photo.problem)
                elif (file := known.get(id_)) and file.state == state_now(photo):
                    unchanged.append(
                        Work(photo.path, photo.person, file.sha256, None, photo.known, photo.was)
                    )
                else:
                    others.append((photo, file, id_))
            yield unchanged, others

    def _read(self, batch: list[tuple[PlannedPhoto, Future[_Read]]]) -> list[Work]:
        works: list[Work] = []
        for photo, reading in batch:
            person: PersonSpec = photo.person  # type: ignore[assignment]  # those without one ended before
            try:
                sha256, file = result(reading)
            except PhotoError as exc:
                self._tally.set_aside(photo, PhotoStatus.UNREADABLE, exc.reason)
            else:
                works.append(Work(photo.path, person, sha256, file, photo.known, photo.was))
        return works

    def _start(self, photo: PlannedPhoto, known: KnownFile | None, id_: str) -> Future[_Read]:
        return self._pool.submit(self._reader.identified, photo.path, id_, known)
