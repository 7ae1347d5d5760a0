"""The faces that collections hold, joined to their people and photos."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, exists, func, select

from facesearch.domain import Box, EnrolledFace, Face, FaceRecord, Photo, Pose, Quality
from facesearch.records.people import WHOSE, person
from facesearch.records.tables import COLLECTIONS, FACES, JOURNAL, PEOPLE, PHOTOS, now
from facesearch.records.unit import AnyRow, Unit, chunks

# What is written over when a face that is known is settled again; when it was enrolled first stays.
CHANGING = tuple(
    column.name
    for column in FACES.c
    if column.name not in ("id", "collection", "face_id", "user_id", "enrolled_at")
)


class FaceRecords(Unit):
    """Faces, by FaceId within one collection."""

    def faces(self, arn: str, face_ids: Sequence[str]) -> dict[str, EnrolledFace]:
        """Those of the faces that the records know, by FaceId."""
        statement = joined_faces(arn)
        return {
            row.face_id: enrolled_face(row)
            for some in chunks(face_ids)
            for row in self._connection.execute(statement.where(FACES.c.face_id.in_(some)))
        }

    def owners(self, arn: str, face_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Whose those of the faces are that the records know: id and name of the person, by FaceId."""
        statement = (
            select(FACES.c.face_id, PEOPLE.c.id, PEOPLE.c.name)
            .join(COLLECTIONS, COLLECTIONS.c.id == FACES.c.collection)
            .join(PEOPLE, PEOPLE.c.id == FACES.c.person)
            .where(COLLECTIONS.c.arn == arn)
        )
        return {
            face_id: (person_id, name)
            for some in chunks(face_ids)
            for face_id, person_id, name in self._connection.execute(
                statement.where(FACES.c.face_id.in_(some))
            )
        }

    def face_counts(self, arn: str, person_ids: Iterable[str]) -> dict[str, int]:
        """How many faces of each of these people a collection holds, by person id; nobody stands for 0."""
        statement = (
            select(FACES.c.person, func.count())
            .join(COLLECTIONS, COLLECTIONS.c.id == FACES.c.collection)
            .where(COLLECTIONS.c.arn == arn)
            .group_by(FACES.c.person)
        )
        return {
            person_id: count
            for some in chunks(person_ids)
            for person_id, count in self._connection.execute(statement.where(FACES.c.person.in_(some)))
        }

    def iter_faces(self, arn: str, person_id: str | None = None) -> Iterator[EnrolledFace]:
        """Every known face of a collection, or of one person in it, in the order of enrolment.

        Rows are read as they are asked for, so the transaction must stay open as long as the iteration runs.
        """
        statement = joined_faces(arn).order_by(FACES.c.id)
        if person_id is not None:
            statement = statement.where(FACES.c.person == person_id)
        with self._connection.execute(statement.execution_options(yield_per=1000)) as rows:
            for row in rows:
                yield enrolled_face(row)

    def looks(self, arn: str, people: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Person id and difference hash of the photos that a collection holds faces of, oldest first.

        Rows are read as they are asked for. A photo that was not decoded here has no difference hash.
        """
        statement = _looking(arn, FACES.c.person, PHOTOS.c.dhash).where(PHOTOS.c.dhash.is_not(None))
        for some in chunks(people):
            chosen = statement.where(FACES.c.person.in_(some)).order_by(FACES.c.id)
            with self._connection.execute(chosen.execution_options(yield_per=1000)) as rows:
                yield from rows

    def photos_that_look(
        self, arn: str, looks: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[str, str, Photo]]:
        """The photos of people with just those difference hashes: person id, difference hash, photo."""
        wanted = set(looks)
        people = list({person_id for person_id, _ in looks})
        statement = _looking(arn, FACES.c.person, PHOTOS.c.dhash, PHOTOS.c.sha256, PHOTOS.c.path)
        for some in chunks(dhash for _, dhash in looks):
            chosen = statement.where(FACES.c.person.in_(people), PHOTOS.c.dhash.in_(some))
            for person_id, dhash, sha256, path in self._connection.execute(chosen):
                if (person_id, dhash) in wanted:
                    yield person_id, dhash, Photo(sha256, path)

    def delete_faces(self, arn: str, face_ids: Sequence[str]) -> int:
        """Delete the records of faces and the journal of their photos, which may then be enrolled again.

        Returns how many face records went.
        """
        number = self._connection.scalar(select(COLLECTIONS.c.id).where(COLLECTIONS.c.arn == arn))
        return sum(self._erase_faces(number, some) for some in chunks(face_ids)) if number else 0

    def drop_faces(self, arn: str, face_ids: Sequence[str]) -> None:
        """Delete the records of faces that left the collection; the journal of their photos stays as it is."""
        collection = select(COLLECTIONS.c.id).where(COLLECTIONS.c.arn == arn).scalar_subquery()
        for some in chunks(face_ids):
            self._delete(FACES, FACES.c.collection == collection, FACES.c.face_id.in_(some))

    def _erase_faces(self, collection: int, face_ids: list[str]) -> int:
        chosen = (FACES.c.collection == collection) & FACES.c.face_id.in_(face_ids)
        of_their_photos = exists().where(
            chosen,
            FACES.c.collection == JOURNAL.c.collection,
            FACES.c.person == JOURNAL.c.person,
            FACES.c.photo == JOURNAL.c.photo,
        )
        return self._erase(chosen, of_their_photos)


def _looking(arn: str, *columns: Any) -> Select[*tuple[Any, ...]]:
    collection = select(COLLECTIONS.c.id).where(COLLECTIONS.c.arn == arn).scalar_subquery()
    # An expression, so that SQLite begins with the people and does not walk through the whole collection.
    here = FACES.c.collection + 0 == collection
    return select(*columns).select_from(FACES).join(PHOTOS, PHOTOS.c.id == FACES.c.photo).where(here)


def face_values(record: FaceRecord) -> dict[str, Any]:
    """The columns of a face that the service says, as it said them when it stored the face."""
    face, detail = record.face, record.detail
    return {
        "face_id": face.face_id,
        "image_id": face.image_id,
        "external_image_id": face.external_image_id,
        "left": face.box.left,
        "top": face.box.top,
        "width": face.box.width,
        "height": face.box.height,
        "confidence": face.confidence,
        "brightness": detail.quality.brightness if detail.quality else None,
        "sharpness": detail.quality.sharpness if detail.quality else None,
        "roll": detail.pose.roll if detail.pose else None,
        "yaw": detail.pose.yaw if detail.pose else None,
        "pitch": detail.pose.pitch if detail.pose else None,
        "model_version": face.model_version,
        "enrolled_at": now(),
    }


def joined_faces(arn: str | None = None) -> Select[*tuple[Any, ...]]:
    """Faces with their collections, people and photos, of one collection or of all."""
    statement = (
        select(FACES, COLLECTIONS.c.collection_id, *WHOSE, PHOTOS.c.sha256, PHOTOS.c.path)
        .select_from(FACES)
        .join(COLLECTIONS, COLLECTIONS.c.id == FACES.c.collection)
        .join(PEOPLE, PEOPLE.c.id == FACES.c.person)
        .join(PHOTOS, PHOTOS.c.id == FACES.c.photo)
    )
    return statement if arn is None else statement.where(COLLECTIONS.c.arn == arn)


def enrolled_face(row: AnyRow) -> EnrolledFace:
    """A row of `joined_faces` as the domain knows it."""
    return EnrolledFace(
        face=Face(
            face_id=row.face_id,
            image_id=row.image_id,
            box=Box(row.left, row.top, row.width, row.height),
            confidence=row.confidence,
            external_image_id=row.external_image_id,
            model_version=row.model_version,
        ),
        collection_id=row.collection_id,
        person=person(row),
        photo=Photo(row.sha256, row.path),
        pose=_pose(row),
        quality=_quality(row),
        enrolled_at=row.enrolled_at,
    )


def _pose(row: AnyRow) -> Pose | None:
    if row.roll is None or row.yaw is None or row.pitch is None:
        return None
    return Pose(row.roll, row.yaw, row.pitch)


def _quality(row: AnyRow) -> Quality | None:
    if row.brightness is None or row.sharpness is None:
        return None
    return Quality(row.brightness, row.sharpness)
