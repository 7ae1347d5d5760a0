"""What was deleted where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was deleted where. `refused` holds the faces the service kept, by FaceId, with its reasons."""

    faces_in_collections: Mapping[str, int]  # by CollectionId
    face_records: int
    people: int = 0
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
