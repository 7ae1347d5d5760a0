"""What a similarity means in one collection, measured on its own faces, and thresholds said in that meaning.

A comparison is of one photo with one person: it scores the similarity of the person's face that is most like the
photo's, as a search answers it. Rates are shares, 0..1; a range is one of 95 %.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime

from facesearch.domain.records import Person, Photo

RULE_OF_THREE = 3.0  # nothing found in n tries leaves room for a rate of 3 / n, at 95 %

DEFAULT_THRESHOLD = 80.0  # Rekognition's FaceMatchThreshold where nothing else is said

_PREFIX = "fmr="


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of the comparisons, 0..1, and the range it lies in, at 95 %."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Point:
    """What happens at one threshold.

    `false_matches`: of the comparisons with another person, those that reach it (FMR). `misses`: of the photos
    compared with the person's own others, those that do not (FNMR); None where nobody has two faces.
    `false_finds`: of the photos, those for which some other person of the collection reaches it.
    """

    similarity: float
    false_matches: Rate
    false_finds: Rate
    misses: Rate | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """How alike the people of one collection are to themselves and to one another, by one face model.

    `faces` were asked about, `people` compared with them. `comparisons` were made with other people, `own` with
    further faces of the same person, of whom there were `own_people`. `points` lie in the order of growing
    similarity; below the first of them nothing is known, where a service's answers were cut off.
    """

    model_version: str
    made_at: datetime
    faces: int
    people: int
    comparisons: int
    own: int
    own_people: int
    points: tuple[Point, ...]

    @property
    def finest(self) -> float:
        """The lowest false-match rate that so many people can tell of, by the rule of three over pairs."""
        return RULE_OF_THREE / pairs(self.people)

    def at(self, similarity: float) -> Point | None:
        """What happens at a threshold, by the next measured one at or below it; None below all of them."""
        place = bisect_right(self.points, similarity, key=lambda point: point.similarity)
        return self.points[place - 1] if place else None

    def rate_at(self, similarity: float) -> Rate | None:
        """The false-match rate of a match of this similarity: of comparisons with others, what reaches it."""
        point = self.at(similarity)
        return point.false_matches if point else None

    def reaching(self, rate: float) -> Point | None:
        """The lowest threshold with no more than this false-match rate; None if no measured one keeps to it.

        It means nothing for a rate below `finest`.
        """
        return next((point for point in self.points if point.false_matches.estimate <= rate), None)


@dataclass(frozen=True, slots=True)
class NearPair:
    """Two people on record who are very alike, by the faces that are most so: perhaps they are one."""

    similarity: float
    people: tuple[Person, Person]
    photos: tuple[Photo, Photo]


@dataclass(frozen=True, slots=True)
class Measured:
    """A calibration that was just made, and what besides was seen while it was.

    `gone` faces on record were not in the collection. `nearest` are the pairs of people most alike.
    """

    calibration: Calibration
    nearest: tuple[NearPair, ...]
    gone: int


@dataclass(frozen=True, slots=True)
class WantedRate:
    """A threshold said as the false-match rate it keeps to, 0..1 without both ends."""

    rate: float

    def __str__(self) -> str:
        return f"{_PREFIX}{self.rate:g}"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold as it is used.

    `source` is who said it: `asked`, `collection` (its own) or `default`. `wanted` is the rate that it was said
    as, and `calibration` what is known of this collection and its model, if it was measured.
    """

    similarity: float
    source: str
    wanted: WantedRate | None = None
    calibration: Calibration | None = None


def pairs(people: int) -> int:
    """How many pairs so many people make."""
    return people * (people - 1) // 2


def people_for(rate: float) -> int:
    """How many people it takes for a false-match rate to be told, by the rule of three over their pairs."""
    people = math.ceil((1 + math.sqrt(1 + 8 * RULE_OF_THREE / rate)) / 2)
    return people if pairs(people) * rate >= RULE_OF_THREE else people + 1


def parse_threshold(text: str) -> float | WantedRate:
    """A threshold as it is written: `90`, or `fmr=1e-3`. Raises ValueError with what is wrong."""
    said = text.strip().lower()
    try:
        number = float(said.removeprefix(_PREFIX))
    except ValueError:
        number = math.nan
    if said.startswith(_PREFIX):
        if 0 < number < 1:
            return WantedRate(number)
        raise ValueError(f"{text!r} is not a false-match rate such as fmr=1e-3, more than 0 and less than 1")
    if 0 <= number <= 100:
        return number
    raise ValueError(f"{text!r} is neither a number from 0 to 100 nor a false-match rate such as fmr=1e-3")
