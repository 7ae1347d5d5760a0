"""Collections: made, described, listed and deleted on the service, and remembered in the records by their ARN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from facesearch.domain import Collection, Deletion, EnrolledFace, Face, ListedFace
from facesearch.errors import CollectionExistsError, CollectionNotFoundError

FACE_NOT_FOUND = "FACE_NOT_FOUND"


class Describing(Protocol):
    """Describes collections."""

    def describe_collection(self, collection_id: str) -> Collection: ...


class Gateway(Describing, Protocol):
    """What these use cases ask of Rekognition."""

    def create_collection(self, collection_id: str) -> None: ...
    def list_collections(self) -> Iterator[str]: ...
    def delete_collection(self, collection_id: str) -> None: ...
    def pages_of_faces(self, collection_id: str) -> Iterator[list[Face]]: ...


class Records(Protocol):
    """What these use cases ask of the records."""

    def remember_collection(self, collection: Collection) -> bool: ...
    def forget_collection(self, arn: str) -> int: ...
    def faces(self, arn: str, face_ids: Sequence[str]) -> Mapping[str, EnrolledFace]: ...


class Database(Protocol):
    """Gives transactions that write, and ones that only read."""

    def begin(self) -> AbstractContextManager[Records]: ...
    def read(self) -> AbstractContextManager[Records]: ...


def create(gateway: Gateway, database: Database, collection_id: str) -> Collection:
    """Make a collection and remember it. Raises CollectionExistsError."""
    gateway.create_collection(collection_id)
    return remembered(gateway, database, collection_id)


def ensure(gateway: Gateway, database: Database, collection_id: str) -> Collection:
    """The collection, made first if it is not there."""
    try:
        return remembered(gateway, database, collection_id)
    except CollectionNotFoundError:
        try:
            return create(gateway, database, collection_id)
        except CollectionExistsError:  # somebody else made it in between
            return remembered(gateway, database, collection_id)


def found(gateway: Gateway, collection_id: str) -> Collection | None:
    """The collection as the service describes it; None where there is none. Writes nothing."""
    try:
        return gateway.describe_collection(collection_id)
    except CollectionNotFoundError:
        return None


def is_here(gateway: Describing, collection: Collection) -> bool:
    """Whether a collection of the records is on this engine."""
    try:
        return gateway.describe_collection(collection.collection_id).arn == collection.arn
    except CollectionNotFoundError:
        return False


def remembered(gateway: Gateway, database: Database, collection_id: str) -> Collection:
    """The collection as the service describes it, known to the records from now on.

    A collection deleted and made again behind our back is a new one: the records of the old one's faces go.
    """
    collection = gateway.describe_collection(collection_id)
    with database.begin() as records:
        records.remember_collection(collection)
    return collection


def listed(gateway: Gateway) -> Iterator[Collection]:
    """Every collection of the engine, described."""
    for collection_id in gateway.list_collections():
        try:
            yield gateway.describe_collection(collection_id)
        except CollectionNotFoundError:  # deleted while we were listing
            continue


def delete(gateway: Gateway, database: Database, collection_id: str) -> Deletion:
    """Delete a collection with its faces, and only then the records of them. People stay."""
    collection = gateway.describe_collection(collection_id)
    gateway.delete_collection(collection_id)
    with database.begin() as records:
        face_records = records.forget_collection(collection.arn)
    return Deletion({collection_id: collection.face_count}, face_records)


def faces(gateway: Gateway, database: Database, collection: Collection) -> Iterator[ListedFace]:
    """Every face the collection holds, joined to our record of it where there is one; a page at a time."""
    for page in gateway.pages_of_faces(collection.collection_id):
        with database.read() as records:
            known = records.faces(collection.arn, [face.face_id for face in page])
        for face in page:
            yield ListedFace(face, known.get(face.face_id))
