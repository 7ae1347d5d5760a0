"""What the records say of collections, for holding it against what the service says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, String, and_, column, exists, func, select, values

from facesearch.domain import Collection, OnMultiple
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
from facesearch.records.tables import (
    INTENT,
    ChangeRow,
    CollectionRow,
    FaceRow,
    JournalRow,
    PersonRow,
    PhotoRow,
    RunRow,
)
from facesearch.records.unit import Unit, chunks

Named = tuple[str, str]  # a person id, and the beginning of a photo's sha256


class ReconciliationRecords(Unit):
    """Collections as the records know them."""

    def recorded_collections(self) -> list[RecordedCollection]:
        """Every collection of every engine that the records know, in numbers; by CollectionId."""
        faces = self._by_collection(
            select(
                FaceRow.collection,
                func.count(),
                func.count(FaceRow.person.distinct()),
                func.count(FaceRow.photo.distinct()),
            ).group_by(FaceRow.collection)
        )
        photos = self._by_collection(
            select(JournalRow.collection, func.count())
            .where(JournalRow.state == INTENT)
            .group_by(JournalRow.collection)
        )
        changes = self._by_collection(
            select(ChangeRow.collection, func.count())
            .where(ChangeRow.state == ChangeState.INTENT.value)
            .group_by(ChangeRow.collection)
        )
        known = []
        for row in self._session.scalars(
            select(CollectionRow).order_by(CollectionRow.collection_id, CollectionRow.id)
        ):
            face_count, people, photo_count = faces.get(row.id, (0, 0, 0))
            [open_photos], [open_changes] = photos.get(row.id, (0,)), changes.get(row.id, (0,))
            collection = Collection(row.collection_id, row.arn, row.model_version, row.created_at)
            run = self._last_run(row.id)
            known.append(
                RecordedCollection(
                    collection, face_count, people, photo_count, open_photos, open_changes, run
                )
            )
        return known

    def recorded_faces(self, arn: str, face_ids: Sequence[str]) -> dict[str, RecordedFace]:
        """Those of the faces that are on record, by FaceId."""
        statement = _recorded(arn)
        return {
            row[1]: RecordedFace(*row[1:])
            for some in chunks(face_ids)
            for row in self._session.execute(statement.where(FaceRow.face_id.in_(some)))
        }

    def recorded_face_count(self, arn: str) -> int:
        """How many faces of the collection are on record."""
        counted = select(func.count()).select_from(FaceRow).join(CollectionRow)
        return self._session.scalar(counted.where(CollectionRow.arn == arn)) or 0

    def recorded_page(self, arn: str, after: str, limit: int) -> list[RecordedFace]:
        """Faces on record by FaceId, after the one that the last page ended with; "" for the first page."""
        collection = select(CollectionRow.id).where(CollectionRow.arn == arn).scalar_subquery()
        mine = (FaceRow.collection == collection) & (FaceRow.face_id > after)
        rows = self._session.execute(_recorded(arn).where(mine).order_by(FaceRow.face_id).limit(limit))
        return [RecordedFace(*row[1:]) for row in rows]

    def named_photos(self, arn: str, pairs: Sequence[Named]) -> dict[Named, NamedPhoto]:
        """What is known of the photos that ExternalImageIds name; pairs of unknown people are left out."""
        found: dict[Named, NamedPhoto] = {}
        for some in chunks(pairs):
            for person, prefix, *known in self._session.execute(self._named(arn, some)):
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
        collection = select(CollectionRow.id).where(CollectionRow.arn == arn).scalar_subquery()
        here = and_(PhotoRow.sha256 >= wanted.c.prefix, PhotoRow.sha256 < wanted.c.prefix.concat("g"))
        return (
            select(
                wanted.c.person,
                wanted.c.prefix,
                PersonRow.name,
                PhotoRow.path,
                JournalRow.state,
                JournalRow.reason,
                FaceRow.face_id,
            )
            .join(PersonRow, PersonRow.id == wanted.c.person)
            .outerjoin(PhotoRow, here)
            .outerjoin(
                JournalRow,
                and_(
                    JournalRow.collection == collection,
                    JournalRow.person == wanted.c.person,
                    JournalRow.photo == PhotoRow.id,
                ),
            )
            .outerjoin(
                FaceRow,
                and_(
                    FaceRow.collection == collection,
                    FaceRow.person == wanted.c.person,
                    FaceRow.photo == PhotoRow.id,
                ),
            )
        )

    def open_photos(self, arn: str) -> list[OpenPhoto]:
        """Enrolments that were begun and have no end: as many as were under way when something stopped them."""
        statement = (
            select(
                JournalRow.id,
                PersonRow.id,
                PersonRow.name,
                PhotoRow.sha256,
                PhotoRow.path,
                JournalRow.on_multiple,
                func.min(FaceRow.face_id),
            )
            .join(CollectionRow, CollectionRow.id == JournalRow.collection)
            .join(PersonRow, PersonRow.id == JournalRow.person)
            .join(PhotoRow, PhotoRow.id == JournalRow.photo)
            .outerjoin(
                FaceRow,
                and_(
                    FaceRow.collection == JournalRow.collection,
                    FaceRow.person == JournalRow.person,
                    FaceRow.photo == JournalRow.photo,
                ),
            )
            .where(CollectionRow.arn == arn, JournalRow.state == INTENT)
            .group_by(JournalRow.id, PersonRow.id, PhotoRow.id)
            .order_by(JournalRow.id)
        )
        return [
            OpenPhoto(number, person, name, sha256, path, OnMultiple(policy or OnMultiple.AUTO), face_id)
            for number, person, name, sha256, path, policy, face_id in self._session.execute(statement)
        ]

    def duplicate_faces(self, arn: str) -> Iterator[RecordedFace]:
        """Faces on record beside an older one of the same person and photo, or person, ImageId and box.

        Only those with an ExternalImageId of our form: other programs name many faces alike. Rows are read as they
        are asked for.
        """
        numbered = (
            _recorded(arn)
            .add_columns(
                func.row_number().over(partition_by=(FaceRow.person, FaceRow.photo), order_by=FaceRow.id),
                func.row_number().over(
                    partition_by=(
                        FaceRow.person,
                        FaceRow.image_id,
                        FaceRow.left,
                        FaceRow.top,
                        FaceRow.width,
                        FaceRow.height,
                    ),
                    order_by=FaceRow.id,
                ),
            )
            .where(
                func.substr(FaceRow.external_image_id, PERSON_ID + 1)
                == ":" + func.substr(PhotoRow.sha256, 1, PREFIX)
            )
            .subquery()
        )
        *_, by_photo, by_picture = numbered.c
        statement = select(numbered).where((by_photo > 1) | (by_picture > 1))
        with self._session.execute(statement.execution_options(yield_per=1000)) as rows:
            for row in rows:
                yield RecordedFace(*row[1:8])

    def photos_page(self, arn: str, after: int, limit: int) -> list[tuple[int, str, str, str]]:
        """Photos with a face in the collection: number, sha256, path, somebody they show; by number."""
        collection = select(CollectionRow.id).where(CollectionRow.arn == arn).scalar_subquery()
        somebody = (
            select(func.min(PersonRow.name))
            .join(FaceRow, FaceRow.person == PersonRow.id)
            .where(FaceRow.photo == PhotoRow.id, FaceRow.collection == collection)
            .correlate(PhotoRow)
            .scalar_subquery()
        )
        statement = (
            select(PhotoRow.id, PhotoRow.sha256, PhotoRow.path, somebody)
            .where(
                PhotoRow.id > after,
                exists().where(FaceRow.photo == PhotoRow.id, FaceRow.collection == collection),
            )
            .order_by(PhotoRow.id)
            .limit(limit)
        )
        return [(row[0], row[1], row[2], row[3]) for row in self._session.execute(statement)]

    def names_of(self, person_ids: Sequence[str]) -> dict[str, str]:
        """The names of those of these people who are on record, by id."""
        statement = select(PersonRow.id, PersonRow.name)
        return {
            id_: name
            for some in chunks(person_ids)
            for id_, name in self._session.execute(statement.where(PersonRow.id.in_(some)))
        }

    def erased_people(self, person_ids: Sequence[str]) -> set[str]:
        """Those of these people who were erased, or are being erased, from any collection.

        Whoever was merged into one of them was erased with them.
        """
        statement = select(ChangeRow.person, ChangeRow.user_id).where(ChangeRow.operation == ERASE_PERSON)
        asked = set(person_ids)
        return asked & {
            id_
            for some in chunks(person_ids)
            for ids in self._session.execute(
                statement.where(ChangeRow.person.in_(some) | ChangeRow.user_id.in_(some))
            )
            for id_ in ids
        }

    def _by_collection(self, statement: Select[*tuple[Any, ...]]) -> dict[int, tuple[Any, ...]]:
        return {row[0]: tuple(row[1:]) for row in self._session.execute(statement)}

    def _last_run(self, collection: int) -> LastRun | None:
        newest = select(RunRow).where(RunRow.collection == collection)
        row = self._session.scalar(newest.order_by(RunRow.started_at.desc(), RunRow.id).limit(1))
        return LastRun(row.id, row.started_at, row.finished_at, row.outcome) if row else None


def _recorded(arn: str) -> Select[*tuple[Any, ...]]:
    """The number of a face, and what RecordedFace has."""
    return (
        select(
            FaceRow.id.label("number"),
            FaceRow.face_id,
            FaceRow.external_image_id,
            PersonRow.id.label("person_id"),
            PersonRow.name,
            PhotoRow.sha256,
            PhotoRow.path,
            FaceRow.user_id,
        )
        .join(CollectionRow, CollectionRow.id == FaceRow.collection)
        .join(PersonRow, PersonRow.id == FaceRow.person)
        .join(PhotoRow, PhotoRow.id == FaceRow.photo)
        .where(CollectionRow.arn == arn)
    )
