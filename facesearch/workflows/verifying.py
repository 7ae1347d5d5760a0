"""Verifying: whether a photo shows a person we know, by all the faces of theirs that a collection holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from facesearch import photos
from facesearch.domain import Collection, EnrolledFace, ImageSearch, Person, Verification
from facesearch.errors import UsageError
from facesearch.workflows import people


class Gateway(Protocol):
    """What verifying asks of Rekognition."""

    def search_faces_by_image(self, collection_id: str, image: bytes, *, threshold: float) -> ImageSearch: ...


class Records(people.Records, Protocol):
    """What verifying asks of the records."""

    def faces(self, arn: str, face_ids: Sequence[str]) -> Mapping[str, EnrolledFace]: ...


class Database(Protocol):
    """Gives transactions that only read."""

    def read(self) -> AbstractContextManager[Records]: ...


def verify(
    gateway: Gateway, database: Database, photo: Path, ref: str, collection: Collection, *, threshold: float
) -> Verification:
    """Whether the largest face of a photo is a person's, by the best of their faces in the collection.

    One call, of SearchFacesByImage. It answers with the 4,096 faces most like the photo's; a person none of whose
    faces is among them is less like it than all of these.

    Raises UsageError for an unknown person and for one without a face in the collection, and PhotoError.
    """
    with database.read() as records:
        person = people.find(records, ref)
        held = records.face_ids_of(person.id)
    if not any(where.arn == collection.arn for where in held):
        raise UsageError(
            f"{person.name} has no face in collection {collection.collection_id}: enrol one first, or name "
            "another collection"
        )
    found = gateway.search_faces_by_image(collection.collection_id, photos.prepare(photo).data, threshold=0)
    with database.read() as records:
        known = records.faces(collection.arn, [match.face.face_id for match in found.matches])
    return _decided(person, found, known, threshold)


def _decided(
    person: Person, found: ImageSearch, known: Mapping[str, EnrolledFace], threshold: float
) -> Verification:
    theirs = [
        match
        for match in found.matches
        if (enrolled := known.get(match.face.face_id)) and enrolled.person.id == person.id
    ]
    best = max(theirs, key=lambda match: match.similarity, default=None)
    if best is None:
        return Verification(False, None, threshold, found.box, person)
    return Verification(
        best.similarity >= threshold,
        best.similarity,
        threshold,
        found.box,
        person,
        known[best.face.face_id].photo,
        agreeing=sum(match.similarity >= threshold for match in theirs),
    )
