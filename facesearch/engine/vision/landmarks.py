"""Five points of a face: dlib's shape predictor, an ensemble of regression trees, in NumPy.

The trees compare pixels at places that move with the shape as it is known so far, and 15 times 500 trees each add
their leaf to it. All trees of a round, and all faces, are walked at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facesearch.engine.vision.streams import StreamError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

POINTS = (
    5  # outer and inner corner of the eye at the image's right, the same of the other eye, base of the nose
)
_ROUNDS, _TREES, _DEPTH, _PLACES = 15, 500, 4, 800
_SPLITS, _LEAVES = 2**_DEPTH - 1, 2**_DEPTH

_MARGIN = 0.5  # of the face's box, on each side: no tree looks farther
_LARGEST = 400.0  # pixels; the box of a larger face is halved until it is smaller


@dataclass(frozen=True, slots=True)
class Shapes:
    """The predictor: a mean shape, and for each round its trees and the places where they look.

    `start` (5, 2); `anchors` (15, 800), the point a place moves with; `deltas` (15, 800, 2), where it is from
    there; `first`, `second` (15, 500, 15), the places each split compares; `thresholds` (15, 500, 15);
    `leaves` (15, 500, 16, 10). Shapes are in units of the face's box.
    """

    start: NDArray[np.float32]
    anchors: NDArray[np.int16]
    deltas: NDArray[np.float32]
    first: NDArray[np.int16]
    second: NDArray[np.int16]
    thresholds: NDArray[np.float32]
    leaves: NDArray[np.float32]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Every table by its name, as `Shapes(**tables)` takes them."""
        return {name: getattr(self, name) for name in self.__slots__}


def parse(data: bytes) -> Shapes:
    """The tables of a serialised shape predictor of five points. Raises StreamError."""
    values = _integers(data)
    reader = _Integers(values)
    if reader.take(1)[0] != 1:
        raise StreamError("not a shape predictor")
    start = reader.matrices(1, 2 * POINTS).reshape(POINTS, 2)
    reader.expect(_ROUNDS)
    first, second, thresholds, leaves = [], [], [], []
    width = 1 + 4 * _SPLITS + 1 + _LEAVES * (2 + 4 * POINTS)
    for _ in range(_ROUNDS):
        reader.expect(_TREES)
        trees = reader.take(_TREES * width).reshape(_TREES, width)
        splits = trees[:, 1 : 1 + 4 * _SPLITS].reshape(_TREES, _SPLITS, 4)
        first.append(splits[..., 0])
        second.append(splits[..., 1])
        thresholds.append(_reals(splits[..., 2:]))
        ends = trees[:, 2 + 4 * _SPLITS :].reshape(_TREES, _LEAVES, 2 + 4 * POINTS)
        leaves.append(_reals(ends[..., 2:].reshape(_TREES, _LEAVES, 2 * POINTS, 2)))
    reader.expect(_ROUNDS)
    anchors = []
    for _ in range(_ROUNDS):
        reader.expect(_PLACES)
        anchors.append(reader.take(_PLACES))
    reader.expect(_ROUNDS)
    deltas = []
    for _ in range(_ROUNDS):
        reader.expect(_PLACES)
        deltas.append(_reals(reader.take(4 * _PLACES).reshape(_PLACES, 2, 2)))
    return Shapes(
        start,
        np.array(anchors, np.int16),
        np.array(deltas, np.float32),
        np.array(first, np.int16),
        np.array(second, np.int16),
        np.array(thresholds, np.float32),
        np.array(leaves, np.float32),
    )


class _Integers:
    """Takes integers one after the other."""

    def __init__(self, values: NDArray[np.int64]) -> None:
        self._values = values
        self._position = 0

    def take(self, count: int) -> NDArray[np.int64]:
        start = self._position
        self._position += count
        if self._position > len(self._values):
            raise StreamError("the shape predictor ends too early")
        return self._values[start : self._position]

    def expect(self, value: int) -> None:
        found = int(self.take(1)[0])
        if found != value:
            raise StreamError(f"the shape predictor has {found} of what there must be {value} of")

    def matrices(self, count: int, size: int) -> NDArray[np.float32]:
        """Matrices of a number of floats, each behind its two dimensions."""
        values = self.take(count * (2 + 2 * size)).reshape(count, 2 + 2 * size)
        return _reals(values[:, 2:].reshape(count, size, 2))


def _integers(data: bytes) -> NDArray[np.int64]:
    """Every integer of the stream: it holds nothing else, as a float is two of them."""
    # The only loop over bytes: where each integer starts depends on the one before.
    lengths = data.translate(bytes(1 + (control & 0x0F) for control in range(256)))
    starts = []
    position, end = 0, len(data)
    while position < end:
        starts.append(position)
        position += lengths[position]
    controls = np.array(starts)
    padded = np.frombuffer(data + bytes(8), np.uint8)
    sizes = padded[controls] & 0x0F
    magnitudes = np.zeros(len(controls), np.int64)
    for byte in range(int(sizes.max(initial=0))):
        magnitudes |= np.where(sizes > byte, padded[controls + 1 + byte], 0).astype(np.int64) << (8 * byte)
    return np.where(padded[controls] & 0x80, -magnitudes, magnitudes)


def _reals(pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """Floats out of (..., 2) mantissas and exponents."""
    return np.ldexp(pairs[..., 0].astype(np.float64), pairs[..., 1]).astype(np.float32)


# --- finding the points ---------------------------------------------------------------------------------------


def locate(image: Image, boxes: NDArray[np.float64], shapes: Shapes) -> NDArray[np.float64]:
    """The points (n, 5, 2) of the faces in boxes (n, 4: left, top, width, height); pixel-edge coordinates both."""
    patches = [_Patch.around(image, box) for box in boxes]
    current = np.repeat(shapes.start[None], len(boxes), axis=0)
    centred = shapes.start - shapes.start.mean(axis=0)
    trees = np.arange(_TREES)
    for turn in range(_ROUNDS):
        places = _places(shapes, turn, current, centred)
        grey = np.stack([patch.grey(points) for patch, points in zip(patches, places, strict=True)])
        first, second, thresholds = shapes.first[turn], shapes.second[turn], shapes.thresholds[turn]
        node = np.zeros((len(boxes), _TREES), np.intp)
        rows = np.arange(len(boxes))[:, None]
        for _ in range(_DEPTH):
            difference = grey[rows, first[trees, node]] - grey[rows, second[trees, node]]
            node = 2 * node + 2 - (difference > thresholds[trees, node])
        steps = shapes.leaves[turn][trees, node - _SPLITS].sum(axis=1)
        current = current + steps.reshape(-1, POINTS, 2)
    return np.stack([patch.in_photo(shape) for patch, shape in zip(patches, current, strict=True)])


def _places(
    shapes: Shapes, turn: int, current: NDArray[np.float32], centred: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Where the trees of a round look (n, 800, 2): the places turn and grow with the shape."""
    offsets = current - current.mean(axis=1, keepdims=True)
    weight = (centred**2).sum()
    a = (offsets * centred).sum(axis=(1, 2)) / weight
    b = (offsets[..., 1] * centred[:, 0] - offsets[..., 0] * centred[:, 1]).sum(axis=1) / weight
    turning = np.stack([np.stack([a, b], -1), np.stack([-b, a], -1)], 1)
    places: NDArray[np.float32] = current[:, shapes.anchors[turn]] + shapes.deltas[turn] @ turning
    return places


@dataclass(frozen=True, slots=True)
class _Patch:
    """The part of a photo that a face's trees may look at, perhaps reduced, and how its pixels are found."""

    pixels: NDArray[np.uint8]
    corner: NDArray[np.float64]  # of the patch in the photo
    shrinking: int
    low: NDArray[np.float64]  # of the face's box in the patch, at its first pixel's centre
    size: NDArray[np.float64]  # of the face's box in the patch, from first to last pixel's centre

    @classmethod
    def around(cls, image: Image, box: NDArray[np.float64]) -> _Patch:
        left, top, width, height = box
        shrinking = 1 << max(0, math.ceil(math.log2(max(width, height) / _LARGEST)))
        corner = np.floor([left - _MARGIN * width, top - _MARGIN * height])
        corner = np.clip(corner, 0, [image.width - 1, image.height - 1]).astype(int)
        end = np.ceil([left + (1 + _MARGIN) * width, top + (1 + _MARGIN) * height]).astype(int)
        end = np.clip(end, corner + 1, [image.width, image.height])
        area = (*corner.tolist(), *end.tolist())
        patch = image.crop(area) if shrinking == 1 else image.reduce(shrinking, area)
        low = (np.array([left, top]) - corner) / shrinking
        size = np.array([width, height]) / shrinking - 1
        return cls(np.asarray(patch), corner.astype(float), shrinking, low, size)

    def grey(self, shape: NDArray[np.float32]) -> NDArray[np.int32]:
        """The grey values, 0..255, at places in units of the box; 0 outside the photo."""
        places = np.floor(shape * self.size + self.low + 0.5).astype(np.intp)
        height, width, _ = self.pixels.shape
        x, y = places.T
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        x, y = np.where(inside, places.T, 0)
        colours = self.pixels[y, x].sum(axis=1, dtype=np.int32)
        return np.where(inside, colours // 3, 0)

    def in_photo(self, shape: NDArray[np.float32]) -> NDArray[np.float64]:
        """A shape in units of the box as points of the photo, in pixel-edge coordinates."""
        points: NDArray[np.float64] = (shape * self.size + self.low + 0.5) * self.shrinking + self.corner
        return points


def load(tables: Mapping[str, NDArray[np.generic]]) -> Shapes:
    """The predictor out of its tables. KeyError or TypeError when they are not all there."""
    return Shapes(**tables)  # type: ignore[arg-type]  # each is of the type that `parse` gave it
