"""Searching: what was found in a photo."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from facesearch.domain.faces import Box
from facesearch.domain.records import Person, Photo


class SearchStatus(StrEnum):
    """The four answers a search of one photo can have."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    NO_FACE = "no_face"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class PersonMatch:
    """A person found, by the face of theirs that matched best.

    `agreeing` of their faces reach the threshold, out of the `enrolled` ones of the collection that the records
    know. `margin` is how much more similar they are than the runner-up, the next best match that is not theirs;
    None when nobody further reaches the threshold.

    `person` and `photo` are None for a face that the collection holds and our records do not know. Such a face
    stands for itself, also as a runner-up, and `enrolled` is None.

    `box` is where the face is in its own photo, not in the one searched with.
    """

    person: Person | None
    similarity: float
    face_id: str
    photo: Photo | None
    external_image_id: str | None = None
    agreeing: int = 1
    enrolled: int | None = None
    margin: float | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class SearchedFace:
    """A face of the query photo and the people it resembles, best first.

    `reason` says why a face that was seen could not be searched for.
    """

    box: Box
    confidence: float
    matches: tuple[PersonMatch, ...]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether two faces are one person's: of two photos, or of a photo and a person on record.

    `similarity` is that of the best pair, None for one too small to be told. `box` is the face asked about, in its
    photo. For a person on record `photo` is the one that is most like it, and `agreeing` is how many of their
    faces reach the threshold.
    """

    same: bool
    similarity: float | None
    threshold: float
    box: Box
    person: Person | None = None
    photo: Photo | None = None
    agreeing: int | None = None


@dataclass(frozen=True, slots=True)
class PhotoSearch:
    """What a search found in one photo."""

    path: str
    status: SearchStatus
    faces: tuple[SearchedFace, ...] = ()
    reason: str | None = None
