"""How the photos of a run ended: counted, told to whoever listens, and the first problems kept for the report."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable

from facesearch.domain import Duplicate, PhotoOutcome, PhotoStatus, PlannedPhoto

MAX_PROBLEMS = 1000  # kept in memory; the journal holds every one

OnPhoto = Callable[[PhotoOutcome], None]

_FINE = (PhotoStatus.ENROLLED, PhotoStatus.ALREADY)


class Tally:
    """The counts of a run, in memory that does not grow with the photos."""

    def __init__(self, on_photo: OnPhoto | None = None, *, keep_aside: bool = False) -> None:
        self.counts: Counter[PhotoStatus] = Counter(dict.fromkeys(PhotoStatus, 0))
        self.problems: list[PhotoOutcome] = []
        self.conflicts: list[PhotoOutcome] = []
        self.exact_duplicates = 0
        self.near_duplicates = 0
        self._exact: list[Duplicate] = []
        self._near: list[Duplicate] = []
        self.people = Distinct()
        self._on_photo = on_photo
        self._keep_aside = keep_aside
        self._aside: list[tuple[PhotoOutcome, PlannedPhoto]] = []

    def set_aside(self, photo: PlannedPhoto, status: PhotoStatus, reason: str | None) -> None:
        """A file has come to its end before its content was known."""
        outcome = self.end(photo.path, photo.person.name if photo.person else None, status, reason)
        if self._keep_aside:
            self._aside.append((outcome, photo))

    def warn(self, outcome: PhotoOutcome, conflict: str | None) -> None:
        """A photo was enrolled although its face is under another person."""
        if conflict and len(self.conflicts) < MAX_PROBLEMS:
            self.conflicts.append(outcome)

    def tell_alike(self, one: Duplicate) -> None:
        """A photo shows what another one of its person does."""
        if one.bits is None:
            self.exact_duplicates += 1
        else:
            self.near_duplicates += 1
        kept = self._exact if one.bits is None else self._near
        if len(kept) < MAX_PROBLEMS:
            kept.append(one)

    @property
    def duplicates(self) -> tuple[Duplicate, ...]:
        """The first of each kind, those that look alike first."""
        return (*self._near, *self._exact)

    def take_aside(self) -> list[tuple[PhotoOutcome, PlannedPhoto]]:
        """The files that were set aside since this was last asked."""
        aside, self._aside = self._aside, []
        return aside

    def end(
        self,
        path: str,
        person: str | None,
        status: PhotoStatus,
        reason: str | None,
        face_id: str | None = None,
    ) -> PhotoOutcome:
        """One photo has come to its end."""
        outcome = PhotoOutcome(path, person, status, reason, face_id)
        self.counts[status] += 1
        if status not in _FINE and len(self.problems) < MAX_PROBLEMS:
            self.problems.append(outcome)
        if self._on_photo:
            self._on_photo(outcome)
        return outcome


class Distinct:
    """Counts different ids of random hex digits by the first sixteen: eight bytes for each."""

    def __init__(self) -> None:
        self._sorted: dict[int, array[int]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def update(self, ids: Iterable[str]) -> None:
        """Count those that were not there yet."""
        for id_ in ids:
            number = int(id_[:16], 16)
            some = self._sorted.setdefault(number >> 52, array("Q"))  # short, for a cheap insertion
            place = bisect_left(some, number)
            if place == len(some) or some[place] != number:
                some.insert(place, number)
                self._count += 1
