"""Enrolling: what is planned, how each photo ends, and what is written down about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from facesearch.domain.faces import Call, Collection, FaceMatch, FaceRecord
from facesearch.domain.files import FileState
from facesearch.domain.records import Person, Photo


class OnMultiple(StrEnum):
    """What to do with a photo of several faces."""

    AUTO = (
        "auto"  # the largest, when it has at least three times the area of the next; else leave the photo out
    )
    LARGEST = "largest"
    SKIP = "skip"


class PhotoStatus(StrEnum):
    """The one state a photo ends an enrolment in."""

    ENROLLED = "enrolled"
    ALREADY = "already"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FILTERED = "filtered"
    CONFLICT = "conflict"
    UNREADABLE = "unreadable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PersonSpec:
    """Who the photos of one folder show, as the folder (or the caller) says it.

    None means that nothing was said, so that enrolling again without a person file takes nothing away.
    """

    name: str
    key: str | None = None
    attributes: Mapping[str, object] | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedPhoto:
    """A file to enrol and whom it shows; `problem` says why it cannot be (it belongs to no person ...).

    `known` is the person themselves, where the records said so. `state` is that of an object in S3 which a listing
    told of; a path that begins with s3:// is such an object.
    """

    path: str
    person: PersonSpec | None
    problem: str | None = None
    known: Person | None = None
    was: str | None = None  # the sha256 that the file had when it could not be enrolled
    state: FileState | None = None


@dataclass(frozen=True, slots=True)
class PhotoOutcome:
    """How one photo of an enrolment ended."""

    path: str
    person: str | None
    status: PhotoStatus
    reason: str | None = None
    face_id: str | None = None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A photo that shows what another photo of its person, at `of`, shows already.

    `bits` is in how many of 64 bits their difference hashes differ, None where both files have the same content.
    """

    path: str
    person: str
    of: str
    bits: int | None = None


@dataclass(frozen=True, slots=True)
class EnrolmentReport:
    """How an enrolment ended: a count for each status, and photos that were not enrolled with their reasons.

    `problems` are the first thousand of them; the journal of the run has all. `earlier` photos were left unsettled
    by runs before this one and settled first; they are in no count. `conflicts` are photos that were enrolled
    although the same face, or the same photo, is under another person, the first thousand.

    `exact_duplicates` counts files with the content of another photo of their person, which were not sent, and
    `near_duplicates` photos that were enrolled and look almost like another one of their person. `duplicates` are
    the first thousand of each.
    """

    run: str
    collection: Collection
    counts: Mapping[PhotoStatus, int]
    problems: tuple[PhotoOutcome, ...]
    people: int
    seconds: float
    earlier: int = 0
    conflicts: tuple[PhotoOutcome, ...] = ()
    exact_duplicates: int = 0
    near_duplicates: int = 0
    duplicates: tuple[Duplicate, ...] = ()

    @property
    def total(self) -> int:
        """Every photo that was looked at."""
        return sum(self.counts.values())

    @property
    def left_out(self) -> int:
        """Photos with a problem that `problems` has no room for."""
        fine = self.counts[PhotoStatus.ENROLLED] + self.counts[PhotoStatus.ALREADY]
        return self.total - fine - len(self.problems)


@dataclass(frozen=True, slots=True)
class Intent:
    """What is written down before a photo is sent: that it is about to be."""

    person_id: str
    photo: Photo
    on_multiple: OnMultiple
    bars: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is written down after the service answered: the photo's state and the face that was stored.

    `open` says that nobody knows what the service did: the intent stays, and the next run finds out.
    `superfluous` are FaceIds that must leave the collection. `call` is the last call that was made; of all of them
    `attempts` were the tries, and `calls` were answered. `person` is the name, `matches` are faces that resemble
    the stored one, where the collection was asked, and `conflict` says whose it is besides. `dhash` is what the
    photo looks like (16 hex digits), where it was decoded.
    """

    person_id: str
    sha256: str
    status: PhotoStatus
    reason: str | None = None
    record: FaceRecord | None = None
    superfluous: tuple[str, ...] = ()
    call: Call | None = None
    attempts: int = 0
    calls: int = 0
    open: bool = False
    person: str = ""
    matches: tuple[FaceMatch, ...] | None = None
    conflict: str | None = None
    dhash: str | None = None


class JournalEntry(NamedTuple):  # many are made at once, which takes a dataclass three times as long
    """Where a photo of a person stands in a collection; a status of None is an intent nobody settled.

    `person` is their name, `path` is where the photo was last seen, and `run` is the one that tried it last.
    """

    status: PhotoStatus | None
    reason: str | None = None
    on_multiple: OnMultiple | None = None
    face_id: str | None = None
    bars: str | None = None
    person: str = ""
    path: str = ""
    run: str = ""
