"""Counting: which comparisons reach which threshold, and how much that differs from person to person."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from facesearch.domain.calibration import Point, Rate, pairs
from facesearch.workflows.calibrating.intervals import rate

# Thresholds at even steps of their log-odds, which is how services spread similarities: .1 to 99.995. A step is a
# twentieth; false matches fall by some 7 % over one.
THRESHOLDS = tuple(round(100 / (1 + math.exp(-step / 20)), 4) for step in range(-140, 201))


class Counts(NamedTuple):
    """At one threshold: comparisons that reach it, and how many independent ones would differ so much."""

    hits: int
    variance: float


class Tally:
    """Comparisons of one or two people each, by the highest threshold that they reach.

    People are whole numbers from 0 on. A comparison that reaches no threshold need not be added.
    """

    def __init__(self) -> None:
        self._reached = [array("q") for _ in THRESHOLDS]
        self._of_two = False

    def add(self, similarity: float, one: int, other: int = -1) -> None:
        """A comparison that scored so much, of one person or of two."""
        self._of_two |= other >= 0
        if level := bisect_right(THRESHOLDS, similarity):
            self._reached[level - 1].append((one << 32) | (other + 1))

    def counts(self, tries: Mapping[int, int], total: int) -> list[Counts]:
        """What reaches each threshold, given in how many comparisons each person was, and how many there were.

        The variance of a number of hits is the sum over people of the square of what each has more than their
        share (Fafchamps and Gubert, 2007, where a comparison is of two). Each comparison of two is in two such
        sums and is taken out of one; it is never taken for less than that of independent comparisons.
        """
        hits: Counter[int] = Counter()
        squares = products = found = 0
        spread = sum(count * count for count in tries.values())
        correction = len(tries) / max(len(tries) - 1, 1)  # so few people differ less than all people do
        counted: list[Counts] = []
        for reached in reversed(self._reached):
            for comparison in reached:
                found += 1
                for person in (comparison >> 32, (comparison & 0xFFFFFFFF) - 1):
                    if person >= 0:
                        squares += 2 * hits[person] + 1
                        products += tries[person]
                        hits[person] += 1
            share = found / total
            alone = found * (1 - share)
            by_people = (squares - 2 * share * products + share * share * spread) * correction
            counted.append(Counts(found, max(by_people - alone if self._of_two else by_people, alone)))
        return counted[::-1]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a face was answered: the best similarity for each person, and whether faces were cut off its end."""

    person: int
    best: Mapping[int, float]
    cut_off_at: float | None = None  # the last similarity, where there may have been more faces


class Counting:
    """The answers for faces of one collection, counted. People are numbers; `faces` is how many each has."""

    def __init__(self, faces: Mapping[int, int]) -> None:
        self._faces = faces
        self._others, self._finds, self._own = Tally(), Tally(), Tally()
        self._asked: Counter[int] = Counter()
        self._own_tries: Counter[int] = Counter()
        self._seen: set[int] = set()
        self._floor = 0.0
        self._cut_off = False

    def add(self, answer: Answer) -> None:
        """Count what one face was answered."""
        person = answer.person
        self._asked[person] += 1
        self._seen.add(person)
        self._seen.update(answer.best)
        if answer.cut_off_at is not None:
            self._cut_off = True
            self._floor = max(self._floor, answer.cut_off_at)
        nearest = 0.0
        for other, similarity in answer.best.items():
            if other != person:
                self._others.add(similarity, person, other)
                nearest = max(nearest, similarity)
        self._finds.add(nearest, person)
        if person in answer.best or (answer.cut_off_at is not None and self._faces[person] > 1):
            self._own_tries[person] += 1
            self._own.add(answer.best.get(person, 0.0), person)

    @property
    def faces(self) -> int:
        """How many faces were asked about."""
        return self._asked.total()

    @property
    def people(self) -> int:
        """With how many people each of them was compared, its own person included.

        Whoever is on record and in no whole answer has no face in the collection.
        """
        return len(self._faces) if self._cut_off else len(self._seen)

    @property
    def comparisons(self) -> int:
        """How many comparisons were made with other people."""
        return self.faces * (self.people - 1)

    @property
    def own(self) -> int:
        """How many were made with further faces of the same person."""
        return self._own_tries.total()

    @property
    def own_people(self) -> int:
        """How many people have such faces."""
        return len(self._own_tries)

    def points(self) -> Iterator[Point]:
        """What happens at each threshold at which it changes, by growing similarity."""
        compared = self._faces if self._cut_off else self._seen
        tries = {
            person: self._asked[person] * (self.people - 1) + self.faces - self._asked[person]
            for person in compared
        }
        others = self._others.counts(tries, self.comparisons)
        finds = self._finds.counts(self._asked, self.faces)
        own = self._own.counts(self._own_tries, self.own) if self.own else [None] * len(THRESHOLDS)
        before = None
        for similarity, *counts in zip(THRESHOLDS, others, finds, own, strict=True):
            if similarity < self._floor or counts == before:
                continue
            before = counts
            matching, finding, keeping = counts
            assert matching and finding
            yield Point(
                similarity,
                rate(matching.hits, self.comparisons, matching.variance, pairs(self.people)),
                rate(finding.hits, self.faces, finding.variance, len(self._asked)),
                self._misses(keeping) if keeping else None,
            )

    def _misses(self, keeping: Counts) -> Rate:
        return rate(self.own - keeping.hits, self.own, keeping.variance, self.own_people)
