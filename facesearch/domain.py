"""The nouns of facesearch: frozen values with no behaviour beyond what they know of themselves.

Units are stated here and only here:

* a box, and a point, is in ratios of the width and height of the upright photo: (0, 0) is the top left corner,
  (1, 1) the bottom right. A face cut by the edge has a box that leaves 0..1.
* similarity, confidence, threshold, brightness and sharpness run from 0 to 100.
* angles are degrees: roll clockwise, yaw to the photo's right and pitch upwards are positive.
* times are aware and in UTC.
* a sha256 is 64 lower-case hex digits and is taken over the file's own bytes, before any conversion.

Collection, Face, FaceId, ImageId, ExternalImageId, BoundingBox, Similarity and FaceMatchThreshold mean what
Amazon Rekognition means by them. A person is a record of ours, and a photo is a file, known by its sha256.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

# --- what a photo shows --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Box:
    """Where a face is, in ratios of the upright photo."""

    left: float
    top: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """The part of the photo that the box covers, 0..1 for a box inside it."""
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Pose:
    """How a head is turned, in degrees."""

    roll: float
    yaw: float
    pitch: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a face is lit and focused, 0..100 each."""

    brightness: float
    sharpness: float


@dataclass(frozen=True, slots=True)
class Landmark:
    """A named point of a face (Rekognition's LandmarkType), in ratios of the upright photo."""

    type: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class FaceDetail:
    """What was seen of one face in a photo. Nothing of it is stored in a collection."""

    box: Box
    confidence: float
    pose: Pose | None = None
    quality: Quality | None = None
    landmarks: tuple[Landmark, ...] = ()


# --- what a collection holds -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Collection:
    """A face collection as the service describes it. Its ARN tells equal names on two engines apart."""

    collection_id: str
    arn: str
    model_version: str
    created_at: datetime
    face_count: int = 0
    user_count: int = 0


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a collection, as the service stores it."""

    face_id: str
    image_id: str
    box: Box
    confidence: float
    external_image_id: str | None = None
    model_version: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """A face that IndexFaces stored, with what it saw of it."""

    face: Face
    detail: FaceDetail


@dataclass(frozen=True, slots=True)
class UnindexedFace:
    """A face that IndexFaces saw and did not store, with Rekognition's reasons (EXCEEDS_MAX_FACES ...)."""

    detail: FaceDetail
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexResult:
    """The answer to one IndexFaces call."""

    records: tuple[FaceRecord, ...]
    unindexed: tuple[UnindexedFace, ...]
    model_version: str


@dataclass(frozen=True, slots=True)
class FaceMatch:
    """A face of a collection that resembles the one asked for."""

    face: Face
    similarity: float


@dataclass(frozen=True, slots=True)
class ImageSearch:
    """The answer to SearchFacesByImage: the largest face of the photo, and its matches, best first."""

    box: Box
    confidence: float
    matches: tuple[FaceMatch, ...]
    model_version: str


@dataclass(frozen=True, slots=True)
class FaceDeletion:
    """The answer to DeleteFaces: what went, and what did not, by FaceId with Rekognition's reasons."""

    deleted: tuple[str, ...]
    refused: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ComparedFace:
    """A face of the target photo; similarity is None for one that stayed under the threshold."""

    detail: FaceDetail
    similarity: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer to CompareFaces: the largest face of the source against every face of the target."""

    source: FaceDetail
    matches: tuple[ComparedFace, ...]
    unmatched: tuple[ComparedFace, ...]


# --- what our records hold -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """Someone we know: a key of the user's if they have one, else their name, says who it is."""

    id: str  # 32 lower-case hex digits
    name: str
    key: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    notes: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """A person with how many faces they have, by CollectionId."""

    person: Person
    faces: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Photo:
    """A file, known by what is in it; the path is where it was last seen."""

    sha256: str
    path: str


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """A face of a collection joined to our records."""

    face: Face
    collection_id: str
    person: Person
    photo: Photo
    pose: Pose | None
    quality: Quality | None
    enrolled_at: datetime


@dataclass(frozen=True, slots=True)
class ListedFace:
    """A face that a collection holds, with our record of it; None for one that our records do not know."""

    face: Face
    enrolled: EnrolledFace | None


# --- enrolling -----------------------------------------------------------------------------------------------


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
    """A file to enrol and whom it shows; `problem` says why it cannot be (it belongs to no person ...)."""

    path: Path
    person: PersonSpec | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class PhotoOutcome:
    """How one photo of an enrolment ended."""

    path: str
    person: str | None
    status: PhotoStatus
    reason: str | None = None
    face_id: str | None = None


@dataclass(frozen=True, slots=True)
class EnrolmentReport:
    """How an enrolment ended: a count for each status, and each photo that was not enrolled with its reason."""

    run: str
    collection: Collection
    counts: Mapping[PhotoStatus, int]
    problems: tuple[PhotoOutcome, ...]
    people: int
    seconds: float

    @property
    def total(self) -> int:
        """Every photo that was looked at."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Intent:
    """What is written down before a photo is sent: that it is about to be."""

    person_id: str
    photo: Photo
    on_multiple: OnMultiple


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is written down after the service answered: the photo's state and the face that was stored."""

    person_id: str
    sha256: str
    status: PhotoStatus
    reason: str | None = None
    record: FaceRecord | None = None


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """Where a photo of a person stands in a collection; a status of None is an intent nobody settled."""

    status: PhotoStatus | None
    reason: str | None = None
    on_multiple: OnMultiple | None = None
    face_id: str | None = None


# --- searching -----------------------------------------------------------------------------------------------


class SearchStatus(StrEnum):
    """The four answers a search of one photo can have."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    NO_FACE = "no_face"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class PersonMatch:
    """A person found, by the face of theirs that matched best.

    `person` and `photo` are None for a face that the collection holds and our records do not know.
    """

    person: Person | None
    similarity: float
    face_id: str
    photo: Photo | None
    external_image_id: str | None = None


@dataclass(frozen=True, slots=True)
class SearchedFace:
    """A face of the query photo and the people it resembles, best first."""

    box: Box
    confidence: float
    matches: tuple[PersonMatch, ...]


@dataclass(frozen=True, slots=True)
class PhotoSearch:
    """What a search found in one photo."""

    path: str
    status: SearchStatus
    faces: tuple[SearchedFace, ...] = ()
    reason: str | None = None


# --- deleting ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was deleted where. `refused` holds the faces the service kept, by FaceId, with its reasons."""

    faces_in_collections: Mapping[str, int]  # by CollectionId
    face_records: int
    people: int = 0
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
