"""Describing a face: it is cut out upright at one size and given to the descriptor network.

A chip is 150 x 150 pixels with the eyes and the nose always at the same place. A face's descriptor is the unit
vector of the sum of its chip's and its mirrored chip's, which tells people apart better than either (true matches
at one false in ten thousand: .82 instead of .73).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling, Transform

SIDE = 150
DIMENSIONS = 128
_BATCH = 16  # faces; the network takes no more memory for a crowd than for so many
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
_CHIP_POINTS = (_TEMPLATE + _PADDING) / (1 + 2 * _PADDING) * SIDE

Describe = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def descriptors(chips: Sequence[NDArray[np.uint8]], network: Describe) -> NDArray[np.float32]:
    """The descriptors (n, 128), of unit length, of chips (150, 150, 3)."""
    sums = [np.empty((0, DIMENSIONS), np.float32)]
    for start in range(0, len(chips), _BATCH):
        batch = np.stack(chips[start : start + _BATCH])
        seen, mirrored = np.split(network(np.concatenate([batch, batch[:, :, ::-1]])), 2)
        sums.append(seen + mirrored)
    vectors = np.concatenate(sums)
    result: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return result


def chip(image: Image, points: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The chip (150, 150, 3) of the face with these points (5, 2), in pixel-edge coordinates of the RGB image.

    What lies outside the image is black.
    """
    matrix, offset = chip_to_photo(points)
    scale = math.hypot(*matrix[:, 0])
    shrinking = 1
    while (SIDE * scale / (2 * shrinking)) ** 2 > SIDE**2:
        shrinking *= 2
    if shrinking > 1:
        image, corner = _reduced(image, matrix, offset, shrinking)
        matrix, offset = matrix / shrinking, (offset - corner) / shrinking
    (a, b), (d, e) = matrix
    data = (a, b, offset[0], d, e, offset[1])
    return np.asarray(image.transform((SIDE, SIDE), Transform.AFFINE, data, Resampling.BILINEAR))


def chip_to_photo(points: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matrix (2, 2) and offset (2,) that lead from a chip's coordinates to the photo's, pixel-edge both.

    The similarity that fits the points best, made smaller by about one pixel in 150: dlib lays the centres of the
    first and the last pixel on what it measured from edge to edge.
    """
    source = _CHIP_POINTS - _CHIP_POINTS.mean(axis=0)
    target = points.astype(np.float64) - 0.5  # dlib counts from the centre of the first pixel
    centre = target.mean(axis=0)
    offsets = target - centre
    weight = (source**2).sum()
    a = (source * offsets).sum() / weight
    b = (source[:, 0] * offsets[:, 1] - source[:, 1] * offsets[:, 0]).sum() / weight
    rotation = np.array([[a, -b], [b, a]])
    middle = centre + rotation @ (SIDE / 2 - _CHIP_POINTS.mean(axis=0))
    scale = math.hypot(a, b)
    matrix = rotation * ((SIDE * scale - 1) / (SIDE - 1) / scale)
    return matrix, middle + 0.5 - matrix @ np.full(2, SIDE / 2)


def _reduced(
    image: Image, matrix: NDArray[np.float64], offset: NDArray[np.float64], shrinking: int
) -> tuple[Image, NDArray[np.float64]]:
    """The part of the image that a chip shows, reduced, and where in the image it starts."""
    corners = np.array([(0, 0), (SIDE, 0), (0, SIDE), (SIDE, SIDE)]) @ matrix.T + offset
    limits = np.array([image.width, image.height])
    start = np.clip(np.floor(corners.min(axis=0)) - 2 * shrinking, 0, limits - 1).astype(int)
    end = np.clip(np.ceil(corners.max(axis=0)) + 2 * shrinking, start + 1, limits).astype(int)
    return image.reduce(shrinking, (*start.tolist(), *end.tolist())), start.astype(np.float64)
