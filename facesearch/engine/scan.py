"""Exact nearest neighbours in one matrix of vectors: by comparing with each, or by a lower bound that spares most.

The lower bound: y(x) is x less a mean, projected on a few orthonormal directions, with the length of what the
projection loses as one more number. Projecting makes nothing longer, and the lengths of two remainders differ by
at most the length of their difference; so ||y(q) - y(x)|| <= ||q - x||, whatever the directions. Reading the table
of y, less than a third of the matrix, leaves the few rows whose bound is within what was already found; these are
compared in full. When the bounds tell little (vectors without any structure) all are compared: slower by that
third, never wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Directions kept; with the remainder and half the squared length the table has 40 numbers for a row, 160 bytes.
# For faces, fewer leave too many rows to compare, and more take longer to read (measured at a million).
_DIRECTIONS = 38

# Rows of a tile of the table. In a tile each of the 40 numbers lies side by side for all rows: multiplying them is
# a third faster than row after row. Much smaller tiles are too little work for two of BLAS' threads to share.
TILE = 16_384

# Vectors that the directions are fitted to.
SAMPLE = 20_000

# Rows compared first, at least: those of the best bounds. How far the nearest of them are limits all others.
# They are told by the best of each group of rows, and no group is looked into whose best is not good enough.
_FIRST = 128
_GROUP = 64

# Rows whose bound does not exclude them; past this share, reading the whole matrix in order is the faster way.
_WORTHWHILE = 0.2

# Rows copied out of a matrix at once.
_ROWS = 8192

# A float32 sum of n products is off by at most n of these (the unit roundoff), relative to the factors' lengths.
_ROUNDOFF = 2.0**-24


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Stored vectors: `numbers` (n), the face's number or 0 for one erased; `matrix` (n, d) float32;
    `halves` (n) float32, half of each squared length, infinite for one erased.
    """

    numbers: NDArray[np.int64]
    matrix: NDArray[np.float32]
    halves: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.numbers)

    def first(self, count: int) -> Rows:
        """The first `count` of these rows, as a view."""
        return Rows(self.numbers[:count], self.matrix[:count], self.halves[:count])


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """`mean` (d) and `basis` (d, k) orthonormal columns, both float32."""

    mean: NDArray[np.float32]
    basis: NDArray[np.float32]

    @classmethod
    def fitted(cls, sample: NDArray[np.float32]) -> Projection:
        """The directions in which a sample of vectors (n, d) varies most."""
        vectors = sample.astype(np.float64)
        mean = vectors.mean(axis=0)
        _, directions = np.linalg.eigh((vectors - mean).T @ (vectors - mean))  # by growing variance
        kept = directions_kept(vectors.shape[1])
        return cls(mean.astype(np.float32), directions[:, ::-1][:, :kept].astype(np.float32))

    @property
    def width(self) -> int:
        """How many numbers a row of the table has."""
        return int(self.basis.shape[1]) + 2

    def table(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """A row per vector: y(x), then minus half its squared length; times (y(q), 1) it ranks by bound."""
        coordinates, remainder = self._split(vectors)
        square = np.einsum("nd,nd->n", coordinates, coordinates) + remainder**2
        return np.column_stack((coordinates, remainder, -square / 2)).astype(np.float32)

    def _split(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        centred = vectors.astype(np.float64) - self.mean
        coordinates = centred @ self.basis.astype(np.float64)
        square = np.einsum("nd,nd->n", centred, centred) - np.einsum("nd,nd->n", coordinates, coordinates)
        return coordinates, np.sqrt(np.maximum(square, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Bounds of the same rows in the same order: `tiles` (t, k + 2, TILE) float32, of vectors no further than
    `reach` from the projection's mean. What the last tile holds beyond the last row is nobody's, but finite: it is
    multiplied with the rest.
    """

    projection: Projection
    tiles: NDArray[np.float32]
    reach: float

    def first(self, count: int) -> Table:
        """The bounds of the first `count` rows, as a view."""
        return Table(self.projection, self.tiles[: tiles_for(count)], self.reach)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Faces by their numbers and the euclidean distances of their vectors (float64), nearest first."""

    numbers: NDArray[np.int64]
    distances: NDArray[np.float64]

    def merged(self, other: Found, limit: int) -> Found:
        """The nearest of both; of equals, the one stored first."""
        numbers = np.concatenate((self.numbers, other.numbers))
        distances = np.concatenate((self.distances, other.distances))
        order = np.lexsort((numbers, distances))[:limit]
        return Found(numbers[order], distances[order])


def all_finite(vectors: NDArray[np.float32]) -> bool:
    """Whether vectors hold neither NaN nor infinity, and are short enough for float32 to hold their lengths."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.einsum("...d,...d->...", vectors, vectors)).all())


def tiles_for(rows: int) -> int:
    """How many tiles hold so many rows."""
    return -(-rows // TILE)


def tiled(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of a table (n, w) as tiles, the last one filled with zeros."""
    tiles = np.zeros((tiles_for(len(table)), table.shape[1], TILE), np.float32)
    for number, start in enumerate(range(0, len(table), TILE)):
        some = table[start : start + TILE]
        tiles[number, :, : len(some)] = some.T
    return tiles


def reach_of(table: NDArray[np.float32]) -> float:
    """How far from the projection's mean the furthest vector lies, of rows of a table (n, w)."""
    return math.sqrt(-2 * float(table[:, -1].min(initial=0)))


def directions_kept(dimensions: int) -> int:
    """How many directions vectors of so many dimensions are projected on."""
    return min(_DIRECTIONS, dimensions)


def half_squares(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half of the squared length of each row."""
    halves: NDArray[np.float32] = np.einsum("nd,nd->n", matrix, matrix) / np.float32(2)
    return halves


def compared(rows: Rows, query: NDArray[np.float32], limit: int, within: float) -> Found:
    """The `limit` nearest rows no further than `within`, by the product with each."""
    scores = rows.matrix @ query - rows.halves
    return _ranked(rows, _best(scores, rows.halves, query, limit), query, limit, within)


def scanned(rows: Rows, table: Table, query: NDArray[np.float32], limit: int, within: float) -> Found:
    """What `compared` finds, mostly by reading the table alone."""
    (bounds_query,) = table.projection.table(query[np.newaxis])
    square = -2.0 * float(bounds_query[-1])
    bounds_query[-1] = 1
    products = np.matmul(bounds_query, table.tiles)
    scores = products.reshape(-1)[: len(rows)]  # a bound is sqrt(square - 2 * score)
    heads = scores[: len(scores) // _GROUP * _GROUP].reshape(_GROUP, -1).max(axis=0)
    first = _nearest_of(rows, _first(scores, heads, max(2 * limit, _FIRST)), query, limit, within)
    reach = min(within, float(first.distances[-1])) if len(first.numbers) == limit else within
    candidates = _at_least((square - _loose(reach, table, square) ** 2) / 2, scores, heads)
    if len(candidates) > len(rows) * _WORTHWHILE:
        return compared(rows, query, limit, within)
    return _nearest_of(rows, candidates, query, limit, within)


def _nearest_of(
    rows: Rows, candidates: NDArray[np.intp], query: NDArray[np.float32], limit: int, within: float
) -> Found:
    """The nearest of some rows."""
    halves = rows.halves[candidates]
    # Not BLAS: these are small, and on a busy machine its threads wait for each other longer than they work.
    products = [np.einsum("nd,d->n", rows.matrix[part], query) for part in _parts(candidates)]
    scores = np.concatenate(products or [halves]) - halves
    return _ranked(rows, candidates[_best(scores, halves, query, limit)], query, limit, within)


def _loose(reach: float, table: Table, square: float) -> float:
    """How far the bound, as computed, can be of a vector that is `reach` away.

    A row of the table is rounded to float32, its directions are orthonormal to a few roundoffs each, and the
    product is a float32 sum: all relative to the lengths of what was projected.
    """
    length = max(table.reach, square**0.5)
    width = table.tiles.shape[1]
    rounded = reach * (1 + 1e-5) + 16 * width * _ROUNDOFF * length
    return float((rounded**2 + 16 * width * _ROUNDOFF * length**2) ** 0.5)


def _first(scores: NDArray[np.float32], heads: NDArray[np.float32], wanted: int) -> NDArray[np.intp]:
    """At least `wanted` rows of high score if there are so many, not always the highest."""
    told_by = heads if len(heads) > wanted else scores
    wanted = min(wanted, len(told_by))
    return _at_least(np.partition(told_by, len(told_by) - wanted)[len(told_by) - wanted], scores, heads)


def _at_least(least: float, scores: NDArray[np.float32], heads: NDArray[np.float32]) -> NDArray[np.intp]:
    """The rows of at least this score. `heads` (g) are the best of each group: of rows n, g + n, 2 g + n ..."""
    groups = np.flatnonzero(heads >= least)
    if len(groups) > len(heads) * _WORTHWHILE:
        return np.flatnonzero(scores >= least)
    rows = (groups + len(heads) * np.arange(_GROUP)[:, np.newaxis]).ravel()
    rows = np.concatenate((rows, np.arange(len(heads) * _GROUP, len(scores))))
    found: NDArray[np.intp] = rows[scores[rows] >= least]
    return found


def _best(
    scores: NDArray[np.float32], halves: NDArray[np.float32], query: NDArray[np.float32], limit: int
) -> NDArray[np.intp]:
    """The positions that may be among the `limit` of highest score, for all that rounding may have done."""
    if limit >= len(scores):
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - limit)[len(scores) - limit]
    greatest = float(halves.max())
    if greatest == np.inf:  # of one erased
        greatest = float(np.max(halves, initial=0, where=np.isfinite(halves)))
    longest = (2 * greatest) ** 0.5
    length = float(np.linalg.norm(query))
    rounding = 2 * (len(query) + 8) * _ROUNDOFF * longest * (longest + length)
    return np.flatnonzero(scores >= least - rounding)


def _ranked(
    rows: Rows, candidates: NDArray[np.intp], query: NDArray[np.float32], limit: int, within: float
) -> Found:
    """The nearest of some rows in float64; of equals, the one stored first. Erased ones are nobody's neighbour."""
    candidates = candidates[rows.numbers[candidates] != 0]
    distances = np.empty(len(candidates))
    done = 0
    for part in _parts(candidates):
        difference = rows.matrix[part].astype(np.float64) - query
        distances[done : done + len(part)] = np.sqrt(np.einsum("nd,nd->n", difference, difference))
        done += len(part)
    order = np.lexsort((candidates, distances))[:limit]
    order = order[distances[order] <= within]
    # Read last: what is erased meanwhile loses its number before its vector.
    numbers = rows.numbers[candidates[order]]
    return Found(numbers[numbers != 0], distances[order][numbers != 0])


def _parts(candidates: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for start in range(0, len(candidates), _ROWS):
        yield candidates[start : start + _ROWS]
