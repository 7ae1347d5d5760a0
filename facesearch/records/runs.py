"""What the records tell of runs: how they went, and which photos are to be enrolled still."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, and_, delete, false, select

from facesearch.domain import (
    OnMultiple,
    PhotoOutcome,
    PhotoStatus,
    Run,
    RunOutcome,
    RunPhoto,
    UnfinishedPhoto,
)
from facesearch.records.people import WHOSE, person
from facesearch.records.tables import (
    COLLECTIONS,
    INTENT,
    JOURNAL,
    PEOPLE,
    PHOTOS,
    RUNS,
    UNFINISHED,
    UNREAD,
    now,
)
from facesearch.records.unit import AnyRow, Unit, chunks, path_id

BEGINNING = re.compile("[0-9a-f]{1,32}")


class RunRecords(Unit):
    """Runs and their photos."""

    def runs(self, collection_id: str | None = None) -> Iterator[Run]:
        """Every run, or those into collections of that CollectionId, the newest first.

        Rows are read as they are asked for, so the transaction must stay open as long as the iteration runs.
        """
        statement = _runs()
        if collection_id is not None:
            statement = statement.where(COLLECTIONS.c.collection_id == collection_id)
        with self._connection.execute(statement.execution_options(yield_per=1000)) as rows:
            for row in rows:
                yield _run(row)

    def find_runs(self, beginning: str) -> list[Run]:
        """Up to two runs, the newest first, whose id begins so."""
        if not BEGINNING.fullmatch(beginning):
            return []
        statement = _runs().where(RUNS.c.id.startswith(beginning)).limit(2)
        return [_run(row) for row in self._connection.execute(statement)]

    def run_photos(self, run_id: str) -> Iterator[RunPhoto]:
        """Where the photos stand that the run was the last to deal with, in the order of their first intent.

        After them come the files that could not be read. The transaction must stay open meanwhile.
        """
        journaled = (
            select(JOURNAL, *WHOSE, PHOTOS.c.path)
            .select_from(JOURNAL)
            .join(PEOPLE, PEOPLE.c.id == JOURNAL.c.person)
            .join(PHOTOS, PHOTOS.c.id == JOURNAL.c.photo)
            .where(JOURNAL.c.run == run_id)
            .order_by(JOURNAL.c.id)
        )
        unread: Select[*tuple[Any, ...]] = (
            select(UNREAD, *WHOSE)
            .select_from(UNREAD)
            .outerjoin(PEOPLE, PEOPLE.c.id == UNREAD.c.person)
            .where(UNREAD.c.run == run_id)
            .order_by(UNREAD.c.id)
        )
        with self._connection.execute(journaled.execution_options(yield_per=1000)) as rows:
            for row in rows:
                yield RunPhoto(
                    row.path,
                    person(row),
                    None if row.state == INTENT else PhotoStatus(row.state),
                    row.reason,
                    row.attempts,
                    row.calls,
                    row.milliseconds,
                    row.request_id,
                    row.intended_at,
                    row.settled_at,
                )
        with self._connection.execute(unread.execution_options(yield_per=1000)) as files:
            for file in files:
                yield RunPhoto(
                    file.path,
                    None if file.person is None else person(file),
                    PhotoStatus(file.state),
                    file.reason,
                    settled_at=file.seen_at,
                )

    def open_intents(self, arn: str, after: int = 0, limit: int = 1000) -> list[UnfinishedPhoto]:
        """Photos that were about to be sent, a page of them; `after` is the last number of the page before."""
        return self._journaled(_unfinished(arn, after, limit).where(JOURNAL.c.state == INTENT))

    def unfinished(self, arn: str, after: int = 0, limit: int = 1000) -> list[UnfinishedPhoto]:
        """The same for photos that failed or whose file was no photo as well."""
        return self._journaled(_unfinished(arn, after, limit))

    def unread(self, arn: str, after: int = 0, limit: int = 1000) -> list[UnfinishedPhoto]:
        """Files that could not be read and whose person is known, a page of them."""
        statement = (
            select(UNREAD, *WHOSE)
            .select_from(UNREAD)
            .join(PEOPLE, PEOPLE.c.id == UNREAD.c.person)
            .join(COLLECTIONS, COLLECTIONS.c.id == UNREAD.c.collection)
            .where(COLLECTIONS.c.arn == arn, UNREAD.c.id > after)
            .order_by(UNREAD.c.id)
            .limit(limit)
        )
        return [UnfinishedPhoto(row.id, row.path, person(row)) for row in self._connection.execute(statement)]

    def set_aside(self, run_id: str, arn: str, files: Sequence[tuple[PhotoOutcome, str | None]]) -> None:
        """Write down files that could not be read, each with its person's id."""
        collection, moment = self._collection(arn), now()
        rows = {
            here: {
                "run": run_id,
                "collection": collection,
                "person": person_id,
                "path": outcome.path,
                "path_id": here,
                "state": outcome.status.value,
                "reason": outcome.reason,
                "seen_at": moment,
            }
            for outcome, person_id in files
            if (here := path_id(outcome.path))
        }
        changed = ("run", "person", "state", "reason", "seen_at")
        self._upsert(UNREAD, list(rows.values()), unique=["collection", "path_id"], changed=changed)

    def unread_among(self, arn: str, paths: Iterable[str]) -> set[str]:
        """Those of the paths whose files could not be read. They are not asked for where every file could."""
        collection = self._collection(arn)
        unread = select(UNREAD.c.path).where(UNREAD.c.collection == collection)
        if self._connection.scalar(unread.limit(1)) is None:
            return set()
        return {
            path
            for some in chunks(map(path_id, paths))
            for path in self._connection.scalars(unread.where(UNREAD.c.path_id.in_(some)))
        }

    def take_up(self, arn: str, paths: Sequence[str]) -> None:
        """Forget that these files could not be read."""
        collection = self._collection(arn)
        for some in chunks(map(path_id, paths)):
            self._connection.execute(
                delete(UNREAD).where(UNREAD.c.collection == collection, UNREAD.c.path_id.in_(some))
            )

    def forget_photos(self, arn: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Forget photos that failed, by person and sha256, and whose files hold something else by now.

        An open intent stays: the service may have a face of it.
        """
        for person_id, digest in pairs:
            collection = select(COLLECTIONS.c.id).where(COLLECTIONS.c.arn == arn).scalar_subquery()
            photo = select(PHOTOS.c.id).where(PHOTOS.c.sha256 == digest).scalar_subquery()
            chosen = and_(
                JOURNAL.c.collection == collection,
                JOURNAL.c.person == person_id,
                JOURNAL.c.photo == photo,
                JOURNAL.c.state.in_([PhotoStatus.FAILED.value, PhotoStatus.UNREADABLE.value]),
            )
            self._erase(false(), chosen)

    def _journaled(self, statement: Select[*tuple[Any, ...]]) -> list[UnfinishedPhoto]:
        return [
            UnfinishedPhoto(
                row.id,
                row.path,
                person(row),
                row.sha256,
                OnMultiple(row.on_multiple) if row.on_multiple else OnMultiple.AUTO,
            )
            for row in self._connection.execute(statement)
        ]


def _unfinished(arn: str, after: int, limit: int) -> Select[*tuple[Any, ...]]:
    return (
        select(JOURNAL, *WHOSE, PHOTOS.c.sha256, PHOTOS.c.path)
        .select_from(JOURNAL)
        .join(PEOPLE, PEOPLE.c.id == JOURNAL.c.person)
        .join(PHOTOS, PHOTOS.c.id == JOURNAL.c.photo)
        .join(COLLECTIONS, COLLECTIONS.c.id == JOURNAL.c.collection)
        .where(COLLECTIONS.c.arn == arn, UNFINISHED, JOURNAL.c.id > after)
        .order_by(JOURNAL.c.id)
        .limit(limit)
    )


def _runs() -> Select[*tuple[Any, ...]]:
    return (
        select(RUNS, COLLECTIONS.c.collection_id)
        .select_from(RUNS)
        .join(COLLECTIONS, COLLECTIONS.c.id == RUNS.c.collection)
        .order_by(RUNS.c.started_at.desc(), RUNS.c.id)
    )


def _run(row: AnyRow) -> Run:
    counts = row.counts
    return Run(
        id=row.id,
        collection_id=row.collection_id,
        started_at=row.started_at,
        finished_at=row.finished_at,
        source=row.source,
        outcome=_outcome(row),
        reason=row.reason,
        counts=None if counts is None else {PhotoStatus(name): number for name, number in counts.items()},
    )


def _outcome(row: AnyRow) -> RunOutcome | None:
    """Runs of before outcomes were written down have their time alone."""
    if row.outcome:
        return RunOutcome(row.outcome)
    return RunOutcome.FINISHED if row.finished_at else None
