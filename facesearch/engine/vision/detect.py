"""Finding faces: dlib's max-margin detector over a pyramid of the photo.

The detector knows one size of face, 80 x 80 pixels, and sees those down to 65. So it looks at the photo in many
sizes, each smaller by the square root of one half. The largest has about the same number of pixels whatever the
photo: that bounds time and memory, and finds faces from 3 to 5 % of the long side of an ordinary photo on. A small
photo is enlarged, so that faces of 30 pixels are found in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling

Detections = NDArray[np.float64]  # (n, 5): left, top, width, height in pixel-edge coordinates, score
ScoreMap = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_ROOT = math.sqrt(0.5)
_PIXELS = 1600 * 1200  # the largest level of the pyramid has about as many
_MOST_ENLARGED = 2.25  # at 2, two of 43 faces in small group photos are missed; at more, none more is found
_SMALLEST_SIDE = 40  # a level whose short side is less shows nothing but faces twice as large as the photo

_WINDOW = 80.0  # pixels, the size of face that the network knows
_STEP = 8  # pixels between two places in the score map
_FIRST = 14.5  # where the first of them is, in pixel-edge coordinates
_BORDER = 16  # pixels of mean colour around each level, so that faces cut by the edge are found
_MEAN_COLOUR = (123, 117, 104)

_FOUND = 0.0  # the score from which the network was trained to say "a face"
_SUPPORTING = -0.5  # the score from which a place may move the box of a face found beside it
_SAME_FACE = 0.338276  # the overlap from which two boxes are one face, as the network was trained
_SAME_BOX = 0.4  # the overlap from which a box moves another; a level above or below is .5


@dataclass(frozen=True, slots=True)
class Level:
    """The photo in one size; the scales lead from the photo's pixels to the level's."""

    image: Image
    scale_x: float
    scale_y: float


def detect(image: Image, network: ScoreMap) -> Detections:
    """The faces of an RGB image, best score first; all with a score above 0."""
    candidates = [_candidates(level, network) for level in pyramid(image)]
    return merged(np.concatenate(candidates) if candidates else np.empty((0, 5)))


def pyramid(image: Image) -> Iterator[Level]:
    """The image in sizes that shrink by the square root of one half.

    The largest is its own times a power of that root: halving is ten times faster than any other change of size.
    """
    photo = Level(image, 1.0, 1.0)
    half_octaves = round(math.log2(image.width * image.height / _PIXELS))
    if half_octaves < 0:
        scale = min(_ROOT**half_octaves, _MOST_ENLARGED)
        level, after = _resized(photo, scale), _resized(photo, scale * _ROOT)
    else:
        level = _halved(photo, half_octaves // 2)
        after = _resized(level, _ROOT)
        if half_octaves % 2:
            level, after = after, _halved(level)
    while min(level.image.size) >= _SMALLEST_SIDE:
        yield level
        level, after = after, _halved(level)


def _resized(level: Level, scale: float) -> Level:
    image = level.image
    width, height = (max(round(side * scale), 1) for side in image.size)
    scales = level.scale_x * width / image.width, level.scale_y * height / image.height
    return Level(image.resize((width, height), Resampling.BILINEAR), *scales)


def _halved(level: Level, times: int = 1) -> Level:
    factor = 2**times
    image = level.image.reduce(factor) if times else level.image
    return Level(image, level.scale_x / factor, level.scale_y / factor)


def blocks(pixels: NDArray[np.uint8], border: int = _BORDER) -> NDArray[np.uint8]:
    """The network's input (1, rows, columns, 12) for an image (height, width, 3) in a border of mean colour.

    Each place holds a 2x2 block of pixels: row, column, colour, the last changing fastest.
    """
    height, width, _ = pixels.shape
    rows, columns = (-(-(side + 2 * border) // 2) for side in (height, width))
    canvas = np.empty((2 * rows, 2 * columns, 3), np.uint8)
    for edge in (np.s_[:border], np.s_[border + height :]):
        canvas[edge] = _MEAN_COLOUR
    for edge in (np.s_[:border], np.s_[border + width :]):
        canvas[border : border + height, edge] = _MEAN_COLOUR
    canvas[border : border + height, border : border + width] = pixels
    # Two pixels of a row stay together, so they are moved as one item: three times as fast as byte by byte.
    pairs = canvas.reshape(rows, 2, columns, 6).view("V6")[..., 0]
    placed = np.empty((rows, columns, 2), "V6")
    placed[:, :, 0], placed[:, :, 1] = pairs[:, 0], pairs[:, 1]
    return placed.view(np.uint8).reshape(1, rows, columns, 12)


def _candidates(level: Level, network: ScoreMap) -> Detections:
    """The boxes, in the photo's pixels, of all places of a level that may be a face."""
    scores = network(blocks(np.asarray(level.image)))[0, 0]
    rows, columns = np.nonzero(scores > _SUPPORTING)
    left = columns * _STEP + _FIRST - _BORDER - _WINDOW / 2
    top = rows * _STEP + _FIRST - _BORDER - _WINDOW / 2
    found = np.empty((len(rows), 5))
    found[:, 0], found[:, 1] = left / level.scale_x, top / level.scale_y
    found[:, 2], found[:, 3] = _WINDOW / level.scale_x, _WINDOW / level.scale_y
    found[:, 4] = scores[rows, columns]
    return found


def merged(candidates: Detections) -> Detections:
    """One box for each face, best score first: the mean of the boxes that show it, weighted by their scores."""
    candidates = candidates[np.argsort(-candidates[:, 4], kind="stable")]
    pending = candidates[:, 4] > _FOUND
    faces = []
    for index in range(int(pending.sum())):
        if not pending[index]:
            continue
        overlap = overlaps(candidates[index], candidates)
        pending &= overlap <= _SAME_FACE
        near = candidates[overlap > _SAME_BOX]
        box = np.average(near[:, :4], axis=0, weights=near[:, 4] - _SUPPORTING)
        faces.append([*box, candidates[index, 4]])
    return np.array(faces, np.float64).reshape(-1, 5)


def overlaps(box: Detections, others: Detections) -> NDArray[np.float64]:
    """The overlap of a box with others, 0..1, as the network was trained: their common area by that of the
    smallest box around both (not by that of their union).
    """
    low, high = box[:2], box[:2] + box[2:4]
    lows, highs = others[:, :2], others[:, :2] + others[:, 2:4]
    common = np.clip(np.minimum(high, highs) - np.maximum(low, lows), 0, None).prod(axis=1)
    around = (np.maximum(high, highs) - np.minimum(low, lows)).prod(axis=1)
    result: NDArray[np.float64] = common / around
    return result
