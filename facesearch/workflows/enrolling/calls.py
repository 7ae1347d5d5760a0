"""The calls that are under way, and how each is written down when it comes back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice

from facesearch.domain import Collection, Duplicate, PhotoStatus, Settlement
from facesearch.errors import (
    CollectionNotFoundError,
    InvalidRequestError,
    PhotoError,
    ServiceUnavailableError,
    ThrottledError,
)
from facesearch.workflows.door import Door
from facesearch.workflows.enrolling.indexing import Indexing, failure
from facesearch.workflows.enrolling.intents import Intents
from facesearch.workflows.enrolling.looks import Looks
from facesearch.workflows.enrolling.ports import Database, Records
from facesearch.workflows.enrolling.settling import NOT_SENT
from facesearch.workflows.enrolling.superfluous import Superfluous
from facesearch.workflows.enrolling.tally import Tally
from facesearch.workflows.enrolling.work import Work, copied
from facesearch.workflows.pacing import Pace, StoppedError
from facesearch.workflows.reading import is_stored
from facesearch.workflows.threads import wait_for_any
from facesearch.workflows.unchanged import are_two

CountCalls = Callable[[Records], None]

PATIENCE = 10  # photos in a row without any answer of the service, after which it is taken to be down
# Photos that are waited for to be written down at once, since a transaction costs as much as some of them; fewer
# than may be waiting, so that no thread runs out of photos meanwhile.
TOGETHER = 16
NO_LONGER = 0.5  # seconds, for what was answered to be written down soon
QUEUE = 32  # photos that are ready to be taken up when a thread is free
FIRST_GUESS = 1.0  # seconds that a call takes, before one was made


class Calls:
    """Photos that were handed to threads and have not been written down since.

    `check` raises what is to end the run, and is called where nothing is half done.
    """

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        indexing: Indexing,
        pace: Pace,
        in_flight: int,
        database: Database,
        collection: Collection,
        intents: Intents,
        superfluous: Superfluous,
        tally: Tally,
        door: Door,
        looks: Looks,
        count_calls: CountCalls | None,
        check: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._indexing = indexing
        self._pace = pace
        self._in_flight = in_flight
        self._database = database
        self._collection = collection
        self._intents = intents
        self._superfluous = superfluous
        self._tally = tally
        self._door = door
        self._looks = looks
        self._count_calls = count_calls
        self._check = check
        self._futures: dict[Future[Settlement], Work] = {}
        self._ended: dict[tuple[str, str], Exception] = {}  # photos in whose calls the run came to its end
        self._unanswered = 0
        self._seconds = FIRST_GUESS  # that a call takes of late

    def make(self, works: Iterable[Work]) -> None:
        """Send the photos, no more at once than there is room for."""
        for work in works:
            self._check()
            self.settle_down_to(self._room() - 1)
            self._futures[self._pool.submit(self._indexing, work)] = work

    def settle_down_to(self, allowed: int) -> None:
        """Wait until no more than `allowed` calls are under way, and write down what came back."""
        while len(self._futures) > allowed:
            wait_for_any(self._futures, self._check)
            wait(list(islice(self._futures, TOGETHER)), NO_LONGER)
            self._settle([call for call in self._futures if call.done()])
            self._superfluous.delete_if_due()

    def close(self) -> None:
        """Write down how the photos of a run stand that ends before its time; no call is going on any more."""
        done = [call for call in self._futures if call.done() and not call.cancelled()]
        self._settle([call for call in done if not isinstance(call.exception(), StoppedError)], strict=False)
        rest = self._intents.under_way
        settlements = [
            failure(work, self._ended.get(key) or StoppedError(NOT_SENT)) for key, work in rest.items()
        ]
        with self._database.begin() as records:
            records.settle(self._collection.arn, settlements)

    def _room(self) -> int:
        """Twice the photos that are on their way at the present rate, for every call to follow at its turn."""
        rate = self._pace.rate
        needed = math.ceil(2 * rate * self._seconds) if rate < math.inf else self._in_flight
        return min(needed, self._in_flight) + QUEUE

    def _settle(self, done: Iterable[Future[Settlement]], *, strict: bool = True) -> None:
        """Write down what came back, in one transaction; then raise what ends the run, if `strict`.

        A call is crossed off once it is written down, so that an interruption in here loses nothing.
        """
        ends: list[Exception] = []
        settled: list[tuple[Future[Settlement], Settlement]] = []
        for call in done:
            work = self._futures[call]
            try:
                settled.append((call, call.result()))
                self._unanswered = 0
            except Exception as exc:  # sorted into the photo's own trouble and what ends the run
                if self._ends_run(exc):
                    ends.append(exc)
                    self._ended[work.key] = exc
                    del self._futures[call]
                else:
                    settled.append((call, failure(work, exc)))
        settlements: list[Settlement] = []
        alike: dict[tuple[str, str], Duplicate] = {}
        if settled:
            with self._database.begin() as records:
                settlements = self._door.decide(records, [settlement for _, settlement in settled])
                works = [self._futures[call] for call, _ in settled]
                alike = self._looks.duplicates(records, list(zip(works, settlements, strict=True)))
                records.settle(self._collection.arn, settlements)
                self._superfluous.intend(records, (id_ for one in settlements for id_ in one.superfluous))
                if self._count_calls:
                    self._count_calls(records)
        for (call, _), settlement in zip(settled, settlements, strict=True):
            if settlement.call:
                self._seconds += 0.1 * (settlement.call.milliseconds / 1000 - self._seconds)
            work = self._futures.pop(call)
            self._tell(work, settlement, alike.get(work.key))
        if ends and strict:
            raise ends[0]

    def _ends_run(self, exc: Exception) -> bool:
        if isinstance(exc, ServiceUnavailableError):
            self._unanswered += 1
            return self._unanswered >= PATIENCE
        return not isinstance(exc, PhotoError | ThrottledError | InvalidRequestError) or isinstance(
            exc, CollectionNotFoundError
        )

    def _tell(self, work: Work, settlement: Settlement, alike: Duplicate | None) -> None:
        self._intents.under_way.pop(work.key)
        enrolled = settlement.status is PhotoStatus.ENROLLED
        face_id = settlement.record.face.face_id if settlement.record else None
        if work.left is None:
            conflict = (work.conflict or settlement.conflict) if enrolled else None
            reasons = (settlement.reason, conflict, copied(alike) if alike else None)
            reason = "; ".join(filter(None, reasons)) or None
            ended = self._tally.end(work.path, work.spec.name, settlement.status, reason, face_id)
            self._tally.warn(ended, conflict)
            if alike:
                self._tally.tell_alike(alike)
        for path in work.copies:
            if enrolled:
                self._tell_copy(work, path, face_id)
            else:
                self._tally.end(path, work.spec.name, settlement.status, settlement.reason, face_id)

    def _tell_copy(self, work: Work, path: str, face_id: str | None) -> None:
        """Another file, or another path of the same one, that needed no call."""
        copy = Duplicate(path, work.spec.name, work.path)
        are_two_files = is_stored(path) or is_stored(work.path) or are_two(path, work.path)
        if are_two_files:
            self._tally.tell_alike(copy)
        reason = copied(copy) if are_two_files else None
        self._tally.end(path, work.spec.name, PhotoStatus.ALREADY, reason, face_id)
