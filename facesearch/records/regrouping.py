"""People made one, and faces that become somebody else's: what is on record of them moves, and what that means for
the collections is written down as changes that are about to be made.

An ExternalImageId says for ever whose a photo was when it was sent. So whose a face is, is what its record says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Table, func, insert, select, tuple_, update

from facesearch.domain import Change, ChangeState, Person, PhotoStatus
from facesearch.domain.adoption import PREFIX
from facesearch.domain.regrouping import Former, Moved
from facesearch.errors import UsageError
from facesearch.records.changes import ChangeRecords
from facesearch.records.people import PeopleRecords, check_person
from facesearch.records.tables import (
    CHANGES,
    COLLECTIONS,
    FACES,
    INTENT,
    JOURNAL,
    MERGED,
    PEOPLE,
    PHOTOS,
    SIGHTINGS,
    UNREAD,
    now,
)
from facesearch.records.unit import AnyRow, chunks

MOVED = "it was moved to another person (facesearch person split)"

_ENROLLED = PhotoStatus.ENROLLED.value
_WEIGHT = {_ENROLLED: 2, INTENT: 1}  # of two ends of one photo the weightier stays

_Place = tuple[int, int]  # row numbers of a collection and of a photo


class RegroupingRecords(ChangeRecords, PeopleRecords):
    """Merging and splitting people."""

    def merge_person(self, kept_id: str, other_id: str) -> Moved:
        """Make everything of a person another one's, and let what leads to them lead to the kept one."""
        other = self._connection.execute(select(PEOPLE).where(PEOPLE.c.id == other_id)).one()
        faces = self._faces(FACES.c.person == other_id)
        moved = self._move_faces(faces, other_id, kept_id)
        rows = select(JOURNAL).where(JOURNAL.c.person == other_id)
        self._move_journal(self._connection.execute(rows).all(), kept_id)
        sightings = self._rewrite(SIGHTINGS, SIGHTINGS.c.person == other_id, person=kept_id)
        self._rewrite(UNREAD, UNREAD.c.person == other_id, person=kept_id)
        self._rewrite(MERGED, MERGED.c.person == other_id, person=kept_id)
        merged = {"id": other_id, "name": other.name, "key": other.key, "person": kept_id}
        self._connection.execute(insert(MERGED), merged)
        self._delete(PEOPLE, PEOPLE.c.id == other_id)
        return Moved(moved.faces, moved.photos, sightings, moved.doubled)

    def split_faces(self, person_id: str, numbers: Sequence[int], to_id: str) -> Moved:
        """Make faces of a person (by row number) another one's, with their photos and where they were seen.

        That a photo is not the first one's stays written down, for an enrolment that meets it in their folder.
        """
        faces = [row for some in chunks(numbers) for row in self._faces(FACES.c.id.in_(some))]
        moved = self._move_faces(faces, person_id, to_id)
        left = self._places(person_id, {(row.collection, row.photo) for row in faces})
        leaving = {(row.collection, row.photo) for row in faces} - left
        rows = self._journal(person_id, leaving)
        gone = [
            {
                "run": row.run,
                "collection": row.collection,
                "person": person_id,
                "photo": row.photo,
                "state": PhotoStatus.ALREADY.value,
                "reason": MOVED,
                "intended_at": row.intended_at,
                "settled_at": now(),
            }
            for row in rows
        ]
        self._move_journal(rows, to_id)
        if gone:
            self._connection.execute(self._insert(JOURNAL), gone)
        sightings = 0
        for collection, some in _by_collection(faces):
            theirs = SIGHTINGS.c.face_id.in_([row.face_id for row in some])
            of_person = (SIGHTINGS.c.person == person_id) & (SIGHTINGS.c.collection == collection)
            sightings += self._rewrite(SIGHTINGS, of_person & theirs, person=to_id)
        return Moved(moved.faces, moved.photos, sightings, moved.doubled)

    def face_numbers(
        self,
        person_id: str,
        *,
        face_id: str | None = None,
        sha256: str | None = None,
        path: str | None = None,
    ) -> list[int]:
        """The faces of a person with that FaceId, or of a photo by its content or by its path: row numbers.

        Raises UsageError for a photo whose enrolment is not at its end.
        """
        statement = select(FACES.c.id, FACES.c.collection, FACES.c.photo).where(FACES.c.person == person_id)
        if face_id is not None:
            statement = statement.where(FACES.c.face_id == face_id)
        else:
            known = PHOTOS.c.path == path if path is not None else _is(sha256 or "")
            statement = statement.join(PHOTOS, PHOTOS.c.id == FACES.c.photo).where(known)
        found = self._connection.execute(statement.order_by(FACES.c.id)).all()
        if any(row.state == INTENT for row in self._journal(person_id, {(c, p) for _, c, p in found})):
            raise UsageError(
                "the photo's enrolment is not at its end: enrol it again, or run `facesearch reconcile --apply`"
            )
        return [number for number, _, _ in found]

    def face_total(self, person_id: str) -> int:
        """How many faces of a person there are in all collections."""
        counted = select(func.count()).select_from(FACES).where(FACES.c.person == person_id)
        return self._connection.scalar(counted) or 0

    def add_person(self, name: str) -> Person:
        """Put somebody new on record; whoever was merged under that name, and alone so, has their id again."""
        former = self._connection.execute(select(MERGED).where(MERGED.c.name == name)).all()
        if len(former) == 1:
            [row] = former
            added = Person(row.id, name, self._free(row.key), created_at=now())
            self._delete(MERGED, MERGED.c.id == row.id)
        else:
            added = Person(uuid4().hex, name, created_at=now())
        self._add([added])
        return added

    def formerly(self, person_ids: Sequence[str]) -> dict[str, list[Former]]:
        """Who was merged into each of these people, in that order; nobody stands for none."""
        found: defaultdict[str, list[Former]] = defaultdict(list)
        statement = select(MERGED).order_by(MERGED.c.merged_at, MERGED.c.id)
        for some in chunks(person_ids):
            for row in self._connection.execute(statement.where(MERGED.c.person.in_(some))):
                found[row.person].append(Former(row.id, row.name, row.key))
        return dict(found)

    def merged_into(self, person_ids: Iterable[str]) -> dict[str, str]:
        """Whom each of these ids leads to, of those that are a merged person's."""
        statement = select(MERGED.c.id, MERGED.c.person)
        return {
            id_: into
            for some in chunks(person_ids)
            for id_, into in self._connection.execute(statement.where(MERGED.c.id.in_(some)))
        }

    def add_formers(self, formers: Sequence[tuple[str, Former]]) -> None:
        """Let people who were merged elsewhere lead to these people (by id), unless they are on record here.

        Raises UsageError for what cannot be stored.
        """
        for _, former in formers:
            check_person(former.name, former.key, None, None)
        ids = [former.id for _, former in formers]
        known = {
            id_
            for some in chunks(ids)
            for id_ in self._connection.scalars(select(PEOPLE.c.id).where(PEOPLE.c.id.in_(some)))
        }
        moment = now()
        rows = [
            {"id": one.id, "name": one.name, "key": one.key, "person": whose, "merged_at": moment}
            for whose, one in formers
            if one.id not in known
        ]
        if rows:
            insert = self._insert(MERGED).on_conflict_do_nothing(index_elements=["id"])
            self._connection.execute(insert, rows)

    def _faces(self, chosen: ColumnElement[bool]) -> Sequence[Any]:
        columns = (FACES.c.id, FACES.c.collection, FACES.c.face_id, FACES.c.user_id, FACES.c.photo)
        where = (COLLECTIONS.c.arn, COLLECTIONS.c.collection_id, COLLECTIONS.c.users)
        statement = select(*columns, *where).join(COLLECTIONS, COLLECTIONS.c.id == FACES.c.collection)
        return self._connection.execute(statement.where(chosen).order_by(FACES.c.id)).all()

    def _move_faces(self, faces: Sequence[Any], from_id: str, to_id: str) -> Moved:
        """Faces leave the users they have. One of a photo that the other has a face of is to be deleted."""
        places = {(row.collection, row.photo) for row in faces}
        taken = self._places(to_id, places)
        doubled = [row.id for row in faces if (row.collection, row.photo) in taken]
        for some in chunks(doubled):
            self._delete(FACES, FACES.c.id.in_(some))
        for some in chunks(row.id for row in faces):
            self._rewrite(FACES, FACES.c.id.in_(some), person=to_id)
        for collection, some in _by_collection(faces):
            users = self._end_associations(collection, [row.face_id for row in some])
            users |= {row.face_id: row.user_id for row in some if row.user_id}
            changes = [Change("DisassociateFaces", *given) for given in users.items()]
            changes += [
                Change("DeleteFaces", row.face_id) for row in some if (collection, row.photo) in taken
            ]
            left = select(FACES.c.id).where(FACES.c.collection == collection, FACES.c.person == from_id)
            if some[0].users and self._connection.scalar(left.limit(1)) is None:
                changes.append(Change("DeleteUser", user_id=from_id))
            self.intend_changes(some[0].arn, changes)
        stay = Counter(row.collection_id for row in faces if (row.collection, row.photo) not in taken)
        return Moved(dict(stay), len(places), 0, len(doubled))

    def _end_associations(self, collection: int, face_ids: Sequence[str]) -> dict[str, str]:
        """Associations with users that were begun are not to be made; to whom, by FaceId: they may have been."""
        begun: dict[str, str] = {}
        for some in chunks(face_ids):
            chosen = (CHANGES.c.collection == collection) & (CHANGES.c.operation == "AssociateFaces")
            chosen &= (CHANGES.c.state == ChangeState.INTENT.value) & CHANGES.c.face_id.in_(some)
            found = self._connection.execute(select(CHANGES.c.face_id, CHANGES.c.user_id).where(chosen))
            begun |= {face_id: user_id for face_id, user_id in found if face_id and user_id}
            self._rewrite(CHANGES, chosen, state=ChangeState.DONE.value, reason=MOVED, settled_at=now())
        return begun

    def _places(self, person_id: str, places: Iterable[_Place]) -> set[_Place]:
        """Those of the photos in collections that a person has a face of."""
        pair = tuple_(FACES.c.collection, FACES.c.photo)
        statement = select(FACES.c.collection, FACES.c.photo).where(FACES.c.person == person_id)
        return {
            (collection, photo)
            for some in chunks(places)
            for collection, photo in self._connection.execute(statement.where(pair.in_(some)))
        }

    def _journal(self, person_id: str, places: Iterable[_Place]) -> list[AnyRow]:
        pair = tuple_(JOURNAL.c.collection, JOURNAL.c.photo)
        statement = select(JOURNAL).where(JOURNAL.c.person == person_id)
        return [
            row
            for some in chunks(places)
            for row in self._connection.execute(statement.where(pair.in_(some)))
        ]

    def _move_journal(self, rows: Sequence[AnyRow], to_id: str) -> None:
        """Make the ends of photos another person's; of two ends of one photo the weightier stays."""
        theirs = {
            (r.collection, r.photo): r for r in self._journal(to_id, [(r.collection, r.photo) for r in rows])
        }
        moving: list[int] = []
        leaving: list[int] = []
        for row in rows:
            other = theirs.get((row.collection, row.photo))
            if other is None or _WEIGHT.get(row.state, 0) > _WEIGHT.get(other.state, 0):
                moving.append(row.id)
                leaving += [] if other is None else [other.id]
            else:
                leaving.append(row.id)
        for some in chunks(leaving):
            self._delete(JOURNAL, JOURNAL.c.id.in_(some))
        for some in chunks(moving):
            self._rewrite(JOURNAL, JOURNAL.c.id.in_(some), person=to_id)

    def _rewrite(self, table: Table, chosen: ColumnElement[bool], **new: object) -> int:
        statement = update(table).where(chosen).values(**new)
        return self._connection.execute(statement).rowcount

    def _free(self, key: str | None) -> str | None:
        """The key, unless it is somebody else's by now."""
        taken = self._connection.scalar(select(PEOPLE.c.id).where(PEOPLE.c.key == key)) if key else None
        return None if taken else key


def _is(sha256: str) -> ColumnElement[bool]:
    """A photo by its content; one that came from a collection is known by the beginning of it alone."""
    return PHOTOS.c.sha256.in_([sha256, sha256[:PREFIX]])


def _by_collection(faces: Iterable[Any]) -> Iterable[tuple[int, list[Any]]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in faces:
        found[row.collection].append(row)
    return found.items()
