"""What can be said of a face besides whose it is: how sure, how turned, how lit, how sharp.

Every figure is measured on the photo. Angles are degrees: roll clockwise, yaw to the photo's right and pitch
upwards are positive, as seen by whoever looks at the photo.
"""

from __future__ import annotations

import cmath
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Pose(NamedTuple):
    """How a head is turned, in degrees."""

    roll: float
    yaw: float
    pitch: float


# The five points of an average head, in millimetres: x to the photo's right, y down, z away from the camera.
_HEAD = np.array(
    [
        (43.3, -32.7, 26.0),
        (16.5, -31.0, 20.0),
        (-43.3, -32.7, 26.0),
        (-16.5, -31.0, 20.0),
        (0.0, 13.0, 8.0),
    ]
)
_CENTRED = _HEAD - _HEAD.mean(axis=0)
_STEPS = 6  # at most: half of them, as a rule, until a step is of less than
_SETTLED = 1e-3  # radians
_POINT_ERROR = 3.0  # millimetres by which a point is off, with what follows from heads that are not average
_USUAL = np.radians([30.0, 25.0, 15.0])  # how far heads in photos are turned (roll, yaw, pitch; deviation)
_LEVEL = 3.3  # degrees of pitch that people who look straight ahead have on average, by this model of a head

_CENTRE = slice(30, 120)  # of a chip: the face without hair and background
# Log-variance of a chip's Laplacian, less that of its grey values, as the mean of the chip and of one of half the
# size: blurred by 3 to 4 % of its width, and about the sharpest of good photos (large faces have -0.8 +- 0.5). In
# between, blurred by 1 % it is -3.3, by 2 % -4.9.
_BLURRED, _SHARP = -6.0, 0.5
_NO_CONTRAST = 1.0  # variance of grey values; what varies less is noise


def confidence(score: float) -> float:
    """That this is a face, 0..100, from the detector's score: 90 at its threshold, 99.9 for a clear face."""
    return 100 / (1 + math.exp(-(2.2 + 5 * score)))


def luma(chip: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The grey values (90, 90), 0..255, of a chip's face without hair and background."""
    grey: NDArray[np.float64] = chip[_CENTRE, _CENTRE] @ np.array([0.299, 0.587, 0.114])
    return grey


def brightness(grey: NDArray[np.float64]) -> float:
    """How light the face with this `luma` is, 0 (black) to 100 (white)."""
    return float(grey.mean() / 255 * 100)


def sharpness(grey: NDArray[np.float64]) -> float:
    """How much of what the face with this `luma` shows is fine structure, 0..100, in any light and contrast."""
    # The finest structure alone is soon lost in rounding: what is left after more blur shows at half the size.
    half = (grey[::2, ::2] + grey[1::2, ::2] + grey[::2, 1::2] + grey[1::2, 1::2]) / 4
    contrast = math.log(max(float(grey.var()), _NO_CONTRAST))
    fine = (_edges(grey) + _edges(half)) / 2 - contrast
    return min(max((fine - _BLURRED) / (_SHARP - _BLURRED), 0.0), 1.0) * 100


def _edges(grey: NDArray[np.float64]) -> float:
    """Log-variance of the Laplacian."""
    laplacian = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return math.log(max(float(laplacian.var()), 1e-6))


def pose(points: NDArray[np.floating]) -> Pose:
    """How the head with these five points (5, 2) is turned, taken for an average head seen from afar.

    Least squares over scale and three angles, in which five points weigh against how far heads usually turn:
    without that, a pixel's error in the nose would be many degrees. Yaw is then right to about 8 degrees and pitch
    to about 6, but for a head that looks down by more than 15: its five points are those of one that looks down a
    little.
    """
    observed = points.astype(np.float64) - points.mean(axis=0)
    eyes = observed[:2].mean(axis=0) - observed[2:4].mean(axis=0)
    angles = np.array([math.atan2(eyes[1], eyes[0]), 0.0, 0.0])
    scale = max(math.hypot(*eyes) / (43.3 + 16.5), 1e-6)
    for _ in range(_STEPS):
        seen = _projected(*angles.tolist())
        slopes = seen * np.array([1.0, scale, scale, scale])  # of each coordinate, with scale and with angles
        residual = observed.ravel() - scale * seen[:, 0]
        weights = np.array([0.0, *(scale * _POINT_ERROR / _USUAL) ** 2])
        gradient = slopes.T @ residual - weights * np.array([0.0, *angles])
        step = np.linalg.solve(slopes.T @ slopes + np.diag(weights), gradient)
        scale = max(scale + step[0], scale / 2)
        angles = angles + step[1:].clip(-0.5, 0.5)
        if np.abs(step[1:]).max() < _SETTLED:
            break
    roll, yaw, pitch = np.degrees(angles)
    return Pose(float(roll), float(yaw), float(pitch) - _LEVEL)


def _projected(roll: float, yaw: float, pitch: float) -> NDArray[np.float64]:
    """The x and y of the average head's five points, turned and seen from afar, and how they move with each angle:
    (10, 4).

    The head is pitched first, then turned by its yaw and last rolled. A place in the photo is x + iy here, so that
    to roll is to multiply.
    """
    cos_y, sin_y, cos_p, sin_p = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    turns = np.array(  # where a unit of the head's x, y and z comes to lie
        [
            (cos_y, complex(sin_y * sin_p, cos_p), complex(-sin_y * cos_p, sin_p)),
            (-sin_y, cos_y * sin_p, -cos_y * cos_p),  # as the yaw grows
            (0, complex(sin_y * cos_p, -sin_p), complex(sin_y * sin_p, cos_p)),  # as the pitch grows
        ]
    )
    points, by_yaw, by_pitch = cmath.rect(1, roll) * (turns @ _CENTRED.T)
    return np.array([points, 1j * points, by_yaw, by_pitch]).view(np.float64).T
