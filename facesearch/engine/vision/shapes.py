"""dlib's shape predictor for five points, as tables.

Its stream holds nothing but integers (a float is two of them), and five points, 15 rounds of 500 trees and 800
places a round leave no choice about how many. So all of them are read at once, and cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from facesearch.engine.vision.streams import StreamError

if TYPE_CHECKING:
    from numpy.typing import NDArray

POINTS, ROUNDS, TREES, DEPTH, PLACES = 5, 15, 500, 4, 800
SPLITS, LEAVES = 2**DEPTH - 1, 2**DEPTH

_WHITE = 255  # the greatest grey value, and so the greatest difference of two

_SHAPE = 2 + 2 * 2 * POINTS  # integers: the two sides of a matrix, and its floats
_TREE = 1 + 4 * SPLITS + 1 + LEAVES * _SHAPE
_SECTIONS = (
    1 + _SHAPE,
    1 + ROUNDS * (1 + TREES * _TREE),
    1 + ROUNDS * (1 + PLACES),
    1 + ROUNDS * (1 + 4 * PLACES),
)


@dataclass(frozen=True, slots=True)
class Shapes:
    """The predictor: a mean shape, and for each round its trees and the places where they look.

    `start` (5); `anchors` (15, 800), the point a place moves with; `deltas` (15, 800), where it is from there;
    `first`, `second` (15, 500, 16), the places each split compares, and `thresholds` (15, 500, 16), which the
    difference of their grey values (0..255) must pass; the last of each 16 is no split, and nothing passes it.
    `leaves` (15, 500, 16, 5). Points are complex, x + iy, in units of the face's box.
    """

    start: NDArray[np.complex64]
    anchors: NDArray[np.intp]
    deltas: NDArray[np.complex64]
    first: NDArray[np.int16]
    second: NDArray[np.int16]
    thresholds: NDArray[np.int16]
    leaves: NDArray[np.complex64]

    @classmethod
    def of(cls, tables: Mapping[str, Any]) -> Shapes:
        """The predictor out of `tables()`. KeyError when one is missing."""
        return cls(**{field.name: tables[field.name] for field in fields(cls)})

    def tables(self) -> dict[str, NDArray[Any]]:
        """Every table by its name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def parse(data: bytes) -> Shapes:
    """The tables of a serialised shape predictor. Raises StreamError for one of another size."""
    values = _integers(data)
    if len(values) != sum(_SECTIONS):
        raise StreamError(f"a shape predictor of {sum(_SECTIONS)} numbers was expected, not of {len(values)}")
    start, forests, anchors, deltas = np.split(values, np.cumsum(_SECTIONS)[:-1])
    trees = _rows(forests).reshape(ROUNDS, TREES, _TREE)
    splits = trees[..., 1 : 1 + 4 * SPLITS].reshape(ROUNDS, TREES, SPLITS, 4)
    leaves = trees[..., 2 + 4 * SPLITS :].reshape(ROUNDS, TREES, LEAVES, _SHAPE)
    return Shapes(
        start=_points(start[-4 * POINTS :]),
        anchors=_rows(anchors).astype(np.intp),
        deltas=_points(_rows(deltas)),
        first=_one_more(splits[..., 0], 0),
        second=_one_more(splits[..., 1], 0),
        thresholds=_one_more(_whole(_floats(splits[..., 2:])[..., 0]), _WHITE),
        leaves=_points(leaves[..., 2:]),
    )


def _rows(section: NDArray[np.int64]) -> NDArray[np.int64]:
    """What a section holds for each round, without the counts before it."""
    return section[1:].reshape(ROUNDS, -1)[:, 1:]


def _whole(thresholds: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same for differences of grey values, which are whole numbers."""
    return np.clip(np.floor(thresholds), -_WHITE - 1, _WHITE)


def _one_more(of_splits: NDArray[Any], last: int) -> NDArray[np.int16]:
    """What the 15 splits of each tree have, and a sixteenth, in 16 bits: a place or a difference of greys."""
    return np.pad(of_splits, ((0, 0), (0, 0), (0, 1)), constant_values=last).astype(np.int16)


def _points(values: NDArray[np.int64]) -> NDArray[np.complex64]:
    """Points out of rows of x and y, of two integers each."""
    return _floats(values).view(np.complex64)


def _floats(values: NDArray[np.int64]) -> NDArray[np.float32]:
    """Floats out of rows of mantissas and exponents."""
    return np.ldexp(values[..., ::2].astype(np.float64), values[..., 1::2]).astype(np.float32)


def _integers(data: bytes) -> NDArray[np.int64]:
    """Every integer of the stream."""
    # The only loop over bytes: where each integer starts depends on the one before.
    lengths = data.translate(bytes(1 + (control & 0x0F) for control in range(256)))
    starts = []
    position, end = 0, len(data)
    while position < end:
        starts.append(position)
        position += lengths[position]
    controls = np.array(starts, np.intp)
    padded = np.frombuffer(data + bytes(16), np.uint8)
    sizes = padded[controls] & 0x0F
    magnitudes = np.zeros(len(controls), np.int64)
    for byte in range(int(sizes.max(initial=0))):
        digit = np.where(sizes > byte, padded[controls + 1 + byte], 0)
        magnitudes |= digit.astype(np.int64) << (8 * byte)
    return np.where(padded[controls] & 0x80, -magnitudes, magnitudes)
