"""Arithmetic on pictures as float arrays: bumps, steps, blur, noise, sampling and colour.

A field is a float64 array of shape (height, width); a colour field has a third axis of 3, linear light, 0..1.
Float64 and rounding at the very end keep the pictures the same on processors whose last digits differ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]
Colour = tuple[float, float, float]


def bump(u: Field, v: Field, at: tuple[float, float | Field], size: tuple[float, float]) -> Field:
    """A Gaussian hill of height 1 at `at`, `size` being its standard deviations."""
    hill: Field = np.exp(-0.5 * (((u - at[0]) / size[0]) ** 2 + ((v - at[1]) / size[1]) ** 2))
    return hill


def step(low: float, high: float, x: Field) -> Field:
    """0 below `low`, 1 above `high`, smooth between; `low` may be the larger one, for a falling step."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    ramp: Field = t * t * (3.0 - 2.0 * t)
    return ramp


def mix(a: Field | Colour, b: Field | Colour, share: Field) -> Field:
    """Colours `a` where share is 0, `b` where it is 1. Shape (height, width, 3)."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    blended: Field = first + (second - first) * share[..., None]
    return blended


def blur(field: Field, radius: float) -> Field:
    """Three box blurs in each direction: a Gaussian of about that standard deviation, in pixels."""
    width = max(1, round(radius * 2.0))
    width += 1 - width % 2
    if width == 1:
        return field
    out = field
    for axis in (0, 1):
        for _ in range(3):
            out = _box(out, width, axis)
    return out


def _box(field: Field, width: int, axis: int) -> Field:
    half = width // 2
    pad = [(0, 0)] * field.ndim
    pad[axis] = (half + 1, half)
    sums = np.cumsum(np.pad(field, pad, mode="edge"), axis=axis)
    upper = np.take(sums, range(width, sums.shape[axis]), axis=axis)
    lower = np.take(sums, range(sums.shape[axis] - width), axis=axis)
    mean: Field = (upper - lower) / width
    return mean


def enlarge(field: Field, shape: tuple[int, int]) -> Field:
    """The field stretched to another shape, linearly, its corners staying at the corners."""
    return _stretch(_stretch(field, shape[0], 0), shape[1], 1)


def _stretch(field: Field, length: int, axis: int) -> Field:
    at = np.linspace(0.0, field.shape[axis] - 1.001, length)
    before = at.astype(np.intp)
    share = (at - before).reshape([-1 if i == axis else 1 for i in range(field.ndim)])
    first, second = np.take(field, before, axis=axis), np.take(field, before + 1, axis=axis)
    stretched: Field = first * (1.0 - share) + second * share
    return stretched


def sample(field: Field, x: Field, y: Field) -> Field:
    """The field at pixel positions (x, y), linearly between its pixels and held at its edges."""
    x = np.clip(x, 0.0, field.shape[1] - 1.001)
    y = np.clip(y, 0.0, field.shape[0] - 1.001)
    left, top = x.astype(np.intp), y.astype(np.intp)
    fx, fy = x - left, y - top
    if field.ndim == 3:
        fx, fy = fx[..., None], fy[..., None]
    upper = field[top, left] * (1.0 - fx) + field[top, left + 1] * fx
    lower = field[top + 1, left] * (1.0 - fx) + field[top + 1, left + 1] * fx
    value: Field = upper * (1.0 - fy) + lower * fy
    return value


def noise(shape: tuple[int, int], cell: float, rng: np.random.Generator, octaves: int = 1) -> Field:
    """Smooth noise of mean 0 and range about -1..1, its largest grain `cell` pixels wide."""
    total = np.zeros(shape)
    weight, sum_of_weights = 1.0, 0.0
    for _ in range(octaves):
        grid = (max(2, int(shape[0] / cell) + 2), max(2, int(shape[1] / cell) + 2))
        total += weight * enlarge(rng.random(grid) * 2.0 - 1.0, shape)
        sum_of_weights += weight
        weight *= 0.6
        cell /= 2.0
    return total / sum_of_weights


def linear(colour: Colour) -> Colour:
    """A colour written as one writes it for a screen (sRGB, 0..255), in linear light."""
    red, green, blue = (((c / 255.0 + 0.055) / 1.055) ** 2.4 if c > 10.3 else c / 3294.6 for c in colour)
    return red, green, blue


def to_screen(light: Field) -> NDArray[np.uint8]:
    """Linear light as sRGB bytes; light above 1 is rolled off softly instead of being cut."""
    knee = 0.8
    over = np.maximum(light - knee, 0.0)
    rolled = np.where(
        light > knee, knee + (1.0 - knee) * (over / (over + 1.0 - knee)), np.maximum(light, 0.0)
    )
    curve = 1.055 * np.power(np.maximum(rolled, 1e-9), 1 / 2.4) - 0.055
    coded = np.where(rolled > 0.0031308, curve, 12.92 * rolled)
    return np.rint(np.clip(coded, 0.0, 1.0) * 255.0).astype(np.uint8)
