"""Faces written down by what a collection says of them, photos known by the beginning of their sha256 alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    String,
    column,
    delete,
    exists,
    false,
    or_,
    select,
    update,
    values,
)
from sqlalchemy.orm import aliased

from facesearch.domain import FaceDetail, FaceRecord, PersonSpec, Photo, PhotoStatus
from facesearch.domain.adoption import PREFIX, Adoption, lost_name
from facesearch.records.faces import CHANGING, face_values
from facesearch.records.tables import (
    INTENT,
    CollectionRow,
    FaceRow,
    JournalRow,
    MergedRow,
    PersonRow,
    PhotoRow,
    now,
)
from facesearch.records.unit import Unit, chunks

_ADOPTED = "it was found in the collection"


class AdoptionRecords(Unit):
    """Faces, people and photos that came to the records from a collection."""

    def adopt_faces(self, arn: str, run_id: str, adoptions: Sequence[Adoption]) -> None:
        """Write down faces that a remembered collection holds, their people, and that their photos are enrolled.

        People and photos that are known stay as they are. A face that is known is written anew; if it was another
        photo's, that one may be enrolled again.
        """
        collection = self._collection(arn)
        moment = now()
        people = {one.person_id: one.name for one in adoptions}
        rows = [
            {"id": id_, "name": name, "attributes": {}, "created_at": moment, "updated_at": moment}
            for id_, name in people.items()
        ]
        if rows:
            insert = self._insert(PersonRow).on_conflict_do_nothing(index_elements=["id"])
            self._session.connection().execute(insert, rows)
        numbers = self._photos_like({one.photo for one in adoptions})
        before = self._photos_of(collection, [one.face.face_id for one in adoptions])
        self._upsert(
            FaceRow,
            [
                {
                    "collection": collection,
                    "person": one.person_id,
                    "photo": numbers[one.photo],
                    **face_values(FaceRecord(one.face, FaceDetail(one.face.box, one.face.confidence))),
                }
                for one in adoptions
            ],
            unique=["collection", "face_id"],
            changed=CHANGING,
        )
        enrolled = {(one.person_id, numbers[one.photo]) for one in adoptions if len(one.photo) == PREFIX}
        self._enrol(collection, run_id, enrolled)
        for person, photo in before - {(one.person_id, numbers[one.photo]) for one in adoptions}:
            self._erase(
                false(),
                (JournalRow.collection == collection)
                & (JournalRow.person == person)
                & (JournalRow.photo == photo)
                & ~exists().where(
                    FaceRow.collection == collection, FaceRow.person == person, FaceRow.photo == photo
                ),
            )

    def _photos_of(self, collection: int, face_ids: Sequence[str]) -> set[tuple[str, int]]:
        """The people and photos that faces are on record for."""
        statement = select(FaceRow.person, FaceRow.photo).where(FaceRow.collection == collection)
        return {
            (person, photo)
            for some in chunks(face_ids)
            for person, photo in self._session.execute(statement.where(FaceRow.face_id.in_(some)))
        }

    def _enrol(self, collection: int, run_id: str, photos: Iterable[tuple[str, int]]) -> None:
        """Write down that photos of people are enrolled, so that they are not sent again."""
        moment = now()
        rows = [
            {
                "run": run_id,
                "collection": collection,
                "person": person,
                "photo": photo,
                "state": PhotoStatus.ENROLLED.value,
                "reason": _ADOPTED,
                "intended_at": moment,
                "settled_at": moment,
            }
            for person, photo in photos
        ]
        if rows:
            statement = self._insert(JournalRow)
            self._session.connection().execute(
                statement.on_conflict_do_update(
                    index_elements=["collection", "person", "photo"],
                    set_={name: statement.excluded[name] for name in ("state", "reason", "settled_at")},
                    where=JournalRow.state != PhotoStatus.ENROLLED.value,
                ),
                rows,
            )

    def add_lost_person(self, person_id: str, name: str) -> None:
        """Write down somebody of whom a collection knows no more than a name, unless they are on record."""
        moment = now()
        row = {"id": person_id, "name": name, "attributes": {}, "created_at": moment, "updated_at": moment}
        insert = self._insert(PersonRow).on_conflict_do_nothing(index_elements=["id"])
        self._session.connection().execute(insert, [row])

    def drop_faces(self, arn: str, face_ids: Sequence[str]) -> None:
        """Delete the records of faces, and nothing of the enrolment of their photos."""
        collection = select(CollectionRow.id).where(CollectionRow.arn == arn).scalar_subquery()
        for some in chunks(face_ids):
            self._delete(FaceRow, FaceRow.collection == collection, FaceRow.face_id.in_(some))

    def end_photos(self, numbers: Sequence[int], status: PhotoStatus, reason: str) -> int:
        """Write down how enrolments ended that were begun; one that has ended meanwhile stays as it is."""
        statement = update(JournalRow).values(state=status.value, reason=reason, settled_at=now())
        return sum(
            cast(
                "CursorResult[Any]",
                self._session.execute(
                    statement.where(JournalRow.id.in_(some), JournalRow.state == INTENT).execution_options(
                        synchronize_session=False
                    )
                ),
            ).rowcount
            for some in chunks(numbers)
        )

    def recognise_photos(self, photos: Iterable[Photo]) -> None:
        """Give photos that were known by the beginning of their sha256 alone the whole of it, and their path."""
        seen = {photo.sha256[:PREFIX]: photo for photo in photos}
        for some in chunks(seen):
            known = select(PhotoRow.sha256, PhotoRow.id).where(PhotoRow.sha256.in_(some))
            for prefix, number in self._session.execute(known).all():
                self._recognise(number, seen[prefix])

    def known_by_prefix(self, sha256s: Iterable[str]) -> dict[str, str]:
        """What stands for the photos that are known by the beginning of their sha256 alone."""
        whole = {sha256[:PREFIX]: sha256 for sha256 in sha256s}
        return {
            whole[prefix]: prefix
            for some in chunks(whole)
            for prefix in self._session.scalars(select(PhotoRow.sha256).where(PhotoRow.sha256.in_(some)))
        }

    def _recognise(self, number: int, photo: Photo) -> None:
        whole = self._session.scalar(select(PhotoRow.id).where(PhotoRow.sha256 == photo.sha256))
        chosen = PhotoRow.id == number
        if whole is None:
            self._session.execute(update(PhotoRow).where(chosen).values(sha256=photo.sha256, path=photo.path))
            return
        other = aliased(JournalRow)
        twice = exists().where(
            other.photo == whole, other.collection == JournalRow.collection, other.person == JournalRow.person
        )
        self._session.execute(
            delete(JournalRow)
            .where(JournalRow.photo == number, twice)
            .execution_options(synchronize_session=False)
        )
        for table in (JournalRow, FaceRow):
            self._session.execute(
                update(table)
                .where(table.photo == number)
                .values(photo=whole)
                .execution_options(synchronize_session=False)
            )
        self._delete(PhotoRow, chosen)

    def name_lost_people(self, arn: str, shown: Sequence[tuple[str, PersonSpec]]) -> None:
        """Give people whose name was lost the name that is now said of a photo (by its sha256) of theirs."""
        for person_id, spec in self.names_of_lost_people(arn, shown).items():
            self._session.execute(
                update(PersonRow).where(PersonRow.id == person_id).values(name=spec.name, updated_at=now())
            )

    def names_of_lost_people(
        self, arn: str, shown: Sequence[tuple[str, PersonSpec]]
    ) -> dict[str, PersonSpec]:
        """Who is whom among people whose name was lost, by person id, as photos of theirs say now.

        Nobody gets a name that somebody has, or had before they were merged, nor one of several that are said, nor
        by a photo that shows several.
        """
        found: dict[str, PersonSpec] = {}
        candidates = self._lost_people(arn, [sha256 for sha256, _ in shown])
        said: dict[str, dict[str, PersonSpec]] = {}  # person id -> name -> who that is
        for sha256, spec in shown:
            if person_id := candidates.get(sha256):
                said.setdefault(person_id, {})[spec.name] = spec
        by_name: dict[str, set[str]] = {}
        for person_id, specs in said.items():
            for name in specs:
                by_name.setdefault(name, set()).add(person_id)
        for name, people in by_name.items():
            [person_id, *others] = people
            if others or len(said[person_id]) > 1:
                continue
            spec = said[person_id][name]
            if not any(
                self._session.scalar(select(exists().where(_called(one, spec))))
                for one in (PersonRow, MergedRow)
            ):
                found[person_id] = spec
        return found

    def _lost_people(self, arn: str, sha256s: Sequence[str]) -> dict[str, str]:
        """The one person of a collection that each photo shows, by its sha256, where their name was lost."""
        shown: dict[str, set[tuple[str, str]]] = {}
        here = select(CollectionRow.id).where(CollectionRow.arn == arn).scalar_subquery()
        statement = (
            select(PhotoRow.sha256, PersonRow.id, PersonRow.name)
            .join(FaceRow, FaceRow.photo == PhotoRow.id)
            .join(PersonRow, PersonRow.id == FaceRow.person)
            # An expression, so that SQLite begins with the photos and does not walk through the whole collection.
            .where(FaceRow.collection + 0 == here)
        )
        for some in chunks(sha256s):
            for sha256, id_, name in self._session.execute(statement.where(PhotoRow.sha256.in_(some))):
                shown.setdefault(sha256, set()).add((id_, name))
        only = {sha256: next(iter(people)) for sha256, people in shown.items() if len(people) == 1}
        return {sha256: id_ for sha256, (id_, name) in only.items() if name == lost_name(id_)}

    def _photos_like(self, photos: Iterable[str]) -> dict[str, int]:
        """The row numbers of photos by the beginning of their sha256 (or what stands for it), made if need be."""
        wanted = sorted(photos)
        numbers: dict[str, int] = {}
        for some in chunks(wanted):
            asked = values(column("prefix", String), name="asked").data([(one,) for one in some]).cte("asked")
            found = select(asked.c.prefix, PhotoRow.id).join(
                PhotoRow, (PhotoRow.sha256 >= asked.c.prefix) & (PhotoRow.sha256 < asked.c.prefix.concat("g"))
            )
            numbers.update({row[0]: row[1] for row in self._session.execute(found)})
        moment = now()
        missing = [
            {"sha256": one, "path": "", "first_seen_at": moment} for one in wanted if one not in numbers
        ]
        if missing:
            self._session.connection().execute(self._insert(PhotoRow), missing)
            named = select(PhotoRow.sha256, PhotoRow.id)
            for some in chunks(one for one in wanted if one not in numbers):
                numbers.update(
                    {row[0]: row[1] for row in self._session.execute(named.where(PhotoRow.sha256.in_(some)))}
                )
        return numbers


def _called(table: type[PersonRow] | type[MergedRow], spec: PersonSpec) -> ColumnElement[bool]:
    """Somebody with the name or the key that is said."""
    return or_(table.name == spec.name, table.key == spec.key) if spec.key else table.name == spec.name
