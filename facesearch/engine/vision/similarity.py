"""The scale on which two faces resemble each other, 0..100.

It leads through points (distance, similarity). Between two of them, and beyond the first and the last, the
logarithm of the odds, ln(similarity / (100 - similarity)), is a straight line over the distance; so two points
make a logistic curve. A distance is euclidean, between two vectors of unit length: 0..2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", float, NDArray[np.floating])

_LARGEST_ODDS = 700.0  # as a logarithm: e to a little more is no float


@dataclass(frozen=True, slots=True)
class Scale:
    """`distances` grow and `odds` (logarithms) fall; two of each at least."""

    distances: tuple[float, ...]
    odds: tuple[float, ...]

    @classmethod
    def logistic(cls, steepness: float, middle: float) -> Self:
        """100 / (1 + exp(steepness * (distance - middle)))."""
        return cls((middle, middle + 1.0), (0.0, -steepness))

    @classmethod
    def through(cls, points: Iterable[tuple[float, float]]) -> Self:
        """Through points (distance, similarity), by growing distance; similarities fall, within 0..100."""
        distances, similarities = zip(*points, strict=True)
        return cls(tuple(map(float, distances)), tuple(float(_odds(value)) for value in similarities))

    def similarity(self, distance: Number) -> Number:
        """The similarity, 0..100, of two faces whose vectors are this far apart."""
        odds = np.clip(_along(distance, self.distances, self.odds), -_LARGEST_ODDS, _LARGEST_ODDS)
        result: Number = 100.0 / (1.0 + np.exp(-odds))
        return result

    def distance(self, similarity: Number) -> Number:
        """How far apart two vectors of this similarity are; the inverse of `similarity`.

        A similarity of 100 gives minus infinity and one of 0 infinity: no distance reaches either.
        """
        result: Number = _along(_odds(similarity), self.odds[::-1], self.distances[::-1])
        return result


def _odds(similarity: Number) -> Number:
    with np.errstate(divide="ignore"):
        result: Number = np.log(np.divide(similarity, np.subtract(100.0, similarity)))
    return result


def _along(x: Number, xs: tuple[float, ...], ys: tuple[float, ...]) -> Number:
    """The straight lines through points of growing x, the first and the last going on for ever."""
    at, values = np.array(xs), np.array(ys)
    first = np.clip(np.searchsorted(at, x) - 1, 0, len(at) - 2)
    slope = (values[first + 1] - values[first]) / (at[first + 1] - at[first])
    result: Number = values[first] + slope * (x - at[first])
    return result
