"""What the two stores, the service's collections and our records, say of each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from facesearch.domain.enrolment import OnMultiple, PhotoStatus
from facesearch.domain.faces import Collection, Face


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


class Drift(StrEnum):
    """A way in which a collection, the records and the files disagree."""

    ORPHAN = "orphan"  # a face with our ExternalImageId, of a person on record, and no record of it
    UNKNOWN_PERSON = "unknown_person"  # the same, of a person who is not on record
    ERASED_PERSON = "erased_person"  # the same, of a person who was erased
    FOREIGN = "foreign"  # a face of another program: its ExternalImageId is not of our form
    WRONG_ID = "wrong_id"  # the ExternalImageId and the record say different things
    DUPLICATE = "duplicate"  # one more face of a photo that has one already
    GHOST = "ghost"  # a record of a face that the collection does not hold
    UNSETTLED_PHOTO = "unsettled_photo"  # an enrolment that was begun and has no end
    UNSETTLED_CHANGE = "unsettled_change"  # another change of the collection, the same
    UNKNOWN_USER = "unknown_user"  # a user none of whose faces is on record
    EMPTY_USER = "empty_user"  # a user without any face, and unknown to the records
    USERLESS_FACE = "userless_face"  # a face that its person's user is to have, and has not
    UNSEEN_PHOTO = "unseen_photo"  # faces whose photo was never seen here
    MISSING_FILE = "missing_file"  # a photo that is no more where it was last seen
    CHANGED_FILE = "changed_file"  # a file that holds something else than the photo it was


class Repair(StrEnum):
    """What makes a disagreement go away."""

    RECORD = "record"  # write down whose face it is
    ADOPT = "adopt"  # the same, with the person
    CORRECT = "correct"  # write the record anew, by what the collection says
    DELETE = "delete"  # from the collection, and what is on record of it
    FORGET = "forget"  # delete the record
    SETTLE = "settle"  # write down the end, as the collection shows it
    REPEAT = "repeat"  # make the change that was intended
    ASSOCIATE = "associate"  # give the face to its person's user
    LEAVE = "leave"  # nothing: it takes a decision, or somebody's hands


class Unknown(StrEnum):
    """What is to become of faces and users that the records do not know."""

    LEAVE = "leave"
    ADOPT = "adopt"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class RecordedFace:
    """What the records say of a face, as far as it is held against the collection."""

    face_id: str
    external_image_id: str | None
    person_id: str
    person: str
    sha256: str
    path: str
    user_id: str | None = None  # of the collection, to which it was given


@dataclass(frozen=True, slots=True)
class NamedPhoto:
    """What the records know of a photo of a person that an ExternalImageId names; of the photo perhaps nothing."""

    person: str
    path: str | None = None
    state: str | None = None  # of its enrolment: a PhotoStatus value, or intent
    reason: str | None = None
    face_id: str | None = None  # of the face on record


@dataclass(frozen=True, slots=True)
class OpenPhoto:
    """An enrolment that was begun and has no end. `face_id` is that of a face on record of the same photo."""

    number: int
    person_id: str
    person: str
    sha256: str
    path: str
    on_multiple: OnMultiple
    face_id: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement, and what would make it go away. What does not apply to its kind is None."""

    drift: Drift
    repair: Repair
    face_id: str | None = None
    person_id: str | None = None
    person: str | None = None
    photo: str | None = None  # path
    external_image_id: str | None = None
    user_id: str | None = None
    reason: str | None = None
    face: Face | None = None  # as the collection holds it
    number: int | None = None  # of the photo's enrolment, of the change or of the photo
    operation: str | None = None  # of the change
    status: PhotoStatus | None = None  # that the photo's enrolment would end in


@dataclass(frozen=True, slots=True)
class Tally:
    """Disagreements of one kind that one repair would make go away: how many, and the first few."""

    drift: Drift
    repair: Repair
    count: int
    examples: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How far a collection and the records agree.

    `unlooked` counts photos whose files were to be looked at and lie where this cannot look (S3).
    """

    collection: Collection
    faces_there: int
    faces_here: int
    findings: tuple[Tally, ...]
    unlooked: int = 0

    @property
    def count(self) -> int:
        """How many disagreements there are."""
        return sum(tally.count for tally in self.findings)

    @property
    def repairable(self) -> int:
        """How many of them a repair would make go away."""
        return sum(tally.count for tally in self.findings if tally.repair is not Repair.LEAVE)

    @property
    def deletions(self) -> int:
        """How many of them mean to delete something from the collection."""
        return sum(tally.count for tally in self.findings if tally.repair is Repair.DELETE)


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did, and what it left. `refused` says why the service would not let a face or a user go."""

    before: Reconciliation
    after: Reconciliation
    done: Mapping[tuple[Drift, Repair], int]
    refused: Mapping[str, str]
