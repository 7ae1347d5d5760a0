"""Erasing a person: what has to go from which collection, and what proves that it is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from facesearch.domain.faces import Collection

# A change of our own, and no operation of Rekognition's: whatever is a person's in a collection is to go. Settled,
# it stays, so that a face of theirs that turns up later (from a backup, an export, a call that was answered after
# all) is known for what it is. It names the person by a random id, and nobody can tell who that was.
ERASE_PERSON = "ErasePerson"


class ErasureState(StrEnum):
    """How far the erasing is, in a collection or as a whole."""

    ERASED = "erased"  # the service was asked afterwards and has nothing of the person
    GONE = "gone"  # the collection is no more, and what it held went with it
    PENDING = "pending"  # not confirmed yet; it is tried again


@dataclass(frozen=True, slots=True)
class CollectionErasure:
    """How far the erasing is in one collection.

    `faces` are the FaceIds that the service deleted or said it does not hold. `waiting` says of what is not
    confirmed (a FaceId, a UserId, or the collection as a whole) why. `request_ids` are those of the calls that
    deleted, `proof` is the last call that listed the faces afterwards; None where there was no FaceId to ask for.
    """

    collection: Collection  # as it was when last seen
    state: ErasureState
    faces: tuple[str, ...]
    users: int
    request_ids: tuple[str, ...]
    proof: str | None
    asked_at: datetime
    settled_at: datetime | None
    waiting: Mapping[str, str]
    reason: str | None = None  # why it is gone, or still pending


@dataclass(frozen=True, slots=True)
class ErasedRecords:
    """How many rows of a person left the records."""

    people: int
    faces: int
    journal: int
    photos: int
    sightings: int = 0


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasing of one person, in every collection. `records` is None where it is not known any more."""

    person_id: str
    asked_at: datetime
    collections: tuple[CollectionErasure, ...]
    records: ErasedRecords | None = None
    receipt: str | None = None  # where it was written down

    @property
    def state(self) -> ErasureState:
        """Erased when every collection is without the person."""
        pending = any(one.state is ErasureState.PENDING for one in self.collections)
        return ErasureState.PENDING if pending else ErasureState.ERASED

    @property
    def faces(self) -> int:
        """Faces that are gone from collections."""
        return sum(len(one.faces) for one in self.collections)
