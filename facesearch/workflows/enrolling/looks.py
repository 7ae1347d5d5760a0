"""Photos that look almost like another one of their person: told when they are enrolled, and not refused.

Two photos are compared by their difference hashes (facesearch.photos). What the people at hand look like is read
from the records once for each of them and then kept up, in memory that does not grow with the photos.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import xor
from typing import Protocol

from facesearch.domain import Duplicate, Photo, Settlement
from facesearch.workflows.enrolling.work import Work

# Measured on photos of people: copies that were encoded anew, resized, brightened or made grey differ in 5 bits at
# most, those cut by 2 % in 6; photos of one person that are no copies differ in 10 and more.
ALIKE = 6
MOST = 10_000  # photos of one person that a new one is compared with, the newest: a millisecond
HELD = 100_000  # photos of everybody that are held


class Records(Protocol):
    """What is asked of the records."""

    def looks(self, arn: str, people: Sequence[str]) -> Iterator[tuple[str, str]]: ...
    def photos_that_look(
        self, arn: str, looks: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[str, str, Photo]]: ...


@dataclass(frozen=True, slots=True)
class _Like:
    """A photo, and what the photo of its person looks like that it resembles most."""

    work: Work
    other: int
    bits: int

    @property
    def key(self) -> tuple[str, str]:
        assert self.work.person is not None, "whoever has a face is somebody"
        return self.work.person.id, f"{self.other:016x}"


class Looks:
    """What the photos of people look like, as far as they were enrolled. For one thread."""

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._of: dict[str, array[int]] = {}  # by person, whoever was met last at the end
        self._held = 0

    def duplicates(
        self, records: Records, enrolled: Sequence[tuple[Work, Settlement]]
    ) -> dict[tuple[str, str], Duplicate]:
        """Those of the photos, by person and sha256, that look almost like one that was enrolled before them.

        They are remembered then, so that each must be asked for once, before its settlement is written down.
        """
        seen = [(work, int(one.dhash, 16)) for work, one in enrolled if one.dhash and one.record]
        self._read(records, dict.fromkeys(work.key[0] for work, _ in seen))
        alike: list[_Like] = []
        places: dict[tuple[str, str], list[Photo]] = {}
        for work, looks in seen:
            if found := self._nearest(work, looks):
                alike.append(found)
            self._remember(work.key[0], looks)
            places.setdefault((work.key[0], f"{looks:016x}"), []).append(Photo(work.sha256, work.path))
        if alike:
            for person_id, dhash, photo in records.photos_that_look(self._arn, [one.key for one in alike]):
                places.setdefault((person_id, dhash), []).insert(0, photo)
        return {
            one.work.key: Duplicate(one.work.path, one.work.spec.name, of, one.bits)
            for one in alike
            if (of := _another(places.get(one.key, ()), one.work))
        }

    def _read(self, records: Records, people: Iterable[str]) -> None:
        unknown = [person_id for person_id in people if person_id not in self._of]
        for person_id in unknown:
            self._of[person_id] = array("Q")
        if unknown:
            for person_id, dhash in records.looks(self._arn, unknown):
                self._remember(person_id, int(dhash, 16))

    def _nearest(self, work: Work, looks: int) -> _Like | None:
        others = self._of.get(work.key[0])
        if not others:
            return None
        differing = list(
            map(int.bit_count, map(xor, others, repeat(looks)))
        )  # a loop without a line of Python in it
        bits = min(differing)
        return _Like(work, others[differing.index(bits)], bits) if bits <= ALIKE else None

    def _remember(self, person_id: str, looks: int) -> None:
        """The newest of a person stay, and the people who were met last."""
        some = self._of.pop(person_id, None) or array("Q")
        self._of[person_id] = some
        some.append(looks)
        self._held += 1
        if len(some) > MOST:
            gone = len(some) - MOST * 3 // 4
            del some[:gone]
            self._held -= gone
        while self._held > HELD:
            self._held -= len(self._of.pop(next(iter(self._of))))


def _another(photos: Sequence[Photo], work: Work) -> str | None:
    """Where one of the photos is that is not the given one itself."""
    return next((photo.path for photo in photos if photo.path and photo.sha256 != work.sha256), None)
