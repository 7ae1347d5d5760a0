"""Explaining: why a photo is, or is not, found to show somebody."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from facesearch.domain.calibration import Rate, Threshold
from facesearch.domain.faces import Box
from facesearch.domain.records import Person, Photo
from facesearch.domain.searching import PersonMatch


class Verdict(StrEnum):
    """Whether a search of the photo names the person first, and if not, why."""

    FOUND = "found"
    NEARER = "another_person_is_nearer"
    OTHER_FACE = "another_face_of_the_photo"
    UNDER_THRESHOLD = "under_the_threshold"
    POOR_QUALITY = "poor_quality"
    NO_FACE = "no_face"
    NOT_ENROLLED = "not_enrolled"
    NOT_THERE = "not_in_the_collection"
    OTHER_MODEL = "other_model"


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """What of a face is not good enough: `what` is pixels, brightness, sharpness, yaw, pitch or confidence.

    Of yaw and pitch, in degrees, `enough` is the most there may be; of all else the least.
    """

    what: str
    measured: float
    enough: float


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another collection in which the person has faces, and the face model it is made with."""

    collection_id: str
    faces: int
    model_version: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a photo is, or is not, found to show `person`; what does not belong to the verdict is None or empty.

    `box` is the face asked about, the photo's largest unless another is the person's. `similarity` is that of the
    best of the person's faces, None where thousands of others are nearer, and `photo` the one it is in; `place` is
    their rank. `nearer` is whoever comes first in their place. `candidate` is the size in pixels of the largest
    face that is seen only when the photo is looked at part by part.
    """

    verdict: Verdict
    person: Person
    threshold: Threshold
    model_version: str
    box: Box | None = None
    similarity: float | None = None
    photo: Photo | None = None
    place: int | None = None
    false_match_rate: Rate | None = None
    nearer: PersonMatch | None = None
    shortcomings: tuple[Shortcoming, ...] = ()
    candidate: int | None = None
    elsewhere: tuple[Elsewhere, ...] = ()
