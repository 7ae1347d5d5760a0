"""What is asked of a face before it may stay in a collection."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

QualityFilter = Literal["NONE", "AUTO", "LOW", "MEDIUM", "HIGH"]


class OnConflict(StrEnum):
    """What to do with a face that the collection has under another person already."""

    WARN = "warn"  # enrol it, and say so
    SKIP = "skip"  # leave the photo out
    ENROLL = "enroll"  # do not look


@dataclass(frozen=True, slots=True)
class AtTheDoor:
    """The least pixels of a face's shorter side, Rekognition's filter, and what to do about a conflict."""

    min_face: int = 0
    quality: QualityFilter = "AUTO"
    on_conflict: OnConflict = OnConflict.ENROLL

    @property
    def bars(self) -> str:
        """What a face was measured against, as the journal keeps it."""
        return f"{self.quality}/{self.min_face}"
