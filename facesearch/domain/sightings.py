"""Sightings: who was seen in which photo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from facesearch.domain.faces import Box
from facesearch.domain.records import Person, Photo


@dataclass(frozen=True, slots=True)
class Sighting:
    """A face of a searched photo that is most like a person, in ratios of the photo, and what the search said.

    `similarity`, `margin`, `agreeing` and `enrolled` are as in PersonMatch. `seen_at` is when the photo was
    searched.
    """

    person: Person
    collection_id: str
    photo: Photo
    box: Box
    similarity: float
    threshold: float
    margin: float | None
    agreeing: int | None
    enrolled: int | None
    face_id: str | None
    seen_at: datetime
