"""Enrolment runs and their journal: an intent before each call to the service, a settlement after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import uuid4

from sqlalchemy import ColumnElement, Integer, String, and_, bindparam, func, insert, select, update

from facesearch.domain import Intent, JournalEntry, OnMultiple, PhotoStatus, RunOutcome, Settlement
from facesearch.domain.files import FileState
from facesearch.errors import DatabaseError
from facesearch.records.faces import CHANGING, face_values
from facesearch.records.tables import (
    COLLECTIONS,
    FACES,
    FILES,
    INTENT,
    JOURNAL,
    PEOPLE,
    PHOTOS,
    RUNS,
    now,
)
from facesearch.records.unit import Unit, chunks

Pair = tuple[str, str]  # person id, sha256 of the photo

_STATUSES: dict[str, PhotoStatus | None] = {INTENT: None, **{status.value: status for status in PhotoStatus}}
_POLICIES: dict[str | None, OnMultiple] = {policy.value: policy for policy in OnMultiple}

# Expressions for the collections, so that SQLite begins with the photos and does not walk through all of one.
_FACE_OF_JOURNAL = and_(
    FACES.c.photo == JOURNAL.c.photo,
    FACES.c.person == JOURNAL.c.person,
    FACES.c.collection + 0 == JOURNAL.c.collection,
)


def _in_collection(arn: str) -> ColumnElement[bool]:
    """Joins photos to their journal in one collection."""
    collection = select(COLLECTIONS.c.id).where(COLLECTIONS.c.arn == arn).scalar_subquery()
    return and_(JOURNAL.c.photo == PHOTOS.c.id, JOURNAL.c.collection + 0 == collection)


class EnrolmentRecords(Unit):
    """Runs, and where each photo of each person stands in a collection."""

    def start_run(self, arn: str, source: str | None = None) -> str:
        """Begin an enrolment of `source` into a remembered collection, and name it (32 hex digits)."""
        run_id = uuid4().hex
        run = {"id": run_id, "collection": self._collection(arn), "source": source}
        self._connection.execute(insert(RUNS), run)
        return run_id

    def finish_run(
        self,
        run_id: str,
        counts: Mapping[PhotoStatus, int],
        outcome: RunOutcome = RunOutcome.FINISHED,
        reason: str | None = None,
    ) -> None:
        """Write down how and why a run ended, and how many photos ended in each status."""
        self._connection.execute(
            update(RUNS)
            .where(RUNS.c.id == run_id)
            .values(
                finished_at=now(),
                counts={status.value: count for status, count in counts.items()},
                outcome=outcome.value,
                reason=reason,
            )
        )

    def journal(self, arn: str, pairs: Sequence[Pair]) -> dict[Pair, JournalEntry]:
        """Where those photos of those people stand; a pair never tried is not in the answer."""
        photos = self.journal_of_photos(arn, [sha256 for _, sha256 in pairs])
        return {
            (person, sha256): photos[sha256][person]
            for person, sha256 in pairs
            if person in photos.get(sha256, ())
        }

    def journal_of_photos(self, arn: str, sha256s: Iterable[str]) -> dict[str, dict[str, JournalEntry]]:
        """Where those photos stand, by sha256 and then by the ids of the people whom they were tried for."""
        statement = (
            select(
                PHOTOS.c.sha256,
                JOURNAL.c.person,
                JOURNAL.c.state,
                JOURNAL.c.reason,
                JOURNAL.c.on_multiple,
                FACES.c.face_id,
                JOURNAL.c.bars,
                PEOPLE.c.name,
                PHOTOS.c.path,
                JOURNAL.c.run,
            )
            .select_from(PHOTOS)
            .join(JOURNAL, _in_collection(arn))
            .join(PEOPLE, PEOPLE.c.id == JOURNAL.c.person)
            .outerjoin(FACES, _FACE_OF_JOURNAL)
            .order_by(PHOTOS.c.sha256, FACES.c.id)  # should a photo have two faces, the newest is told
        )
        entries: dict[str, dict[str, JournalEntry]] = {}
        for photos in chunks(sha256s):
            found = self._connection.execute(statement.where(PHOTOS.c.sha256.in_(photos)))
            for sha256, person, state, reason, on_multiple, *rest in found.all():
                entries.setdefault(sha256, {})[person] = JournalEntry(
                    _STATUSES[state], reason, _POLICIES.get(on_multiple), *rest
                )
        return entries

    def journal_of_files(
        self, arn: str, ids: Sequence[str]
    ) -> dict[tuple[str, str], tuple[FileState, JournalEntry]]:
        """Where the photos stand that those files held when they were last read, and the state they had then.

        By the ids of the file and of the person whom the photo was tried for. The entries name neither the person
        nor the run.
        """
        statement = (
            select(
                FILES.c.id,
                JOURNAL.c.person,
                FILES.c.size,
                FILES.c.modified_ns,
                FILES.c.inode,
                JOURNAL.c.state,
                JOURNAL.c.reason,
                JOURNAL.c.on_multiple,
                FACES.c.face_id,
                JOURNAL.c.bars,
                PHOTOS.c.path,
            )
            .select_from(FILES)
            .join(PHOTOS, PHOTOS.c.sha256 == FILES.c.sha256)
            .join(JOURNAL, _in_collection(arn))
            .outerjoin(FACES, _FACE_OF_JOURNAL)
            .order_by(FILES.c.id, FACES.c.id)  # should a photo have two faces, the newest is told
        )
        return {
            (id_, person): (
                FileState(size, modified_ns, inode),
                JournalEntry(_STATUSES[state], reason, _POLICIES.get(on_multiple), face_id, bars, path=path),
            )
            for some in chunks(ids)
            for id_, person, size, modified_ns, inode, state, reason, on_multiple, face_id, bars, path in (
                self._connection.execute(statement.where(FILES.c.id.in_(some))).all()
            )
        }

    def intend(self, run_id: str, arn: str, intents: Sequence[Intent]) -> None:
        """Write down that the photos are about to be sent, and where their files were seen."""
        collection = self._collection(arn)
        paths = {intent.photo.sha256: intent.photo.path for intent in intents}
        moment = now()
        self._upsert(
            PHOTOS,
            [{"sha256": sha256, "path": path, "first_seen_at": moment} for sha256, path in paths.items()],
            unique=["sha256"],
            changed=["path"],
        )
        numbers = self._photo_numbers(paths)
        rows = {
            (intent.person_id, numbers[intent.photo.sha256]): {
                "run": run_id,
                "collection": collection,
                "person": intent.person_id,
                "photo": numbers[intent.photo.sha256],
                "state": INTENT,
                "reason": None,
                "on_multiple": intent.on_multiple.value,
                "bars": intent.bars,
                "intended_at": moment,
                "settled_at": None,
            }
            for intent in intents
        }
        self._upsert(
            JOURNAL,
            list(rows.values()),
            unique=["collection", "person", "photo"],
            changed=["run", "state", "reason", "on_multiple", "bars", "intended_at", "settled_at"],
        )

    def settle(self, arn: str, settlements: Sequence[Settlement]) -> None:
        """Write down how intended photos ended, and the faces that the collection now holds of them.

        Raises DatabaseError when an intent is gone, because another command deleted the person or the collection
        meanwhile.
        """
        collection = self._collection(arn)
        last = {(s.person_id, s.sha256): s for s in settlements}
        numbers = self._photo_numbers(sha256 for _, sha256 in last)
        rows = [(person, numbers[sha256], s) for (person, sha256), s in last.items() if sha256 in numbers]
        if len(rows) < len(last) or self._settle_journal(collection, rows) < len(rows):
            raise DatabaseError(
                "photos were being enrolled whose person or collection another command deleted: "
                "run the same command again"
            )
        faces = [
            {"collection": collection, "person": person, "photo": photo, **face_values(s.record)}
            for person, photo, s in rows
            if s.record
        ]
        self._upsert(FACES, faces, unique=["collection", "face_id"], changed=CHANGING)
        seen = [{"which": photo, "looks": s.dhash} for _, photo, s in rows if s.dhash]
        if seen:
            looking = update(PHOTOS).where(PHOTOS.c.id == bindparam("which"))
            self._connection.execute(looking.values(dhash=bindparam("looks")), seen)

    def _settle_journal(self, collection: int, rows: Sequence[tuple[str, int, Settlement]]) -> int:
        """Settle the journal of (person, photo number, settlement), and return how many intents there were."""
        if not rows:
            return 0
        statement = (
            update(JOURNAL)
            .where(JOURNAL.c.collection == collection, JOURNAL.c.person == bindparam("whose"))
            .where(JOURNAL.c.photo == bindparam("which"))
            .values(
                state=bindparam("status"),
                reason=bindparam("why"),
                attempts=JOURNAL.c.attempts + bindparam("tries"),
                calls=JOURNAL.c.calls + bindparam("answered"),
                milliseconds=func.coalesce(bindparam("took", type_=Integer), JOURNAL.c.milliseconds),
                request_id=func.coalesce(bindparam("named", type_=String), JOURNAL.c.request_id),
                settled_at=bindparam("at"),
            )
        )
        moment = now()
        values = [
            {
                "whose": person,
                "which": photo,
                "status": INTENT if s.open else s.status.value,
                "why": s.reason,
                "tries": s.attempts,
                "answered": s.calls,
                "took": s.call.milliseconds if s.call else None,
                "named": s.call.request_id if s.call else None,
                "at": None if s.open else moment,
            }
            for person, photo, s in rows
        ]
        return self._connection.execute(statement, values).rowcount

    def _photo_numbers(self, sha256s: Iterable[str]) -> dict[str, int]:
        """The row numbers of the photos that are known."""
        statement = select(PHOTOS.c.sha256, PHOTOS.c.id)
        return {
            sha256: number
            for some in chunks(sha256s)
            for sha256, number in self._connection.execute(statement.where(PHOTOS.c.sha256.in_(some)))
        }
