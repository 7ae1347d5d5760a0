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
from facesearch.records.people import person
from facesearch.records.tables import (
    INTENT,
    UNFINISHED,
    CollectionRow,
    JournalRow,
    PersonRow,
    PhotoRow,
    RunRow,
    UnreadRow,
    now,
)
from facesearch.records.unit import Unit, chunks, path_id

BEGINNING = re.compile("[0-9a-f]{1,32}")


class RunRecords(Unit):
    """Runs and their photos."""

    def runs(self, collection_id: str | None = None) -> Iterator[Run]:
        """Every run, or those into collections of that CollectionId, the newest first.

        Rows are read as they are asked for, so the transaction must stay open as long as the iteration runs.
        """
        statement = _runs()
        if collection_id is not None:
            statement = statement.where(CollectionRow.collection_id == collection_id)
        with self._session.execute(statement.execution_options(yield_per=1000)) as rows:
            for row in rows:
                yield _run(*row)

    def find_runs(self, beginning: str) -> list[Run]:
        """Up to two runs, the newest first, whose id begins so."""
        if not BEGINNING.fullmatch(beginning):
            return []
        statement = _runs().where(RunRow.id.startswith(beginning)).limit(2)
        return [_run(*row) for row in self._session.execute(statement)]

    def run_photos(self, run_id: str) -> Iterator[RunPhoto]:
        """Where the photos stand that the run was the last to deal with, in the order of their first intent.

        After them come the files that could not be read. The transaction must stay open meanwhile.
        """
        journaled = (
            select(JournalRow, PersonRow, PhotoRow.path)
            .join(PersonRow, PersonRow.id == JournalRow.person)
            .join(PhotoRow, PhotoRow.id == JournalRow.photo)
            .where(JournalRow.run == run_id)
            .order_by(JournalRow.id)
        )
        unread: Select[*tuple[Any, ...]] = (
            select(UnreadRow, PersonRow)
            .outerjoin(PersonRow, PersonRow.id == UnreadRow.person)
            .where(UnreadRow.run == run_id)
            .order_by(UnreadRow.id)
        )
        with self._session.execute(journaled.execution_options(yield_per=1000)) as rows:
            for row, whose, path in rows:
                yield RunPhoto(
                    path,
                    person(whose),
                    None if row.state == INTENT else PhotoStatus(row.state),
                    row.reason,
                    row.attempts,
                    row.calls,
                    row.milliseconds,
                    row.request_id,
                    row.intended_at,
                    row.settled_at,
                )
        with self._session.execute(unread.execution_options(yield_per=1000)) as files:
            for file, shown in files:
                yield RunPhoto(
                    file.path,
                    None if shown is None else person(shown),
                    PhotoStatus(file.state),
                    file.reason,
                    settled_at=file.seen_at,
                )

    def open_intents(self, arn: str, after: int = 0, limit: int = 1000) -> list[UnfinishedPhoto]:
        """Photos that were about to be sent, a page of them; `after` is the last number of the page before."""
        return self._journaled(_unfinished(arn, after, limit).where(JournalRow.state == INTENT))

    def unfinished(self, arn: str, after: int = 0, limit: int = 1000) -> list[UnfinishedPhoto]:
        """The same for photos that failed or whose file was no photo as well."""
        return self._journaled(_unfinished(arn, after, limit))

    def unread(self, arn: str, after: int = 0, limit: int = 1000) -> list[UnfinishedPhoto]:
        """Files that could not be read and whose person is known, a page of them."""
        statement = (
            select(UnreadRow, PersonRow)
            .join(PersonRow, PersonRow.id == UnreadRow.person)
            .join(CollectionRow, CollectionRow.id == UnreadRow.collection)
            .where(CollectionRow.arn == arn, UnreadRow.id > after)
            .order_by(UnreadRow.id)
            .limit(limit)
        )
        return [
            UnfinishedPhoto(row.id, row.path, person(whose))
            for row, whose in self._session.execute(statement)
        ]

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
        self._upsert(UnreadRow, list(rows.values()), unique=["collection", "path_id"], changed=changed)

    def unread_among(self, arn: str, paths: Iterable[str]) -> set[str]:
        """Those of the paths whose files could not be read. They are not asked for where every file could."""
        collection = self._collection(arn)
        unread = select(UnreadRow.path).where(UnreadRow.collection == collection)
        if self._session.scalar(unread.limit(1)) is None:
            return set()
        return {
            path
            for some in chunks(map(path_id, paths))
            for path in self._session.scalars(unread.where(UnreadRow.path_id.in_(some)))
        }

    def take_up(self, arn: str, paths: Sequence[str]) -> None:
        """Forget that these files could not be read."""
        collection = self._collection(arn)
        for some in chunks(map(path_id, paths)):
            self._session.execute(
                delete(UnreadRow).where(UnreadRow.collection == collection, UnreadRow.path_id.in_(some))
            )

    def forget_photos(self, arn: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Forget photos that failed, by person and sha256, and whose files hold something else by now.

        An open intent stays: the service may have a face of it.
        """
        for person_id, digest in pairs:
            collection = select(CollectionRow.id).where(CollectionRow.arn == arn).scalar_subquery()
            photo = select(PhotoRow.id).where(PhotoRow.sha256 == digest).scalar_subquery()
            chosen = and_(
                JournalRow.collection == collection,
                JournalRow.person == person_id,
                JournalRow.photo == photo,
                JournalRow.state.in_([PhotoStatus.FAILED.value, PhotoStatus.UNREADABLE.value]),
            )
            self._erase(false(), chosen)

    def _journaled(self, statement: Select[*tuple[Any, ...]]) -> list[UnfinishedPhoto]:
        return [
            UnfinishedPhoto(
                row.id,
                photo.path,
                person(whose),
                photo.sha256,
                OnMultiple(row.on_multiple) if row.on_multiple else OnMultiple.AUTO,
            )
            for row, whose, photo in self._session.execute(statement)
        ]


def _unfinished(arn: str, after: int, limit: int) -> Select[*tuple[Any, ...]]:
    return (
        select(JournalRow, PersonRow, PhotoRow)
        .join(PersonRow, PersonRow.id == JournalRow.person)
        .join(PhotoRow, PhotoRow.id == JournalRow.photo)
        .join(CollectionRow, CollectionRow.id == JournalRow.collection)
        .where(CollectionRow.arn == arn, UNFINISHED, JournalRow.id > after)
        .order_by(JournalRow.id)
        .limit(limit)
    )


def _runs() -> Select[*tuple[Any, ...]]:
    return (
        select(RunRow, CollectionRow.collection_id)
        .join(CollectionRow, CollectionRow.id == RunRow.collection)
        .order_by(RunRow.started_at.desc(), RunRow.id)
    )


def _run(row: RunRow, collection_id: str) -> Run:
    counts = row.counts
    return Run(
        id=row.id,
        collection_id=collection_id,
        started_at=row.started_at,
        finished_at=row.finished_at,
        source=row.source,
        outcome=_outcome(row),
        reason=row.reason,
        counts=None if counts is None else {PhotoStatus(name): number for name, number in counts.items()},
    )


def _outcome(row: RunRow) -> RunOutcome | None:
    """Runs of before outcomes were written down have their time alone."""
    if row.outcome:
        return RunOutcome(row.outcome)
    return RunOutcome.FINISHED if row.finished_at else None
