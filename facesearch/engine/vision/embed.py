"""Describing a face: it is cut out upright at one size and given to the descriptor network.

A chip is 150 x 150 pixels with the eyes and the nose always at the same place. A face's descriptor is the unit
vector of the sum of its chips' and their mirror images', which tells people apart better than any of them (true
matches at one false in ten thousand: .82 for a chip and its mirror image, .73 for the chip alone).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling, Transform

from facesearch.engine.drafted import Picture

SIDE = 150
DIMENSIONS = 128
_BATCH = 16  # chips; the network takes no more memory for a crowd than for so many
_PADDING = 0.25  # of the face, on each side

# Where the five points are in a chip, as ratios of its side before padding: what the network was trained with.
_TEMPLATE = np.array(
    [
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    ]
)
CHIP_POINTS = (_TEMPLATE + _PADDING) / (1 + 2 * _PADDING) * SIDE

Describe = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
Placing = tuple[
    NDArray[np.float64], NDArray[np.float64]
]  # matrix (2, 2), offset (2,): from a chip to the photo


@dataclass(frozen=True, slots=True)
class View:
    """One chip of a face: how many times as large as usual, and what its grey values (0..1) are raised to."""

    zoom: float = 1.0
    gamma: float = 1.0


def chips(
    image: Picture, points: NDArray[np.floating], views: Sequence[View], usual: NDArray[np.uint8]
) -> list[NDArray[np.uint8]]:
    """The chips (150, 150, 3) of the face with these points (5, 2), in pixel-edge coordinates of the RGB image.

    `usual` is the one that `chip` gave. What lies outside the image is black.
    """
    placing = chip_to_photo(points)
    zooms = {view.zoom for view in views} - {1.0}
    seen = {1.0: usual} | {zoom: cut(image, zoomed(placing, zoom), (SIDE, SIDE)) for zoom in zooms}
    return [brightened(seen[view.zoom], view.gamma) for view in views]


def chip(image: Picture, points: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The face's usual chip alone."""
    return cut(image, chip_to_photo(points), (SIDE, SIDE))


def descriptors(seen: Sequence[NDArray[np.uint8]], network: Describe, each: int = 1) -> NDArray[np.float32]:
    """The descriptors (n, 128), of unit length, of chips (150, 150, 3), `each` so many of one face."""
    outputs = [np.empty((0, DIMENSIONS), np.float32)]
    for start in range(0, len(seen), _BATCH):
        batch = np.stack(seen[start : start + _BATCH])
        straight, mirrored = np.split(network(np.concatenate([batch, batch[:, :, ::-1]])), 2)
        outputs.append(straight + mirrored)
    vectors = np.concatenate(outputs).reshape(-1, each, DIMENSIONS).sum(axis=1)
    result: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return result


def cut(image: Picture, placing: Placing, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The part of an RGB image that a chip of that size (width, height) shows; (height, width, 3).

    What lies outside the image is black.
    """
    matrix, offset = placing
    shrinking = 1
    while math.hypot(*matrix[:, 0]) > 2 * shrinking:
        shrinking *= 2
    if shrinking > 1:
        image, corner = _reduced(image, placing, size, shrinking)
        matrix, offset = matrix / shrinking, (offset - corner) / shrinking
    (a, b), (d, e) = matrix
    data = (a, b, offset[0], d, e, offset[1])
    return np.asarray(image.transform(size, Transform.AFFINE, data, Resampling.BILINEAR))


def chip_to_photo(points: NDArray[np.floating]) -> Placing:
    """Matrix (2, 2) and offset (2,) that lead from a chip's coordinates to the photo's, pixel-edge both.

    The similarity that fits the points best, made smaller by about one pixel in 150: dlib lays the centres of the
    first and the last pixel on what it measured from edge to edge.
    """
    # dlib counts from the centre of the first pixel.
    matrix, offset = fitted(CHIP_POINTS, points.astype(np.float64) - 0.5)
    middle = matrix @ np.full(2, SIDE / 2) + offset
    scale = math.hypot(*matrix[:, 0])
    matrix = matrix * ((SIDE * scale - 1) / (SIDE - 1) / scale)
    return matrix, middle + 0.5 - matrix @ np.full(2, SIDE / 2)


def fitted(source: NDArray[np.floating], target: NDArray[np.floating]) -> Placing:
    """The turn, growth and shift that bring points (n, 2) nearest to others, by least squares."""
    centre, goal = source.mean(axis=0, dtype=np.float64), target.mean(axis=0, dtype=np.float64)
    x, y = (source - centre).T
    u, v = (target - goal).T
    weight = (x**2 + y**2).sum()
    a, b = (x * u + y * v).sum() / weight, (x * v - y * u).sum() / weight
    matrix = np.array([[a, -b], [b, a]])
    return matrix, goal - matrix @ centre


def zoomed(placing: Placing, zoom: float) -> Placing:
    """The same for a chip that shows its middle so many times as large."""
    matrix, offset = placing
    middle = np.full(2, SIDE / 2)
    return matrix / zoom, offset + matrix @ middle - matrix @ middle / zoom


def brightened(pixels: NDArray[np.uint8], gamma: float) -> NDArray[np.uint8]:
    """Grey values 0..1 raised to a power: less than 1 shows more of what is dark."""
    if gamma == 1.0:
        return pixels
    table = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    result: NDArray[np.uint8] = table[pixels]
    return result


def _reduced(
    image: Picture, placing: Placing, size: tuple[int, int], shrinking: int
) -> tuple[Image, NDArray[np.float64]]:
    """The part of the image that a chip shows, reduced, and where in the image it starts."""
    matrix, offset = placing
    width, height = size
    corners = np.array([(0, 0), (width, 0), (0, height), (width, height)]) @ matrix.T + offset
    limits = np.array([image.width, image.height])
    start = np.clip(np.floor(corners.min(axis=0)) - 2 * shrinking, 0, limits - 1).astype(int)
    start -= start % shrinking
    end = np.clip(np.ceil(corners.max(axis=0)) + 2 * shrinking, start + 1, limits).astype(int)
    return image.reduce(shrinking, (*start.tolist(), *end.tolist())), start.astype(np.float64)
