"""What a page can say before its first photo: who was found where, gathered while the photos go by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from facesearch.domain import PersonMatch, PhotoSearch, SearchStatus


@dataclass(slots=True)
class FoundPerson:
    """Somebody who was the best match of a face, with the best of these and the places: photo and face."""

    best: PersonMatch
    places: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Listed:
    """A photo of the page, by its number."""

    number: int
    path: str
    status: SearchStatus


class Findings:
    """Counts what was found; of each photo no more than its name and answer is kept."""

    def __init__(self) -> None:
        self.photos: list[Listed] = []
        self.faces = 0
        self.found = 0
        self.answers: Counter[SearchStatus] = Counter()
        self._people: dict[str, FoundPerson] = {}

    def add(self, result: PhotoSearch) -> int:
        """Count a photo, and say the how manieth it is."""
        number = len(self.photos) + 1
        self.photos.append(Listed(number, result.path, result.status))
        self.answers[result.status] += 1
        self.faces += len(result.faces)
        for place, face in enumerate(result.faces):
            if face.matches:
                self.found += 1
                self._seen(face.matches[0], number, place)
        return number

    def _seen(self, match: PersonMatch, number: int, place: int) -> None:
        person = self._people.setdefault(
            match.person.id if match.person else str(match.user_id or match.face_id), FoundPerson(match)
        )
        person.places.append((number, place))
        if match.similarity > person.best.similarity:
            person.best = match

    @property
    def people(self) -> list[FoundPerson]:
        """Everybody who was found, whoever is most similar first."""
        return sorted(self._people.values(), key=lambda person: person.best.similarity, reverse=True)
