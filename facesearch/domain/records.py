"""What our records hold: people, photos, and the faces enrolled of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from facesearch.domain.faces import Face, Pose, Quality


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
    """A file, known by what is in it; the path is where it was last seen.

    One that was never seen here has no path, and of its sha256 what its collection holds: the first 32 digits, or
    `image:` and the ImageId.
    """

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
