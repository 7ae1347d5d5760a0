"""Five points of a face: dlib's shape predictor, an ensemble of regression trees, in NumPy.

The trees compare pixels at places that move with the shape as it is known so far, and in each of 15 rounds 500
trees add their leaf to it. All splits of a round, for all faces of a photo, are decided at once: that is more work
than walking down the trees, and takes less time. What a tree's 15 splits say, as bits, is looked up.

The points are the outer and the inner corner of the eye at the photo's right, the same of the other eye, and the
base of the nose.
"""

from __future__ import annotations

from functools import cache as once
from typing import TYPE_CHECKING

import numpy as np

from facesearch.engine.vision.shapes import DEPTH, LEAVES, POINTS, ROUNDS, SPLITS, TREES, Shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facesearch.engine.drafted import Picture

_MARGIN = 0.5  # of the face's box, on each side: no tree looks farther
_FIRST_LEAVES = LEAVES * np.arange(TREES)  # of each tree, among those of all
_LARGEST = 400.0  # pixels; the box of a larger face is halved until it is smaller


def locate(image: Picture, boxes: NDArray[np.float64], shapes: Shapes) -> NDArray[np.float64]:
    """The points (n, 5, 2) of faces, at least one, in boxes (n, 4: left, top, width, height); all in pixel-edge
    coordinates.
    """
    patches = _Patches(image, boxes)
    current = np.repeat(shapes.start[None], len(boxes), axis=0)
    upright = _centred(shapes.start).conj()
    square = (np.abs(upright) ** 2).sum()
    steps = np.empty((len(boxes), POINTS, 1 + TREES), current.dtype)
    for turn in range(ROUNDS):
        turning = (_centred(current) * upright).sum(axis=1, keepdims=True) / square
        # Where the trees look: the places turn and grow with the shape.
        grey = patches.grey(current.take(shapes.anchors[turn], axis=1) + shapes.deltas[turn] * turning)
        difference = grey.take(shapes.first[turn], axis=1)
        difference -= grey.take(shapes.second[turn], axis=1)
        splits = np.packbits(difference > shapes.thresholds[turn], bitorder="little").view("<u2")
        leaves = _FIRST_LEAVES + _leaf().take(splits).reshape(-1, TREES)
        steps[..., 0] = current
        steps[..., 1:] = shapes.leaves[turn].reshape(-1, POINTS).take(leaves, axis=0).swapaxes(1, 2)
        # In the order of the trees, as dlib adds them: a last bit can decide which pixel is looked at next.
        current = np.add.accumulate(steps, axis=2)[..., -1]
    return patches.in_photo(current)


@once
def _leaf() -> NDArray[np.intp]:
    """The leaf (0..15) that a tree's 15 splits lead to, by their bits, the first split's being the lowest."""
    bits = np.arange(2**SPLITS)
    node = np.zeros(2**SPLITS, np.intp)
    for _ in range(DEPTH):
        node = 2 * node + 2 - (bits >> node & 1)
    leaf: NDArray[np.intp] = node - SPLITS
    return leaf


def _centred(shape: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """A shape's points (..., 5) as seen from their mean."""
    centred: NDArray[np.complex64] = shape - shape.sum(axis=-1, keepdims=True) / POINTS
    return centred


class _Patches:
    """The parts of a photo around its faces, large ones reduced, in grey, with all their pixels in one row."""

    def __init__(self, image: Picture, boxes: NDArray[np.float64]) -> None:
        low, size = boxes[:, None, :2], boxes[:, None, 2:]
        limits = np.array([image.width, image.height])
        largest = boxes[:, 2:].max(axis=1)
        self._shrinking = 2 ** np.ceil(np.log2(np.maximum(largest / _LARGEST, 1))).astype(int)[:, None, None]
        corners = np.clip(np.floor(low - _MARGIN * size), 0, limits - 1).astype(int)
        self._corners = corners - corners % self._shrinking
        ends = np.ceil(low + (1 + _MARGIN) * size).astype(int)
        ends = np.clip(ends, self._corners + 1, limits)
        areas = np.concatenate([self._corners, ends], axis=2)[:, 0].tolist()
        patches = [
            np.asarray(image.crop(area) if shrinking == 1 else image.reduce(shrinking, area))
            for area, shrinking in zip(map(tuple, areas), self._shrinking.ravel().tolist(), strict=True)
        ]
        framed = [_framed(_grey(patch)) for patch in patches]
        self._grey = np.concatenate([patch.ravel() for patch in framed])
        sizes = np.array([(patch.shape[1], patch.shape[0]) for patch in framed])
        counts = sizes.prod(axis=1)
        self._starts = (np.cumsum(counts) - counts)[:, None]
        self._width, self._height = sizes[:, :1], sizes[:, 1:]
        # dlib's box runs from the centre of its first pixel to that of its last.
        self._low = _complex((low - self._corners) / self._shrinking)
        self._size = _complex(size / self._shrinking - 1)

    def grey(self, places: NDArray[np.complex64]) -> NDArray[np.int16]:
        """The grey values (n, m), 0..255, at places (n, m) in units of the boxes; 0 outside the photo."""
        column = _framed_place(places.real * self._size.real + self._low.real, self._width)
        row = _framed_place(places.imag * self._size.imag + self._low.imag, self._height)
        grey: NDArray[np.int16] = self._grey.take(row * self._width + column + self._starts)
        return grey

    def in_photo(self, shapes: NDArray[np.complex64]) -> NDArray[np.float64]:
        """Shapes (n, m) in units of the boxes as points (n, m, 2) of the photo, in pixel-edge coordinates."""
        x = shapes.real * self._size.real + self._low.real
        y = shapes.imag * self._size.imag + self._low.imag
        points: NDArray[np.float64] = (np.stack([x, y], axis=2) + 0.5) * self._shrinking + self._corners
        return points


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    """The mean of the three colours, rounded down."""
    red, green, blue = (pixels[..., colour] for colour in range(3))
    return (red.astype(np.int16) + green + blue) // 3


def _framed(grey: NDArray[np.int16]) -> NDArray[np.int16]:
    """The same in a frame of zeros, one pixel wide: what is outside the photo is black."""
    height, width = grey.shape
    framed = np.zeros((height + 2, width + 2), np.int16)
    framed[1:-1, 1:-1] = grey
    return framed


def _framed_place(centres: NDArray[np.float64], length: NDArray[np.intp]) -> NDArray[np.intp]:
    """Which row or column of a framed patch of that length is nearest to places (n, m) in the patch itself."""
    return np.minimum(np.maximum(np.floor(centres + 1.5), 0), length - 1).astype(np.intp)


def _complex(pairs: NDArray[np.float64]) -> NDArray[np.complex128]:
    """x + iy out of (..., 2)."""
    return pairs[..., 0] + 1j * pairs[..., 1]
