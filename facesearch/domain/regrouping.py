"""People who turn out to be one, and photos that turn out to be somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from facesearch.domain.records import PersonSummary


@dataclass(frozen=True, slots=True)
class Former:
    """Somebody who was merged into a person: their id, name and key lead to that person since."""

    id: str
    name: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was on record of somebody who was merged and gave way to what the kept person has.

    `what` is `notes`, or `attribute` and its name.
    """

    person_id: str
    what: str
    value: object


@dataclass(frozen=True, slots=True)
class Moved:
    """What became somebody else's in the records.

    `faces` are those that were moved, by CollectionId. `doubled` ones were of photos that whoever has them now has
    a face of already: they are deleted. `photos` counts by content and collection.
    """

    faces: Mapping[str, int] = field(default_factory=dict)
    photos: int = 0
    sightings: int = 0
    doubled: int = 0


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What a merge would join, as it is before it, and what would give way."""

    kept: PersonSummary
    others: tuple[PersonSummary, ...]
    dropped: tuple[Dropped, ...]


@dataclass(frozen=True, slots=True)
class Regrouping:
    """How a merge or a split ended.

    `person` has the photos now. Of a merge `merged` are the people who are no more, of a split `rest` is the one
    whom the photos were taken from. `waiting` says what the service has not done yet, by CollectionId, FaceId or
    UserId, with the reason. `calibrated` are collections (by CollectionId) that were calibrated before it.
    """

    person: PersonSummary
    moved: Moved
    merged: tuple[Former, ...] = ()
    rest: PersonSummary | None = None
    dropped: tuple[Dropped, ...] = ()
    waiting: Mapping[str, str] = field(default_factory=dict)
    calibrated: tuple[str, ...] = ()
