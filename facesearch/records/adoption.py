"""Faces written down by what a collection says of them, photos known by the beginning of their sha256 alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import (
    ColumnElement,
    String,
    Table,
    column,
    delete,
    exists,
    false,
    or_,
    select,
    update,
    values,
)

from facesearch.domain import FaceDetail, FaceRecord, PersonSpec, Photo, PhotoStatus
from facesearch.domain.adoption import PREFIX, Adoption, lost_name
from facesearch.records.faces import CHANGING, face_values
from facesearch.records.tables import (
    COLLECTIONS,
    FACES,
    INTENT,
    JOURNAL,
    MERGED,
    PEOPLE,
    PHOTOS,
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
            insert = self._insert(PEOPLE).on_conflict_do_nothing(index_elements=["id"])
            self._connection.execute(insert, rows)
        numbers = self._photos_like({one.photo for one in adoptions})
        before = self._photos_of(collection, [one.face.face_id for one in adoptions])
        self._upsert(
            FACES,
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
                (JOURNAL.c.collection == collection)
                & (JOURNAL.c.person == person)
                & (JOURNAL.c.photo == photo)
                & ~exists().where(
                    FACES.c.collection == collection, FACES.c.person == person, FACES.c.photo == photo
                ),
            )

    def _photos_of(self, collection: int, face_ids: Sequence[str]) -> set[tuple[str, int]]:
        """The people and photos that faces are on record for."""
        statement = select(FACES.c.person, FACES.c.photo).where(FACES.c.collection == collection)
        return {
            (person, photo)
            for some in chunks(face_ids)
            for person, photo in self._connection.execute(statement.where(FACES.c.face_id.in_(some)))
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
            statement = self._insert(JOURNAL)
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["collection", "person", "photo"],
                    set_={name: statement.excluded[name] for name in ("state", "reason", "settled_at")},
                    where=JOURNAL.c.state != PhotoStatus.ENROLLED.value,
                ),
                rows,
            )

    def add_lost_person(self, person_id: str, name: str) -> None:
        """Write down somebody of whom a collection knows no more than a name, unless they are on record."""
        moment = now()
        row = {"id": person_id, "name": name, "attributes": {}, "created_at": moment, "updated_at": moment}
        insert = self._insert(PEOPLE).on_conflict_do_nothing(index_elements=["id"])
        self._connection.execute(insert, [row])

    def end_photos(self, numbers: Sequence[int], status: PhotoStatus, reason: str) -> int:
        """Write down how enrolments ended that were begun; one that has ended meanwhile stays as it is."""
        statement = update(JOURNAL).values(state=status.value, reason=reason, settled_at=now())
        begun = statement.where(JOURNAL.c.state == INTENT)
        return sum(
            self._connection.execute(begun.where(JOURNAL.c.id.in_(some))).rowcount for some in chunks(numbers)
        )

    def recognise_photos(self, photos: Iterable[Photo]) -> None:
        """Give photos that were known by the beginning of their sha256 alone the whole of it, and their path."""
        seen = {photo.sha256[:PREFIX]: photo for photo in photos}
        for some in chunks(seen):
            known = select(PHOTOS.c.sha256, PHOTOS.c.id).where(PHOTOS.c.sha256.in_(some))
            for prefix, number in self._connection.execute(known).all():
                self._recognise(number, seen[prefix])

    def known_by_prefix(self, sha256s: Iterable[str]) -> dict[str, str]:
        """What stands for the photos that are known by the beginning of their sha256 alone."""
        whole = {sha256[:PREFIX]: sha256 for sha256 in sha256s}
        return {
            whole[prefix]: prefix
            for some in chunks(whole)
            for prefix in self._connection.scalars(select(PHOTOS.c.sha256).where(PHOTOS.c.sha256.in_(some)))
        }

    def _recognise(self, number: int, photo: Photo) -> None:
        whole = self._connection.scalar(select(PHOTOS.c.id).where(PHOTOS.c.sha256 == photo.sha256))
        chosen = PHOTOS.c.id == number
        if whole is None:
            self._connection.execute(
                update(PHOTOS).where(chosen).values(sha256=photo.sha256, path=photo.path)
            )
            return
        other = JOURNAL.alias()
        twice = exists().where(
            other.c.photo == whole,
            other.c.collection == JOURNAL.c.collection,
            other.c.person == JOURNAL.c.person,
        )
        self._connection.execute(delete(JOURNAL).where(JOURNAL.c.photo == number, twice))
        for table in (JOURNAL, FACES):
            self._connection.execute(update(table).where(table.c.photo == number).values(photo=whole))
        self._delete(PHOTOS, chosen)

    def name_lost_people(self, arn: str, shown: Sequence[tuple[str, PersonSpec]]) -> None:
        """Give people whose name was lost the name that is now said of a photo (by its sha256) of theirs."""
        for person_id, spec in self.names_of_lost_people(arn, shown).items():
            self._connection.execute(
                update(PEOPLE).where(PEOPLE.c.id == person_id).values(name=spec.name, updated_at=now())
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
                self._connection.scalar(select(exists().where(_called(one, spec))))
                for one in (PEOPLE, MERGED)
            ):
                found[person_id] = spec
        return found

    def _lost_people(self, arn: str, sha256s: Sequence[str]) -> dict[str, str]:
        """The one person of a collection that each photo shows, by its sha256, where their name was lost."""
        shown: dict[str, set[tuple[str, str]]] = {}
        here = select(COLLECTIONS.c.id).where(COLLECTIONS.c.arn == arn).scalar_subquery()
        statement = (
            select(PHOTOS.c.sha256, PEOPLE.c.id, PEOPLE.c.name)
            .join(FACES, FACES.c.photo == PHOTOS.c.id)
            .join(PEOPLE, PEOPLE.c.id == FACES.c.person)
            # An expression, so that SQLite begins with the photos and does not walk through the whole collection.
            .where(FACES.c.collection + 0 == here)
        )
        for some in chunks(sha256s):
            for sha256, id_, name in self._connection.execute(statement.where(PHOTOS.c.sha256.in_(some))):
                shown.setdefault(sha256, set()).add((id_, name))
        only = {sha256: next(iter(people)) for sha256, people in shown.items() if len(people) == 1}
        return {sha256: id_ for sha256, (id_, name) in only.items() if name == lost_name(id_)}

    def _photos_like(self, photos: Iterable[str]) -> dict[str, int]:
        """The row numbers of photos by the beginning of their sha256 (or what stands for it), made if need be."""
        wanted = sorted(photos)
        numbers: dict[str, int] = {}
        for some in chunks(wanted):
            asked = values(column("prefix", String), name="asked").data([(one,) for one in some]).cte("asked")
            found = select(asked.c.prefix, PHOTOS.c.id).join(
                PHOTOS, (PHOTOS.c.sha256 >= asked.c.prefix) & (PHOTOS.c.sha256 < asked.c.prefix.concat("g"))
            )
            numbers.update({row[0]: row[1] for row in self._connection.execute(found)})
        moment = now()
        missing = [
            {"sha256": one, "path": "", "first_seen_at": moment} for one in wanted if one not in numbers
        ]
        if missing:
            self._connection.execute(self._insert(PHOTOS), missing)
            named = select(PHOTOS.c.sha256, PHOTOS.c.id)
            for some in chunks(one for one in wanted if one not in numbers):
                numbers.update(
                    {
                        row[0]: row[1]
                        for row in self._connection.execute(named.where(PHOTOS.c.sha256.in_(some)))
                    }
                )
        return numbers


def _called(table: Table, spec: PersonSpec) -> ColumnElement[bool]:
    """Somebody with the name or the key that is said."""
    called: ColumnElement[bool] = table.c.name == spec.name
    return or_(called, table.c.key == spec.key) if spec.key else called
