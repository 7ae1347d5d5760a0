"""People: found by id, key or name, and shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from facesearch.domain import Collection, Person, PersonSummary
from facesearch.errors import UsageError


class Records(Protocol):
    """What these use cases ask of the records."""

    def find_people(self, ref: str) -> list[Person]: ...
    def summary(self, person_id: str) -> PersonSummary: ...
    def face_ids_of(self, person_id: str) -> Mapping[Collection, list[str]]: ...


class Database(Protocol):
    """Gives transactions that only read."""

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
