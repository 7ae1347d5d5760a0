"""One photo on its way through an enrolment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from facesearch.domain import Person, PersonSpec


@dataclass(slots=True)
class Work:
    """One photo on its way. `copies` are further files with the same content, which end as it does."""

    path: Path
    spec: PersonSpec
    sha256: str
    person: Person | None = None
    copies: list[Path] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        """Person and content, by which the journal knows it."""
        assert self.person is not None, "people are resolved before anything is asked of the journal"
        return self.person.id, self.sha256


def external_image_id(person_id: str, sha256: str) -> str:
    """The ExternalImageId of a photo: legal whatever the person is called, and it holds no personal data."""
    return f"{person_id}:{sha256[:32]}"
