"""What the records say of collections, for holding it against what the service says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, String, and_, column, exists, func, select, values

from facesearch.domain import OnMultiple
from facesearch.domain.adoption import PERSON_ID, PREFIX
from facesearch.domain.changes import ChangeState
from facesearch.domain.erasure import ERASE_PERSON
from facesearch.domain.reconciliation import (
    LastRun,
    NamedPhoto,
    OpenPhoto,
    RecordedCollection,
    RecordedFace,
)
from facesearch.records.collections import collection_of
from facesearch.records.tables import (
    CHANGES,
    COLLECTIONS,
    FACES,
    INTENT,
    JOURNAL,
    PEOPLE,
    PHOTOS,
    RUNS,
)
from facesearch.records.unit import Unit, chunks

Named = tuple[str, str]  # a person id, and the beginning of a photo's sha256


class ReconciliationRecords(Unit):
    """Collections as the records know them."""

    def recorded_collections(self) -> list[RecordedCollection]:
        """Every collection of every engine that the records know, in numbers; by CollectionId."""
        faces = self._by_collection(
            select(
                FACES.c.collection,
                func.count(),
                func.count(FACES.c.person.distinct()),
                func.count(FACES.c.photo.distinct()),
            ).group_by(FACES.c.collection)
        )
        photos = self._by_collection(
            select(JOURNAL.c.collection, func.count())
            .where(JOURNAL.c.state == INTENT)
            .group_by(JOURNAL.c.collection)
        )
        changes = self._by_collection(
            select(CHANGES.c.collection, func.count())
            .where(CHANGES.c.state == ChangeState.INTENT.value)
            .group_by(CHANGES.c.collection)
        )
        runs = self._last_runs()
        known = []
        remembered = select(COLLECTIONS).order_by(COLLECTIONS.c.collection_id, COLLECTIONS.c.id)
        for row in self._connection.execute(remembered).all():
            face_count, people, photo_count = faces.get(row.id, (0, 0, 0))
            [open_photos], [open_changes] = photos.get(row.id, (0,)), changes.get(row.id, (0,))
            known.append(
                RecordedCollection(
                    collection_of(row),
                    face_count,
                    people,
                    photo_count,
                    open_photos,
                    open_changes,
                    runs.get(row.id),
                )
            )
        return known

    def recorded_faces(self, arn: str, face_ids: Sequence[str]) -> dict[str, RecordedFace]:
        """Those of the faces that are on record, by FaceId."""
        statement = _recorded(arn)
        return {
            row[1]: RecordedFace(*row[1:])
            for some in chunks(face_ids)
            for row in self._connection.execute(statement.where(FACES.c.face_id.in_(some)))
        }

    def recorded_face_count(self, arn: str) -> int:
        """How many faces of the collection are on record."""
        counted = select(func.count()).select_from(FACES).join(COLLECTIONS)
        return self._connection.scalar(counted.where(COLLECTIONS.c.arn == arn)) or 0

    def recorded_page(self, arn: str, after: str, limit: int) -> list[RecordedFace]:
        """Faces on record by FaceId, after the one that the last page ended with; "" for the first page."""
        collection = select(COLLECTIONS.c.id).where(COLLECTIONS.c.arn == arn).scalar_subquery()
        mine = (FACES.c.collection == collection) & (FACES.c.face_id > after)
        rows = self._connection.execute(_recorded(arn).where(mine).order_by(FACES.c.face_id).limit(limit))
        return [RecordedFace(*row[1:]) for row in rows]

    def named_photos(self, arn: str, pairs: Sequence[Named]) -> dict[Named, NamedPhoto]:
        """What is known of the photos that ExternalImageIds name; pairs of unknown people are left out."""
        found: dict[Named, NamedPhoto] = {}
        for some in chunks(pairs):
            for person, prefix, *known in self._connection.execute(self._named(arn, some)):
                if (person, prefix) not in found or known[-1] is not None:
                    found[person, prefix] = NamedPhoto(*known)
        return found

    def _named(self, arn: str, pairs: Sequence[Named]) -> Select[*tuple[Any, ...]]:
        """Photos are looked up by the beginning of their sha256 in its index; "g" comes after every digit."""
        wanted = (
            values(column("person", String), column("prefix", String), name="wanted")
            .data(list(pairs))
            .cte("wanted")
        )
        collection = select(COLLECTIONS.c.id).where(COLLECTIONS.c.arn == arn).scalar_subquery()
        here = and_(PHOTOS.c.sha256 >= wanted.c.prefix, PHOTOS.c.sha256 < wanted.c.prefix.concat("g"))
        return (
            select(
                wanted.c.person,
                wanted.c.prefix,
                PEOPLE.c.name,
                PHOTOS.c.path,
                JOURNAL.c.state,
                JOURNAL.c.reason,
                FACES.c.face_id,
            )
            .join(PEOPLE, PEOPLE.c.id == wanted.c.person)
            .outerjoin(PHOTOS, here)
            .outerjoin(
                JOURNAL,
                and_(
                    JOURNAL.c.collection == collection,
                    JOURNAL.c.person == wanted.c.person,
                    JOURNAL.c.photo == PHOTOS.c.id,
                ),
            )
            .outerjoin(
                FACES,
                and_(
                    FACES.c.collection == collection,
                    FACES.c.person == wanted.c.person,
                    FACES.c.photo == PHOTOS.c.id,
                ),
            )
        )

    def open_photos(self, arn: str) -> list[OpenPhoto]:
        """Enrolments that were begun and have no end: as many as were under way when something stopped them."""
        statement = (
            select(
                JOURNAL.c.id,
                PEOPLE.c.id,
                PEOPLE.c.name,
                PHOTOS.c.sha256,
                PHOTOS.c.path,
                JOURNAL.c.on_multiple,
                func.min(FACES.c.face_id),
            )
            .join(COLLECTIONS, COLLECTIONS.c.id == JOURNAL.c.collection)
            .join(PEOPLE, PEOPLE.c.id == JOURNAL.c.person)
            .join(PHOTOS, PHOTOS.c.id == JOURNAL.c.photo)
            .outerjoin(
                FACES,
                and_(
                    FACES.c.collection == JOURNAL.c.collection,
                    FACES.c.person == JOURNAL.c.person,
                    FACES.c.photo == JOURNAL.c.photo,
                ),
            )
            .where(COLLECTIONS.c.arn == arn, JOURNAL.c.state == INTENT)
            .group_by(JOURNAL.c.id, PEOPLE.c.id, PHOTOS.c.id)
            .order_by(JOURNAL.c.id)
        )
        return [
            OpenPhoto(number, person, name, sha256, path, OnMultiple(policy or OnMultiple.AUTO), face_id)
            for number, person, name, sha256, path, policy, face_id in self._connection.execute(statement)
        ]

    def duplicate_faces(self, arn: str) -> Iterator[RecordedFace]:
        """Faces on record beside an older one of the same person and photo, or person, ImageId and box.

        Only those with an ExternalImageId of our form: other programs name many faces alike. Rows are read as they
        are asked for.
        """
        numbered = (
            _recorded(arn)
            .add_columns(
                func.row_number().over(partition_by=(FACES.c.person, FACES.c.photo), order_by=FACES.c.id),
                func.row_number().over(
                    partition_by=(
                        FACES.c.person,
                        FACES.c.image_id,
                        FACES.c.left,
                        FACES.c.top,
                        FACES.c.width,
                        FACES.c.height,
                    ),
                    order_by=FACES.c.id,
                ),
            )
            .where(
                func.substr(FACES.c.external_image_id, PERSON_ID + 1)
                == ":" + func.substr(PHOTOS.c.sha256, 1, PREFIX)
            )
            .subquery()
        )
        *_, by_photo, by_picture = numbered.c
        statement = select(numbered).where((by_photo > 1) | (by_picture > 1))
        with self._connection.execute(statement.execution_options(yield_per=1000)) as rows:
            for row in rows:
                yield RecordedFace(*row[1:8])

    def photos_page(self, arn: str, after: int, limit: int) -> list[tuple[int, str, str, str]]:
        """Photos with a face in the collection: number, sha256, path, somebody they show; by number."""
        collection = select(COLLECTIONS.c.id).where(COLLECTIONS.c.arn == arn).scalar_subquery()
        somebody = (
            select(func.min(PEOPLE.c.name))
            .join(FACES, FACES.c.person == PEOPLE.c.id)
            .where(FACES.c.photo == PHOTOS.c.id, FACES.c.collection == collection)
            .correlate(PHOTOS)
            .scalar_subquery()
        )
        statement = (
            select(PHOTOS.c.id, PHOTOS.c.sha256, PHOTOS.c.path, somebody)
            .where(
                PHOTOS.c.id > after,
                exists().where(FACES.c.photo == PHOTOS.c.id, FACES.c.collection == collection),
            )
            .order_by(PHOTOS.c.id)
            .limit(limit)
        )
        return [(row[0], row[1], row[2], row[3]) for row in self._connection.execute(statement)]

    def names_of(self, person_ids: Sequence[str]) -> dict[str, str]:
        """The names of those of these people who are on record, by id."""
        statement = select(PEOPLE.c.id, PEOPLE.c.name)
        return {
            id_: name
            for some in chunks(person_ids)
            for id_, name in self._connection.execute(statement.where(PEOPLE.c.id.in_(some)))
        }

    def erased_people(self, person_ids: Sequence[str]) -> set[str]:
        """Those of these people who were erased, or are being erased, from any collection.

        Whoever was merged into one of them was erased with them.
        """
        statement = select(CHANGES.c.person, CHANGES.c.user_id).where(CHANGES.c.operation == ERASE_PERSON)
        asked = set(person_ids)
        return asked & {
            id_
            for some in chunks(person_ids)
            for ids in self._connection.execute(
                statement.where(CHANGES.c.person.in_(some) | CHANGES.c.user_id.in_(some))
            )
            for id_ in ids
        }

    def _by_collection(self, statement: Select[*tuple[Any, ...]]) -> dict[int, tuple[Any, ...]]:
        return {row[0]: tuple(row[1:]) for row in self._connection.execute(statement)}

    def _last_runs(self) -> dict[int, LastRun]:
        """The newest run into each collection, by its row number."""
        newest_first = (RUNS.c.started_at.desc(), RUNS.c.id)
        ranked = select(
            RUNS, func.row_number().over(partition_by=RUNS.c.collection, order_by=newest_first).label("rank")
        ).subquery()
        return {
            row.collection: LastRun(row.id, row.started_at, row.finished_at, row.outcome)
            for row in self._connection.execute(select(ranked).where(ranked.c.rank == 1))
        }


def _recorded(arn: str) -> Select[*tuple[Any, ...]]:
    """The number of a face, and what RecordedFace has."""
    return (
        select(
            FACES.c.id.label("number"),
            FACES.c.face_id,
            FACES.c.external_image_id,
            PEOPLE.c.id.label("person_id"),
            PEOPLE.c.name,
            PHOTOS.c.sha256,
            PHOTOS.c.path,
            FACES.c.user_id,
        )
        .join(COLLECTIONS, COLLECTIONS.c.id == FACES.c.collection)
        .join(PEOPLE, PEOPLE.c.id == FACES.c.person)
        .join(PHOTOS, PHOTOS.c.id == FACES.c.photo)
        .where(COLLECTIONS.c.arn == arn)
    )
