"""Finding faces: dlib's max-margin detector over a pyramid of the photo.

The detector knows one size of face, 80 x 80 pixels, and sees those down to 65. So it looks at the photo in many
sizes, each smaller by the square root of one half; the largest of them decides what the smallest face found is.
That is why the photo is looked at from coarse to fine, in two parts:

- The first look ends at about 1024 x 768 pixels, whatever the photo's size. It finds faces from 6 to 8 % of the
  long side of an ordinary photo on. With detail `fast` there is no other.
- The closer look doubles that up to three times, in steps of two: faces of 40 pixels in 1920 x 1080 are found. It
  costs up to seven times the first look. With detail `high` it is always taken to its end, with `auto` until it is
  unlikely to add anybody: see `_enough`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling

Detections = NDArray[np.float64]  # (n, 5): left, top, width, height in pixel-edge coordinates, score
ScoreMap = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_ROOT = math.sqrt(0.5)
_FIRST_PIXELS = 1024 * 768  # the largest level of the first look has at most so many
_CLOSEST_PIXELS = (
    8 * _FIRST_PIXELS
)  # and that of the closest; faces of 40 pixels in 1920 x 1080 are then of 70
_MOST_ENLARGED = 2.25  # at 2, two of 43 faces in small group photos are missed; at more, none more is found
_SMALLEST_SIDE = 40  # a level whose short side is less shows nothing but faces twice as large as the photo

_ALONE = 128.0  # pixels of the finest level: an only face so large ends the search, an octave of smaller ones
_IN_COMPANY = 256.0  # having been looked for in vain; several faces end it after two such octaves

_WINDOW = 80.0  # pixels, the size of face that the network knows
_STEP = 8  # pixels between two places in the score map
_FIRST = 14.5  # where the first of them is, in pixel-edge coordinates
_BORDER = 16  # pixels of mean colour around each level, so that faces cut by the edge are found
_MEAN_COLOUR = (123, 117, 104)

_FOUND = 0.0  # the score from which the network was trained to say "a face"
_SUPPORTING = -0.5  # the score from which a place may move the box of a face found beside it
_SAME_FACE = 0.338276  # the overlap from which two boxes are one face, as the network was trained
_SAME_BOX = 0.4  # the overlap from which a box moves another; a level above or below is .5


class Detail(StrEnum):
    """How small the faces are that a photo is searched for."""

    FAST = "fast"
    AUTO = "auto"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Level:
    """The photo in one size; the scales lead from the photo's pixels to the level's."""

    image: Image
    scale_x: float
    scale_y: float


def detect(image: Image, network: ScoreMap, detail: Detail = Detail.AUTO) -> Detections:
    """The faces of an RGB image, best score first; all with a score above 0."""
    first, closer = scales(*image.size)
    candidates = np.concatenate(
        [np.empty((0, 5)), *(_candidates(level, network) for level in pyramid(image, first))]
    )
    faces = merged(candidates)
    if detail is Detail.FAST:
        return faces
    finest = first[0] if first else 0.0
    for scale in closer:
        if detail is Detail.AUTO and _enough(faces, finest):
            break
        candidates = np.concatenate([candidates, _candidates(_resized(image, scale), network)])
        faces, finest = merged(candidates), scale
    return faces


def _enough(faces: Detections, scale: float) -> bool:
    """Whether what was found in levels up to this scale is likely to be all.

    A photo without a face is searched to the end. Where several people are, others behind them are more likely.
    """
    if not len(faces):
        return False
    smallest = float(faces[:, 2:4].min()) * scale
    return smallest >= (_ALONE if len(faces) == 1 else _IN_COMPANY)


def scales(width: int, height: int) -> tuple[list[float], list[float]]:
    """The scales of the first look, finest first, and of the closer look, coarsest first; either may be empty.

    All are of one ladder, so that no size is looked at twice.
    """
    area = width * height
    closest = min(math.sqrt(_CLOSEST_PIXELS / area), _MOST_ENLARGED)
    octaves = math.log2(closest * min(width, height) / _SMALLEST_SIDE)
    ladder = [closest * _ROOT**step for step in range(math.floor(2 * octaves) + 1)]
    first = [scale for scale in ladder if scale**2 * area < _FIRST_PIXELS * 1.01]
    return first, ladder[: len(ladder) - len(first)][::-1]


def pyramid(image: Image, ladder: Sequence[float]) -> Iterator[Level]:
    """The image at scales that shrink by the square root of one half.

    The first two are resized and the others halved from them, ten times as fast as any other change of size.
    """
    levels = [_resized(image, scale) for scale in ladder[:1]]
    levels += [_resized(level.image, _ROOT, level) for level in levels if len(ladder) > 1]
    for index in range(len(ladder)):
        level = levels[index]
        yield level
        if index + 2 < len(ladder):
            levels.append(_halved(level))


def _resized(image: Image, scale: float, of: Level | None = None) -> Level:
    width, height = (max(round(side * scale), 1) for side in image.size)
    scale_x, scale_y = width / image.width, height / image.height
    # Photos many times as large are halved first, as often as that leaves something to resize.
    resized = image.resize((width, height), Resampling.BILINEAR, reducing_gap=1.0)
    return Level(resized, scale_x * (of.scale_x if of else 1), scale_y * (of.scale_y if of else 1))


def _halved(level: Level) -> Level:
    return Level(level.image.reduce(2), level.scale_x / 2, level.scale_y / 2)


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
