"""One run: what earlier ones left is settled, photos are sent as fast as allowed, and its end is written down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from facesearch.domain import Collection, EnrolmentReport, OnMultiple, PlannedPhoto, RunOutcome
from facesearch.domain.door import AtTheDoor
from facesearch.errors import BudgetError, FaceSearchError
from facesearch.interruption import held_back
from facesearch.workflows.door import Door
from facesearch.workflows.enrolling.calls import Calls, CountCalls
from facesearch.workflows.enrolling.decided import Decided
from facesearch.workflows.enrolling.hashing import Hashing
from facesearch.workflows.enrolling.indexing import Indexing
from facesearch.workflows.enrolling.intents import Intents
from facesearch.workflows.enrolling.looks import Looks
from facesearch.workflows.enrolling.ports import Database, Gateway
from facesearch.workflows.enrolling.settling import Earlier, settle_earlier
from facesearch.workflows.enrolling.superfluous import Superfluous
from facesearch.workflows.enrolling.tally import OnPhoto, Tally
from facesearch.workflows.pacing import Pace
from facesearch.workflows.reading import Reader


def enroll(
    gateway: Gateway,
    database: Database,
    planned: Iterable[PlannedPhoto],
    collection: Collection,
    reader: Reader,
    *,
    source: str | None = None,
    on_multiple: OnMultiple = OnMultiple.AUTO,
    door: AtTheDoor | None = None,
    jobs: int = 1,
    in_flight: int | None = None,
    rate: float | None = None,
    on_photo: OnPhoto | None = None,
    count_calls: CountCalls | None = None,
    alone: bool = True,
) -> EnrolmentReport:
    """Enrol every planned photo and report how each one ended.

    `door` says which faces may stay.
    `source` says in the journal what was planned. `jobs` photos are made ready at one time, and up to `in_flight`
    calls (as many as jobs, if it is not said) wait for their answers, of which `rate` begin in a second.

    Raises what ends a whole run (credentials, rights, a collection that is gone, a service that does not answer);
    what went wrong with one photo is in the report. On KeyboardInterrupt the calls under way are finished and
    settled first. Running the same again always continues where the last run stopped. `count_calls` writes down
    the calls that were answered, whenever photos are settled. A run that is not `alone` leaves what others have
    not settled to them: they may be at it.
    """
    started = time.monotonic()
    tally = Tally(on_photo, keep_aside=True)
    pace = Pace(rate)
    in_flight = in_flight or jobs
    door = door or AtTheDoor()
    superfluous = Superfluous(gateway, database, collection)
    earlier = Earlier([], 0)
    if alone:
        earlier = settle_earlier(gateway, database, collection, superfluous, reader)
    with database.begin() as records:
        run_id = records.start_run(collection.arn, source)
    hashing = ThreadPoolExecutor(jobs, thread_name_prefix="hash")
    calling = ThreadPoolExecutor(in_flight, thread_name_prefix="index")
    decided = Decided(database, collection, on_multiple, door, tally)
    intents = Intents(database, run_id, collection, on_multiple, door, tally)
    indexing = Indexing(gateway, collection.collection_id, on_multiple, door, pace, jobs, reader)
    with held_back() as check, gateway.retries.telling(pace.throttled), hashing, calling:
        calls = Calls(
            calling,
            indexing,
            pace,
            in_flight,
            database,
            collection,
            intents,
            superfluous,
            tally,
            Door(door, collection.arn),
            Looks(collection.arn),
            count_calls,
            check,
        )
        try:
            intents.under_way.update((work.key, work) for work in earlier.again)
            calls.make(earlier.again)
            calls.settle_down_to(0)
            others = decided.others(_each(planned, check))
            for batch in Hashing(database, hashing, tally, reader).hashed(others):
                calls.make(intents.write(batch))
            calls.settle_down_to(0)
            while intents.waiting:
                calls.make(intents.write([]))
                calls.settle_down_to(0)
            superfluous.delete()
        except BaseException as exc:
            pace.stop()
            hashing.shutdown(wait=False, cancel_futures=True)
            calling.shutdown(wait=True, cancel_futures=True)
            with suppress(FaceSearchError):  # what ended the run is more worth knowing
                calls.close()
                with database.begin() as records:
                    records.finish_run(run_id, tally.counts, _outcome(exc), str(exc) or None)
                if _outcome(exc) is not RunOutcome.FAILED:  # the service answers
                    superfluous.delete()
            raise
        with database.begin() as records:
            records.finish_run(run_id, tally.counts)
    return EnrolmentReport(
        run=run_id,
        collection=collection,
        counts=dict(tally.counts),
        problems=tuple(tally.problems),
        people=len(tally.people),
        seconds=time.monotonic() - started,
        earlier=earlier.settled + len(earlier.again),
        conflicts=tuple(tally.conflicts),
        exact_duplicates=tally.exact_duplicates,
        near_duplicates=tally.near_duplicates,
        duplicates=tally.duplicates,
    )


def _each(planned: Iterable[PlannedPhoto], check: Callable[[], None]) -> Iterator[PlannedPhoto]:
    """The same, with a check at each: of many photos that are enrolled already none comes any further."""
    for photo in planned:
        check()
        yield photo


def _outcome(exc: BaseException) -> RunOutcome:
    if isinstance(exc, BudgetError):
        return RunOutcome.STOPPED
    return RunOutcome.FAILED if isinstance(exc, Exception) else RunOutcome.INTERRUPTED
