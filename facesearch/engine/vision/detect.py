"""Finding faces: dlib's max-margin detector over a pyramid of the photo.

The detector knows one size of face, 80 x 80 pixels, and sees those down to 65. So it looks at the photo in many
sizes, each smaller by the square root of one half; the largest of them decides what the smallest face found is.
That is why the photo is looked at from coarse to fine, in two parts:

- The first look ends at 400,000 to 800,000 pixels, or about where a small photo would have to be enlarged. It
  finds faces from 6 to 9 % of the long side of an ordinary photo on. With detail `fast` it ends where the faces
  found are so large that smaller ones are unlikely, and there is no other but for small photos.
- The closer look doubles that up to three times: faces of 40 pixels in 1920 x 1080 are found. It costs up to seven
  times the first look. With detail `high` it is always taken to its end, with `auto` until it is unlikely to add
  anybody: see `_enough`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Canvas
from PIL.Image import Image, Resampling

from facesearch.engine.drafted import Picture

Detections = NDArray[np.float64]  # (n, 5): left, top, width, height in pixel-edge coordinates, score
ScoreMap = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_NOTHING: Detections = np.empty((0, 5))
_ROOT = math.sqrt(0.5)
_FIRST_PIXELS = 800_000  # the largest level of the first look has at most so many
_FIRST_ENLARGED = 1.2  # and is at most so many times as large as the photo,
_FAST_ENLARGED = 1.6  # or as this with detail `fast`
_CLOSEST_PIXELS = 6_300_000  # and that of the closest: faces of 40 pixels in 1920 x 1080 are then of 70
_MOST_ENLARGED = 2.25  # at 2, two of 43 faces in small group photos are missed; at more, none more is found
_COARSEST_STEP = 1.55  # between two levels of the closer look; faces between them are found up to 1.6
_SMALLEST_SIDE = 40  # a level whose short side is less shows nothing but faces twice as large as the photo

_ALONE = 128.0  # pixels of the finest level: an only face so large ends the search, an octave of smaller ones
_IN_COMPANY = 256.0  # having been looked for in vain; several faces end it after two such octaves,
_FILLING = 96.0  # and one that fills the photo after little more than half of one,
_FILLS = 1 / 3  # which it does from this part of the short side on

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


def detect(image: Picture, network: ScoreMap, detail: Detail = Detail.AUTO) -> Detections:
    """The faces of an RGB image, best score first; all with a score above 0."""
    first, closer = scales(*image.size)
    candidates = _NOTHING
    for level in reversed(pyramid(image, first)):
        candidates = np.concatenate([candidates, _candidates(level, network)])
        if detail is Detail.FAST and _enough(merged(candidates), level.scale_x, image):
            break
    faces = merged(candidates)
    finest = first[0] if first else 0.0
    for scale in closer if detail is not Detail.FAST else _fast(closer, image):
        if detail is not Detail.HIGH and _enough(faces, finest, image):
            break
        candidates = np.concatenate([candidates, _candidates(_resized(image, scale), network)])
        faces, finest = merged(candidates), scale
    return faces


def _enough(faces: Detections, scale: float, image: Picture) -> bool:
    """Whether what was found in levels up to this scale is likely to be all.

    A photo without a face is searched to the end. Where several people are, others behind them are more likely;
    beside a face that fills the photo they are less.
    """
    if not len(faces):
        return False
    smallest = float(faces[:, 2:4].min())
    if len(faces) > 1:
        return smallest * scale >= _IN_COMPANY
    fills = smallest >= _FILLS * min(image.size)
    return smallest * scale >= (_FILLING if fills else _ALONE)


def _fast(closer: Sequence[float], image: Picture) -> list[float]:
    """What detail `fast` takes of the closer look: the enlargement of a small photo."""
    most = min(math.sqrt(_FIRST_PIXELS / (image.width * image.height)), _FAST_ENLARGED)
    return [scale for scale in closer if scale <= most]


def scales(width: int, height: int) -> tuple[list[float], list[float]]:
    """The scales of the first look, finest first, and of the closer look, coarsest first; either may be empty.

    A large photo's first look is at scales of which every second is a power of one half, which costs no resizing.
    """
    area = width * height
    closest = min(math.sqrt(_CLOSEST_PIXELS / area), _MOST_ENLARGED)
    start = 0.0 if area > _FIRST_PIXELS else math.log2(closest)
    most = min(_FIRST_PIXELS, _FIRST_ENLARGED**2 * area)
    steps_down = math.ceil(math.log2(4**start * area / most))
    finest = start - steps_down / 2
    octaves = finest + math.log2(min(width, height) / _SMALLEST_SIDE)
    first = [2.0 ** (finest - step / 2) for step in range(math.floor(2 * octaves) + 1)]
    apart = closest / 2.0**finest
    steps = math.ceil(math.log(apart, _COARSEST_STEP) - 1e-9)
    return first, [closest * apart ** (step / steps - 1) for step in range(1, steps + 1)]


def pyramid(image: Picture, ladder: Sequence[float]) -> list[Level]:
    """The image at scales that shrink by the square root of one half.

    All but one or two of them are halved, ten times as fast as any other change of size.
    """
    levels: list[Level] = []
    for index, scale in enumerate(ladder):
        if index >= 2:
            levels.append(_halved(levels[index - 2]))
        elif index == 0 or _halvings(scale):
            levels.append(_resized(image, scale))
        else:
            levels.append(_resized(levels[0].image, _ROOT, levels[0]))
    return levels


def _resized(image: Picture, scale: float, of: Level | None = None) -> Level:
    if halvings := _halvings(scale):
        return Level(image.reduce(2**halvings), scale, scale)
    width, height = (max(round(side * scale), 1) for side in image.size)
    scale_x, scale_y = width / image.width, height / image.height
    # Photos many times as large are halved first, as often as that leaves something to resize.
    resized = image.resize((width, height), Resampling.BILINEAR, reducing_gap=1.0)
    return Level(resized, scale_x * (of.scale_x if of else 1), scale_y * (of.scale_y if of else 1))


def _halvings(scale: float) -> int:
    """How often an image is halved to come to this scale; 0 when that does not lead to it."""
    octaves = -math.log2(scale)
    return int(octaves) if octaves > 0 and octaves.is_integer() else 0


def _halved(level: Level) -> Level:
    return Level(level.image.reduce(2), level.scale_x / 2, level.scale_y / 2)


def blocks(image: Image, border: int = _BORDER) -> NDArray[np.uint8]:
    """The network's input (1, rows, columns, 12) for an image in a border of mean colour.

    Each place holds a 2x2 block of pixels: row, column, colour, the last changing fastest.
    """
    rows, columns = (-(-(side + 2 * border) // 2) for side in (image.height, image.width))
    framed = Canvas.new("RGB", (2 * columns, 2 * rows), _MEAN_COLOUR)
    framed.paste(image, (border, border))
    # Two bytes at a time: two pixels of a row, which stay together, are three such pairs.
    pairs = np.asarray(framed).reshape(rows, 2, -1).view(np.uint16).reshape(rows, 2, columns, 3)
    placed = np.empty((rows, columns, 2, 3), np.uint16)
    for row, pair in np.ndindex(2, 3):  # in long strides, six times as fast as all in one go
        placed[:, :, row, pair] = pairs[:, row, :, pair]
    return placed.view(np.uint8).reshape(1, rows, columns, 12)


def _candidates(level: Level, network: ScoreMap) -> Detections:
    """The boxes, in the photo's pixels, of all places of a level that may be a face."""
    scores = network(blocks(level.image))[0, 0]
    rows, columns = np.nonzero(scores > _SUPPORTING)
    if not len(rows):  # as in most levels of most photos
        return _NOTHING
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
        weights = near[:, 4] - _SUPPORTING
        faces.append([*(weights @ near[:, :4] / weights.sum()), candidates[index, 4]])
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
