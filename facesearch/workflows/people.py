"""People: found by id, key or name, changed, and deleted, from the collections first and then from the records."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from facesearch.domain import Collection, Deletion, Person, PersonSummary
from facesearch.errors import CollectionNotFoundError, UsageError
from facesearch.workflows import collections


class Records(collections.Records, Protocol):
    """What these use cases ask of the records."""

    def find_people(self, ref: str) -> list[Person]: ...
    def summary(self, person_id: str) -> PersonSummary: ...
    def face_ids_of(self, person_id: str) -> Mapping[Collection, list[str]]: ...
    def delete_person(self, person_id: str) -> int: ...


class Database(Protocol):
    """Gives transactions that write, and ones that only read."""

    def begin(self) -> AbstractContextManager[Records]: ...
    def read(self) -> AbstractContextManager[Records]: ...


def find(records: Records, ref: str) -> Person:
    """The person with that id, else key, else name. Raises UsageError when there is none or more than one.

    Names are kept composed, and a system may hand over a typed one decomposed: both are looked for.
    """
    found = records.find_people(ref) or records.find_people(unicodedata.normalize("NFC", ref))
    if not found:
        raise UsageError(f"nobody with the id, key or name {ref!r}; see `facesearch person list`")
    if len(found) > 1:
        ids = ", ".join(person.id for person in found)
        raise UsageError(f"{len(found)} people are called {ref!r}: say which by id ({ids})")
    return found[0]


def show(database: Database, ref: str) -> PersonSummary:
    """A person with the number of their faces in each collection."""
    with database.read() as records:
        return records.summary(find(records, ref).id)


def delete(gateway: collections.Gateway, database: Database, ref: str) -> Deletion:
    """Delete a person's faces from every collection, and only then their records.

    A face that the service refuses to delete keeps its record and its person, so that nothing is lost track of.
    Raises UsageError, before anything is deleted, when some of their faces are on another engine.
    """
    with database.read() as records:
        person = find(records, ref)
        held = records.face_ids_of(person.id)
    _check_reachable(gateway, person, held)
    deletions = [
        collections.delete_faces(gateway, database, collection, face_ids)
        for collection, face_ids in held.items()
        if _is_here(gateway, collection)
    ]
    refused = {
        face_id: reasons
        for deletion in deletions
        for face_id, reasons in deletion.refused.items()
        if collections.FACE_NOT_FOUND not in reasons
    }
    with database.begin() as records:
        rest = 0 if refused else records.delete_person(person.id)
    return Deletion(
        faces_in_collections={
            k: v for deletion in deletions for k, v in deletion.faces_in_collections.items()
        },
        face_records=sum(deletion.face_records for deletion in deletions) + rest,
        people=0 if refused else 1,
        refused=refused,
    )


def _check_reachable(
    gateway: collections.Gateway, person: Person, held: Mapping[Collection, list[str]]
) -> None:
    engine = None
    for collection in held:
        if _is_here(gateway, collection):
            continue
        engine = engine or next(_engines(gateway), None)
        if collection.arn.rpartition(":collection/")[0] != engine:
            raise UsageError(
                f"{person.name} has faces in {collection.arn}, which is not on this engine: "
                "run the same with the --engine that holds it, and AWS credentials of its account"
            )


def _is_here(gateway: collections.Gateway, collection: Collection) -> bool:
    try:
        return gateway.describe_collection(collection.collection_id).arn == collection.arn
    except CollectionNotFoundError:
        return False


def _engines(gateway: collections.Gateway) -> Iterator[str]:
    """What the ARNs of this engine's collections begin with: partition, region and account."""
    return (collection.arn.rpartition(":collection/")[0] for collection in collections.listed(gateway))
