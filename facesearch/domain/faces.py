"""What a photo shows and what a collection holds: faces, as the service speaks of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


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
class Call:
    """One call of the service: how often it was tried until it was answered, and how long all of that took.

    `request_id` names the last try in the service's own log; None when there was no answer.
    """

    request_id: str | None
    attempts: int
    milliseconds: int


@dataclass(frozen=True, slots=True)
class IndexResult:
    """The answer to one IndexFaces call, or what was found out without one: then there is no `call`."""

    records: tuple[FaceRecord, ...]
    unindexed: tuple[UnindexedFace, ...]
    model_version: str
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class FaceMatch:
    """A face of a collection that resembles the one asked for."""

    face: Face
    similarity: float


@dataclass(frozen=True, slots=True)
class UserMatch:
    """A user of a collection who resembles the face asked for."""

    user_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Association:
    """The answer to AssociateFaces: the faces that were not given to the user, with Rekognition's reasons."""

    refused: Mapping[str, tuple[str, ...]]
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class ImageSearch:
    """The answer to SearchFacesByImage or SearchUsersByImage: the largest face of the photo, and its matches.

    Faces or users, as was asked for, best first.
    """

    box: Box
    confidence: float
    matches: tuple[FaceMatch, ...]
    model_version: str
    users: tuple[UserMatch, ...] = ()


@dataclass(frozen=True, slots=True)
class FaceDeletion:
    """The answer to DeleteFaces: what went, and what did not, by FaceId with Rekognition's reasons."""

    deleted: tuple[str, ...]
    refused: Mapping[str, tuple[str, ...]]
    request_id: str | None = None  # of the last call


@dataclass(frozen=True, slots=True)
class FaceListing:
    """The answer to ListFaces for some FaceIds: those of the faces that the collection holds."""

    faces: tuple[Face, ...]
    request_id: str | None = None  # of the last call


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
