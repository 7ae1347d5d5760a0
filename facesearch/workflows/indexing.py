"""Enrolling: planned photos become faces in a collection and records of whose they are.

The service and the database are not one transaction, so each photo is written down twice: the intent is committed
before the call and its settlement after it. A run that dies in between leaves intents, which the next run simply
carries out again: a photo's ExternalImageId is made from its person and its content, and the service stores the
same image under the same ExternalImageId once.

Threads hash, convert and call; only the calling thread writes to the database, many photos in one transaction.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

from facesearch import photos
from facesearch.domain import (
    Collection,
    EnrolmentReport,
    FaceDeletion,
    IndexResult,
    Intent,
    JournalEntry,
    OnMultiple,
    Person,
    PersonSpec,
    Photo,
    PhotoOutcome,
    PhotoStatus,
    PlannedPhoto,
    Settlement,
)
from facesearch.errors import (
    CollectionNotFoundError,
    InvalidRequestError,
    PhotoError,
    ServiceError,
    ServiceUnavailableError,
    ThrottledError,
    UnreadablePhotoError,
)
from facesearch.workflows.choosing import Choice, choose

BATCH = 64  # photos written down in one transaction; bounds what is in memory
PATIENCE = 10  # photos in a row without any answer of the service, after which it is taken to be down

OnPhoto = Callable[[PhotoOutcome], None]


class Gateway(Protocol):
    """What enrolling asks of Rekognition."""

    def index_faces(
        self, collection_id: str, image: bytes, external_image_id: str, *, max_faces: int
    ) -> IndexResult: ...
    def delete_faces(self, collection_id: str, face_ids: Sequence[str]) -> FaceDeletion: ...


class Records(Protocol):
    """What enrolling asks of the records, inside one transaction."""

    def start_run(self, arn: str) -> str: ...
    def finish_run(self, run_id: str, counts: Mapping[PhotoStatus, int]) -> None: ...
    def resolve_people(self, specs: Sequence[PersonSpec]) -> list[Person]: ...
    def journal(
        self, arn: str, pairs: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], JournalEntry]: ...
    def intend(self, run_id: str, arn: str, intents: Sequence[Intent]) -> None: ...
    def settle(self, arn: str, settlements: Sequence[Settlement]) -> None: ...


class Database(Protocol):
    """Gives transactions: committed at the end of the block, rolled back by an exception."""

    def begin(self) -> AbstractContextManager[Records]: ...


@dataclass(slots=True)
class _Work:
    """One photo on its way. `copies` are further files with the same content, which end as it does."""

    path: Path
    spec: PersonSpec
    sha256: str
    person: Person | None = None
    copies: list[Path] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        assert self.person is not None, "people are resolved before anything is asked of the journal"
        return self.person.id, self.sha256


def enroll(
    gateway: Gateway,
    database: Database,
    planned: Iterable[PlannedPhoto],
    collection: Collection,
    *,
    on_multiple: OnMultiple = OnMultiple.AUTO,
    jobs: int = 1,
    on_photo: OnPhoto | None = None,
) -> EnrolmentReport:
    """Enrol every planned photo and report how each one ended.

    Raises what ends a whole run (credentials, rights, a collection that is gone, a service that does not answer);
    what went wrong with one photo is in the report. On KeyboardInterrupt the calls under way are finished and
    settled first. Running the same again always continues where the last run stopped.
    """
    run = _Run(gateway, database, collection, on_multiple, jobs, on_photo)
    return run.carry_out(planned)


def external_image_id(person_id: str, sha256: str) -> str:
    """The ExternalImageId of a photo: legal whatever the person is called, and it holds no personal data."""
    return f"{person_id}:{sha256[:32]}"


@dataclass(slots=True)
class _Run:
    gateway: Gateway
    database: Database
    collection: Collection
    on_multiple: OnMultiple
    jobs: int
    on_photo: OnPhoto | None
    counts: Counter[PhotoStatus] = field(default_factory=lambda: Counter(dict.fromkeys(PhotoStatus, 0)))
    problems: list[PhotoOutcome] = field(default_factory=list)
    people: set[str] = field(default_factory=set)
    under_way: dict[tuple[str, str], _Work] = field(default_factory=dict)
    calls: dict[Future[Settlement], _Work] = field(default_factory=dict)
    unanswered: int = 0

    def carry_out(self, planned: Iterable[PlannedPhoto]) -> EnrolmentReport:
        started = time.monotonic()
        with self.database.begin() as records:
            run_id = records.start_run(self.collection.arn)
        hashing = ThreadPoolExecutor(self.jobs, thread_name_prefix="hash")
        calling = ThreadPoolExecutor(self.jobs, thread_name_prefix="index")
        with hashing, calling:
            try:
                for batch in self._hashed(planned, hashing):
                    for work in self._intend(run_id, batch):
                        self._settle_down_to(2 * max(self.jobs, 8))
                        self.calls[calling.submit(self._index, work)] = work
                self._settle_down_to(0)
            except BaseException:
                hashing.shutdown(wait=False, cancel_futures=True)
                calling.shutdown(wait=True, cancel_futures=True)
                self._settle(
                    [call for call in self.calls if call.done() and not call.cancelled()], strict=False
                )
                raise
        with self.database.begin() as records:
            records.finish_run(run_id, self.counts)
        return EnrolmentReport(
            run=run_id,
            collection=self.collection,
            counts=dict(self.counts),
            problems=tuple(self.problems),
            people=len(self.people),
            seconds=time.monotonic() - started,
        )

    # --- from files to intents

    def _hashed(self, planned: Iterable[PlannedPhoto], pool: ThreadPoolExecutor) -> Iterator[list[_Work]]:
        """Batches of photos with their sha256; the next batch is read while this one is worked on."""
        source = iter(planned)
        ahead = self._start_hashing(source, pool)
        while ahead:
            batch, ahead = ahead, self._start_hashing(source, pool)
            yield [work for photo, digest in batch if (work := self._work(photo, digest))]

    def _start_hashing(
        self, source: Iterator[PlannedPhoto], pool: ThreadPoolExecutor
    ) -> list[tuple[PlannedPhoto, Future[str] | None]]:
        return [
            (photo, None if photo.problem else pool.submit(photos.sha256_of, photo.path))
            for photo in islice(source, BATCH)
        ]

    def _work(self, photo: PlannedPhoto, digest: Future[str] | None) -> _Work | None:
        if photo.person is None or digest is None:
            name = photo.person.name if photo.person else None
            self._end(photo.path, name, PhotoStatus.FAILED, photo.problem)
            return None
        try:
            return _Work(photo.path, photo.person, digest.result())
        except PhotoError as exc:
            self._end(photo.path, photo.person.name, PhotoStatus.UNREADABLE, exc.reason)
            return None

    def _intend(self, run_id: str, batch: list[_Work]) -> list[_Work]:
        """Write down which photos of the batch are to be sent, and end the others."""
        if not batch:
            return []
        with self.database.begin() as records:
            for work, person in zip(
                batch, records.resolve_people([work.spec for work in batch]), strict=True
            ):
                work.person = person
            entries = records.journal(self.collection.arn, list({work.key for work in batch}))
            fresh = self._fresh(batch, entries)
            records.intend(run_id, self.collection.arn, [self._intent(work) for work in fresh])
        self.people.update(work.key[0] for work in batch)
        return fresh

    def _fresh(self, batch: list[_Work], entries: Mapping[tuple[str, str], JournalEntry]) -> list[_Work]:
        fresh: list[_Work] = []
        for work in batch:
            entry = entries.get(work.key)
            if work.key in self.under_way:
                self.under_way[work.key].copies.append(work.path)
            elif entry and (status := self._remembered(entry)):
                self._end(work.path, work.spec.name, status, entry.reason, entry.face_id)
            else:
                self.under_way[work.key] = work
                fresh.append(work)
        return fresh

    def _remembered(self, entry: JournalEntry) -> PhotoStatus | None:
        """The status of a photo that need not be sent again; None for one that must."""
        if entry.status is PhotoStatus.ENROLLED:
            return PhotoStatus.ALREADY
        decided_alike = entry.on_multiple is self.on_multiple
        if entry.status is PhotoStatus.NO_FACE or (
            entry.status in (PhotoStatus.FILTERED, PhotoStatus.SEVERAL_FACES) and decided_alike
        ):
            return entry.status
        return None

    def _intent(self, work: _Work) -> Intent:
        return Intent(work.key[0], Photo(work.sha256, str(work.path)), self.on_multiple)

    # --- from intents to faces, in threads

    def _index(self, work: _Work) -> Settlement:
        person_id, sha256 = work.key
        prepared = photos.prepare(work.path)
        if prepared.sha256 != sha256:
            raise UnreadablePhotoError(
                "it changed while it was being read; run the same again", str(work.path)
            )
        choice = self._index_one_face(prepared.data, external_image_id(person_id, sha256))
        if choice.superfluous:
            self.gateway.delete_faces(self.collection.collection_id, choice.superfluous)
        return Settlement(person_id, sha256, choice.status, choice.reason, choice.kept)

    def _index_one_face(self, image: bytes, external_id: str) -> Choice:
        collection_id = self.collection.collection_id
        result = self.gateway.index_faces(collection_id, image, external_id, max_faces=1)
        choice = choose(result, self.on_multiple)
        if choice is None:
            room = len(result.records) + len(result.unindexed)
            result = self.gateway.index_faces(collection_id, image, external_id, max_faces=room)
            choice = choose(result, self.on_multiple)
        if choice is None:
            raise ServiceError("the service left out the largest face for want of room, and gave it none")
        return choice

    # --- from answers to settlements

    def _settle_down_to(self, allowed: int) -> None:
        """Wait until no more than `allowed` calls are under way, and write down what came back."""
        while len(self.calls) > allowed:
            done, _ = wait(self.calls, return_when=FIRST_COMPLETED)
            self._settle(list(done))

    def _settle(self, done: list[Future[Settlement]], *, strict: bool = True) -> None:
        """Write down what came back, in one transaction; then raise what ends the run, if `strict`.

        A call is crossed off once it is written down, so that an interruption in here loses nothing.
        """
        ends: list[Exception] = []
        settled: list[tuple[Future[Settlement], Settlement]] = []
        for call in done:
            try:
                settled.append((call, call.result()))
                self.unanswered = 0
            except Exception as exc:  # sorted into the photo's own trouble and what ends the run
                if self._ends_run(exc):
                    ends.append(exc)
                    del self.calls[call]
                else:
                    settled.append((call, _failure(self.calls[call], exc)))
        if settled:
            with self.database.begin() as records:
                records.settle(self.collection.arn, [settlement for _, settlement in settled])
        for call, settlement in settled:
            self._tell(self.calls.pop(call), settlement)
        if ends and strict:
            raise ends[0]

    def _ends_run(self, exc: Exception) -> bool:
        if isinstance(exc, ServiceUnavailableError):
            self.unanswered += 1
            return self.unanswered >= PATIENCE
        return not isinstance(exc, PhotoError | ThrottledError | InvalidRequestError) or isinstance(
            exc, CollectionNotFoundError
        )

    def _tell(self, work: _Work, settlement: Settlement) -> None:
        self.under_way.pop(work.key)
        face_id = settlement.record.face.face_id if settlement.record else None
        self._end(work.path, work.spec.name, settlement.status, settlement.reason, face_id)
        again = PhotoStatus.ALREADY if settlement.status is PhotoStatus.ENROLLED else settlement.status
        for path in work.copies:
            self._end(path, work.spec.name, again, settlement.reason, face_id)

    def _end(
        self,
        path: Path,
        person: str | None,
        status: PhotoStatus,
        reason: str | None,
        face_id: str | None = None,
    ) -> None:
        outcome = PhotoOutcome(str(path), person, status, reason, face_id)
        self.counts[status] += 1
        if status not in (PhotoStatus.ENROLLED, PhotoStatus.ALREADY):
            self.problems.append(outcome)
        if self.on_photo:
            self.on_photo(outcome)


def _failure(work: _Work, exc: Exception) -> Settlement:
    person_id, sha256 = work.key
    if isinstance(exc, PhotoError):
        return Settlement(person_id, sha256, PhotoStatus.UNREADABLE, exc.reason)
    return Settlement(person_id, sha256, PhotoStatus.FAILED, str(exc))
