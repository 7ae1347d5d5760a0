"""The camera: from a sculpted head to what each pixel of a photo sees of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from portraits.fields import Field, sample
from portraits.relief import NOWHERE, Sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

FARTHEST, NEAREST = -1.4, 1.75
COARSE = 4  # pixels between the rays of the first search
COARSE_STEPS, FINE_STEPS, HALVINGS = 56, 10, 6


@dataclass(frozen=True)
class View:
    """How a head stands before the camera. Angles in degrees: positive yaw looks to the picture's right,
    positive pitch looks up, positive roll leans clockwise. `x`, `y` is the pixel between the eyes."""

    x: float
    y: float
    scale: float
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    @property
    def rotation(self) -> Field:
        """Turns a place of the head (right, down, nearer) into a place before the camera."""
        yaw, pitch, roll = (math.radians(a) for a in (self.yaw, self.pitch, self.roll))
        turn = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
        nod = np.array(
            [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
        )
        lean = np.array(
            [[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]]
        )
        rotation: Field = lean @ turn @ nod
        return rotation

    def project(self, points: Field) -> Field:
        """Places of the head (..., 3) as pixels and nearness (..., 3)."""
        turned = turn(self.rotation, points)
        turned[..., 0] = self.x + self.scale * turned[..., 0]
        turned[..., 1] = self.y + self.scale * turned[..., 1]
        return turned


def turn(rotation: Field, points: Field) -> Field:
    """The points (..., 3) turned, summed in a fixed order."""
    turned: Field = sum(points[..., i, None] * rotation[:, i] for i in range(3))  # type: ignore[assignment]
    return turned


@dataclass(frozen=True)
class Sight:
    """What the camera sees of a head in a window of the photo."""

    window: tuple[int, int, int, int]  # left, top, right, bottom in the photo
    hit: NDArray[np.bool_]
    place: Field  # (rows, columns, 3): where on the head, in head units
    nearness: Field  # (rows, columns): towards the viewer, NOWHERE beside the head


def look(view: View, size: tuple[int, int], sheet: Sheet, front: Field, back: Field) -> Sight:
    """Follow a ray through every pixel of the photo (width, height) to the head."""
    reach = 1.95 * view.scale
    left, right = max(0, int(view.x - reach)), min(size[0], int(view.x + reach))
    top, bottom = max(0, int(view.y - reach)), min(size[1], int(view.y + reach))
    rotation = view.rotation
    seeker = _Seeker(sheet, front, back, rotation)

    xs = (np.arange(left, right, dtype=np.float64) + 0.5 - view.x) / view.scale
    ys = (np.arange(top, bottom, dtype=np.float64) + 0.5 - view.y) / view.scale
    near, far = _first_search(seeker, xs, ys)
    shape = (bottom - top, right - left)
    hit = np.zeros(shape, dtype=bool)
    nearness = np.full(shape, NOWHERE)
    place = np.zeros((*shape, 3))

    rows, columns = np.nonzero(near > NOWHERE)
    x, y = xs[columns], ys[rows]
    found = seeker.search(x, y, near[rows, columns], far[rows, columns])
    keep = found > NOWHERE
    rows, columns = rows[keep], columns[keep]
    hit[rows, columns] = True
    nearness[rows, columns] = found[keep]
    place[rows, columns] = seeker.place(x[keep], y[keep], found[keep])
    return Sight((left, top, right, bottom), hit, place, nearness)


def _first_search(seeker: _Seeker, xs: Field, ys: Field) -> tuple[Field, Field]:
    """Between which two depths each pixel's ray must meet the head, from rays COARSE pixels apart."""
    x, y = np.meshgrid(xs[COARSE // 2 :: COARSE], ys[COARSE // 2 :: COARSE])
    depths = np.linspace(NEAREST, FARTHEST, COARSE_STEPS)
    seen = np.full(x.shape, NOWHERE)
    for depth in depths:
        waiting = seen == NOWHERE
        inside = seeker.inside(x[waiting], y[waiting], np.full(int(waiting.sum()), depth))
        seen[waiting] = np.where(inside, depth, NOWHERE)
    step = depths[0] - depths[1]
    around = _neighbours(seen)
    near = around.max(axis=0) + step
    far = np.where(around > NOWHERE, around, np.inf).min(axis=0) - step
    near = np.where(np.isfinite(far), near, NOWHERE)
    shape = (len(ys), len(xs))
    return _repeat(near, shape), _repeat(far, shape)


def _neighbours(field: Field) -> Field:
    padded = np.pad(field, 1, mode="edge")
    rows, columns = field.shape
    return np.stack([padded[r : r + rows, c : c + columns] for r in range(3) for c in range(3)])


def _repeat(field: Field, shape: tuple[int, int]) -> Field:
    large = np.repeat(np.repeat(field, COARSE, axis=0), COARSE, axis=1)
    missing = [(0, max(0, shape[i] - large.shape[i])) for i in (0, 1)]
    return np.pad(large, missing, mode="edge")[: shape[0], : shape[1]]


class _Seeker:
    """Asks of places along rays whether they are inside the head."""

    def __init__(self, sheet: Sheet, front: Field, back: Field, rotation: Field) -> None:
        self._sheet = sheet
        self._front = front
        self._back = back
        self._inverse = rotation.T

    def place(self, x: Field, y: Field, depth: Field) -> Field:
        return turn(self._inverse, np.stack([x, y, depth], axis=-1))

    def inside(self, x: Field, y: Field, depth: Field, exact: bool = False) -> NDArray[np.bool_]:
        u, v, z = np.moveaxis(self.place(x, y, depth), -1, 0)
        column, row = self._sheet.pixels(u, v)
        if exact:
            front, back = sample(self._front, column, row), sample(self._back, column, row)
            return np.asarray((z < front) & (z > -back))
        rows, columns = self._front.shape
        r = np.clip(np.rint(row), 0, rows - 1).astype(np.intp)
        c = np.clip(np.rint(column), 0, columns - 1).astype(np.intp)
        inside: NDArray[np.bool_] = (z < self._front[r, c]) & (z > -self._back[r, c])
        return inside

    def search(self, x: Field, y: Field, near: Field, far: Field) -> Field:
        """The depth at which each ray enters the head between `near` and `far`, or NOWHERE."""
        outside, entered = near.copy(), np.full(near.shape, NOWHERE)
        for number in range(1, FINE_STEPS + 1):
            waiting = np.nonzero(entered == NOWHERE)[0]
            depth = near[waiting] + (far[waiting] - near[waiting]) * (number / FINE_STEPS)
            inside = self.inside(x[waiting], y[waiting], depth)
            entered[waiting[inside]] = depth[inside]
            outside[waiting[~inside]] = depth[~inside]
        found = np.nonzero(entered > NOWHERE)[0]
        high, low = outside[found], entered[found]
        for _ in range(HALVINGS):
            middle = (high + low) / 2.0
            inside = self.inside(x[found], y[found], middle, exact=True)
            low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        entered[found] = (low + high) / 2.0
        return entered
