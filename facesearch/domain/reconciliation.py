"""What the two stores, the service's collections and our records, say of each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from facesearch.domain.faces import Collection


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest enrolment into a collection. `outcome` is None for one that was killed or is going on."""

    id: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class RecordedCollection:
    """What the records hold of a collection, in numbers."""

    collection: Collection  # as it was when last seen, uncounted
    faces: int = 0
    people: int = 0
    photos: int = 0
    open_photos: int = 0  # enrolments that were intended and not settled
    open_changes: int = 0  # other changes of the collection, the same
    last_run: LastRun | None = None


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """A collection on both sides, in numbers; either side is None where there is no such collection."""

    there: Collection | None
    here: RecordedCollection | None

    @property
    def collection(self) -> Collection:
        """The collection as the service describes it, else as it was when last seen."""
        side = self.there or (self.here.collection if self.here else None)
        assert side is not None, "a collection is known to one side at least"
        return side

    @property
    def unsettled(self) -> int:
        """Changes that were intended and whose end is not known."""
        return self.here.open_photos + self.here.open_changes if self.here else 0

    @property
    def drifted(self) -> bool:
        """Whether the numbers alone show that the two sides disagree; that they agree proves nothing."""
        here = self.here.faces if self.here else 0
        there = self.there.face_count if self.there else 0
        return here != there or bool(self.unsettled) or (self.there is None)
