"""Searching: what was found in a photo."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from facesearch.domain.calibration import Rate
from facesearch.domain.faces import Box
from facesearch.domain.records import Person, Photo


@dataclass(frozen=True, slots=True)
class GivenPhoto:
    """A photo that is no file: its bytes, and what answers call it."""

    name: str
    content: bytes = field(repr=False)

    def __str__(self) -> str:
        return self.name


class By(StrEnum):
    """What of a collection photos are held against: each face, or users, who are all faces of a person in one."""

    FACE = "face"
    USER = "user"


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

    Somebody found as a user of the collection was found by all faces of the user at once: there is a `user_id`,
    and no face, photo or `agreeing`.

    `box` is where the face is in its own photo, not in the one searched with.

    `false_match_rate` is how often somebody else is at least so similar to a person of this collection; None where
    that was not measured.
    """

    person: Person | None
    similarity: float
    face_id: str | None
    photo: Photo | None
    external_image_id: str | None = None
    agreeing: int | None = 1
    enrolled: int | None = None
    margin: float | None = None
    box: Box | None = None
    false_match_rate: Rate | None = None
    user_id: str | None = None


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
    photo. For a person on record `photo` is the one that is most like it, `agreeing` is how many of their faces
    reach the threshold, and `false_match_rate` is that of the similarity, None where it was not measured.
    """

    same: bool
    similarity: float | None
    threshold: float
    box: Box
    person: Person | None = None
    photo: Photo | None = None
    agreeing: int | None = None
    false_match_rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class PhotoSearch:
    """What a search found in one photo.

    `sha256` is of the file, None for one that could not be read. `given` is the photo itself where it was no file.
    """

    path: str
    status: SearchStatus
    faces: tuple[SearchedFace, ...] = ()
    reason: str | None = None
    sha256: str | None = None
    given: GivenPhoto | None = None

    @property
    def source(self) -> Path | GivenPhoto:
        """What the photo can be read from once more."""
        return self.given or Path(self.path)
