"""One run: photos are sent as fast as allowed, and how each ended is written down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from facesearch.domain import (
    Collection,
    EnrolmentReport,
    OnMultiple,
    PhotoStatus,
    PlannedPhoto,
    Settlement,
)
from facesearch.errors import (
    CollectionNotFoundError,
    InvalidRequestError,
    PhotoError,
    ServiceUnavailableError,
    ThrottledError,
)
from facesearch.workflows.enrolling.hashing import Hashing
from facesearch.workflows.enrolling.indexing import failure, index
from facesearch.workflows.enrolling.intents import Intents
from facesearch.workflows.enrolling.ports import Database, Gateway, Records
from facesearch.workflows.enrolling.tally import OnPhoto, Tally
from facesearch.workflows.enrolling.work import Work

CountCalls = Callable[[Records], None]

PATIENCE = 10  # photos in a row without any answer of the service, after which it is taken to be down


def enroll(
    gateway: Gateway,
    database: Database,
    planned: Iterable[PlannedPhoto],
    collection: Collection,
    *,
    on_multiple: OnMultiple = OnMultiple.AUTO,
    jobs: int = 1,
    on_photo: OnPhoto | None = None,
    count_calls: CountCalls | None = None,
) -> EnrolmentReport:
    """Enrol every planned photo and report how each one ended.

    Raises what ends a whole run (credentials, rights, a collection that is gone, a service that does not answer);
    what went wrong with one photo is in the report. On KeyboardInterrupt the calls under way are finished and
    settled first. Running the same again always continues where the last run stopped. `count_calls` writes down
    the calls that were answered, whenever photos are settled.
    """
    return _Run(gateway, database, collection, on_multiple, jobs, on_photo, count_calls).carry_out(planned)


class _Run:
    def __init__(
        self,
        gateway: Gateway,
        database: Database,
        collection: Collection,
        on_multiple: OnMultiple,
        jobs: int,
        on_photo: OnPhoto | None,
        count_calls: CountCalls | None,
    ) -> None:
        self._gateway = gateway
        self._database = database
        self._collection = collection
        self._on_multiple = on_multiple
        self._jobs = jobs
        self._count_calls = count_calls
        self._tally = Tally(on_photo)
        with database.begin() as records:
            self._run_id = records.start_run(collection.arn)
        self._intents = Intents(database, self._run_id, collection, on_multiple, self._tally)
        self._calls: dict[Future[Settlement], Work] = {}
        self._unanswered = 0

    def carry_out(self, planned: Iterable[PlannedPhoto]) -> EnrolmentReport:
        started = time.monotonic()
        hashing = ThreadPoolExecutor(self._jobs, thread_name_prefix="hash")
        calling = ThreadPoolExecutor(self._jobs, thread_name_prefix="index")
        with hashing, calling:
            try:
                for batch in Hashing(self._database, hashing, self._tally).hashed(planned):
                    for work in self._intents.write(batch):
                        self._settle_down_to(2 * max(self._jobs, 8))
                        self._calls[calling.submit(self._index, work)] = work
                self._settle_down_to(0)
            except BaseException:
                hashing.shutdown(wait=False, cancel_futures=True)
                calling.shutdown(wait=True, cancel_futures=True)
                self._settle(
                    [call for call in self._calls if call.done() and not call.cancelled()], strict=False
                )
                raise
        with self._database.begin() as records:
            records.finish_run(self._run_id, self._tally.counts)
        return EnrolmentReport(
            run=self._run_id,
            collection=self._collection,
            counts=dict(self._tally.counts),
            problems=tuple(self._tally.problems),
            people=len(self._tally.people),
            seconds=time.monotonic() - started,
        )

    def _index(self, work: Work) -> Settlement:
        return index(self._gateway, self._collection.collection_id, work, self._on_multiple)

    def _settle_down_to(self, allowed: int) -> None:
        """Wait until no more than `allowed` calls are under way, and write down what came back."""
        while len(self._calls) > allowed:
            done, _ = wait(self._calls, return_when=FIRST_COMPLETED)
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
                self._unanswered = 0
            except Exception as exc:  # sorted into the photo's own trouble and what ends the run
                if self._ends_run(exc):
                    ends.append(exc)
                    del self._calls[call]
                else:
                    settled.append((call, failure(self._calls[call], exc)))
        if settled:
            with self._database.begin() as records:
                records.settle(self._collection.arn, [settlement for _, settlement in settled])
                if self._count_calls:
                    self._count_calls(records)
        for call, settlement in settled:
            self._tell(self._calls.pop(call), settlement)
        if ends and strict:
            raise ends[0]

    def _ends_run(self, exc: Exception) -> bool:
        if isinstance(exc, ServiceUnavailableError):
            self._unanswered += 1
            return self._unanswered >= PATIENCE
        return not isinstance(exc, PhotoError | ThrottledError | InvalidRequestError) or isinstance(
            exc, CollectionNotFoundError
        )

    def _tell(self, work: Work, settlement: Settlement) -> None:
        self._intents.under_way.pop(work.key)
        face_id = settlement.record.face.face_id if settlement.record else None
        self._tally.end(work.path, work.spec.name, settlement.status, settlement.reason, face_id)
        again = PhotoStatus.ALREADY if settlement.status is PhotoStatus.ENROLLED else settlement.status
        for path in work.copies:
            self._tally.end(path, work.spec.name, again, settlement.reason, face_id)
