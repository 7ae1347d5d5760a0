"""The sculptor: a head as two height fields, its front and its back, seen straight on.

The sheet is a plane in front of the face; u runs to the picture's right, v down and z to the viewer, all in the
half-widths of features.py. Where the sheet is outside the head both heights are NOWHERE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from portraits.features import Expression, Features
from portraits.fields import Field, bump, step

NOWHERE = -9.0
LEFT, TOP, RIGHT, BOTTOM = -1.3, -1.8, 1.3, 1.8
FRONT_DEPTH, BACK_DEPTH = 1.05, 1.2
SIDES = (-1.0, 1.0)

Values = TypeVar("Values", float, Field)


@dataclass(frozen=True)
class Sheet:
    """The pixels on which a face is sculpted and painted: `scale` of them to a unit."""

    scale: float
    u: Field
    v: Field

    @classmethod
    def of(cls, scale: float) -> Sheet:
        """A sheet that holds a whole head."""
        columns, rows = round((RIGHT - LEFT) * scale), round((BOTTOM - TOP) * scale)
        u, v = np.meshgrid(LEFT + np.arange(columns) / scale, TOP + np.arange(rows) / scale)
        return cls(scale, u, v)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.u.shape[0], self.u.shape[1]

    def around(
        self, centre: tuple[float, float], reach: tuple[float, float]
    ) -> tuple[tuple[slice, slice], Sheet]:
        """A part of the sheet: its rows and columns, and the part as a sheet to paint on."""
        column, row = (centre[0] - LEFT) * self.scale, (centre[1] - TOP) * self.scale
        half_width, half_height = reach[0] * self.scale, reach[1] * self.scale
        part = (
            slice(max(0, int(row - half_height)), int(row + half_height)),
            slice(max(0, int(column - half_width)), int(column + half_width)),
        )
        return part, Sheet(self.scale, self.u[part], self.v[part])

    def pixels(self, u: Values, v: Values) -> tuple[Values, Values]:
        """Where a place of the head lies on the sheet: column and row."""
        return (u - LEFT) * self.scale, (v - TOP) * self.scale


def rim(features: Features, u: Field, v: Field) -> Field:
    """How far out a place lies: 0 in the middle of the face, 1 on its outline, more outside."""
    half_width = features.width * (1.0 - features.taper * step(0.2, features.chin, v))
    half_width = half_width * (1.0 - 0.05 * step(-0.2, -1.2, v))
    height = np.where(v < 0.0, 1.5, features.chin)
    power = np.where(v < 0.0, 2.5, features.squareness)
    out: Field = (np.abs(u) / half_width) ** 2.3 + (np.abs(v) / height) ** power
    return out


def sculpt(features: Features, expression: Expression, sheet: Sheet) -> tuple[Field, Field]:
    """The heights of the head's front and of its back (the latter counted backwards)."""
    u, v = sheet.u, sheet.v
    out = rim(features, u, v)
    roundness = np.sqrt(np.maximum(1.0 - out, 0.0))
    front = FRONT_DEPTH * roundness
    details = _forehead(features, u, v) + _eyes(features, u, v) + _nose(features, expression, u, v)
    details += _mouth(features, expression, u, v) + _cheeks(features, expression, u, v)
    front += details * step(1.0, 0.75, out)
    back = BACK_DEPTH * roundness * (1.0 - 0.55 * step(0.2, 1.2, v))
    nowhere = out >= 1.0
    front[nowhere] = NOWHERE
    back[nowhere] = NOWHERE
    return front, back


def _forehead(features: Features, u: Field, v: Field) -> Field:
    brow_v = -features.brow_height + 0.08
    relief = features.forehead * bump(u, v, (0.0, -0.75), (0.55, 0.3))
    for side in SIDES:
        relief += features.brow_ridge * bump(u, v, (side * features.eye_gap, brow_v), (0.24, 0.08))
    relief += features.brow_ridge * 0.6 * bump(u, v, (0.0, brow_v + 0.03), (0.14, 0.09))
    lines = features.age**2 * 0.014
    for row in (-0.52, -0.64, -0.77):
        wave = row + 0.03 * np.cos(u * 4.0)
        relief -= lines * np.exp(-(((v - wave) / 0.014) ** 2)) * step(0.62, 0.2, np.abs(u))
    for side in SIDES:
        relief -= lines * bump(u, v, (side * 0.07, brow_v + 0.02), (0.014, 0.07))
    return relief


def _eyes(features: Features, u: Field, v: Field) -> Field:
    relief = np.zeros_like(u)
    for side in SIDES:
        gap = side * features.eye_gap
        relief -= features.eye_depth * bump(u, v, (gap * 0.93, 0.0), (0.25, 0.15))
        relief += 0.075 * bump(u, v, (gap, 0.005), (features.eye_size * 0.75, 0.085))
        bag = features.age * 0.022
        relief += bag * bump(u, v, (gap, 0.17), (0.15, 0.035)) - bag * bump(u, v, (gap, 0.235), (0.16, 0.022))
        corner = gap + side * features.eye_size * 1.35
        for tilt in (-0.5, 0.0, 0.5):
            along = np.abs(u - corner) - 0.08
            across = v - 0.01 - tilt * np.abs(u - corner) * 0.9
            crow = np.exp(-((across / 0.011) ** 2)) * np.exp(-((along / 0.07) ** 2))
            relief -= features.age**2 * 0.009 * crow * ((u - corner) * side > 0)
    return relief


def _nose(features: Features, expression: Expression, u: Field, v: Field) -> Field:
    length, width = features.nose_length, features.nose_width * (1.0 + 0.06 * expression.smile)
    tip = length - 0.11
    down = step(-0.18, tip, v)
    height = features.nose_bridge * step(-0.3, 0.0, v) + (features.nose_tip * 0.75) * down**1.5
    height += features.nose_hump * bump(np.zeros_like(v), v, (0.0, tip * 0.42), (1.0, 0.1))
    ridge_width = features.nose_bridge_width + (width * 0.55 - features.nose_bridge_width) * down
    end = step(length + 0.04, tip - 0.03, v)
    relief = height * np.exp(-0.5 * (u / ridge_width) ** 2) * end
    relief += features.nose_tip * 0.7 * bump(u, v, (0.0, tip + 0.02), (width * 0.5, 0.075))
    for side in SIDES:
        wing = (side * width * 0.8, length - 0.075)
        relief += 0.15 * bump(u, v, wing, (width * 0.25, 0.058))
        relief -= 0.035 * bump(u, v, (side * width * 1.2, length - 0.06), (0.03, 0.06))
        relief -= 0.05 * bump(u, v, (side * width * 0.45, length + 0.01), (0.045, 0.02))
    return relief


def mouth_line(features: Features, expression: Expression, u: Field) -> tuple[Field, Field]:
    """Where the lips meet (height over u) and how far along the mouth u is: 0 in the middle, 1 at a corner."""
    half = features.mouth_width * (1.0 + 0.16 * expression.smile)
    along = np.abs(u) / half
    lift = (0.015 + 0.125 * expression.smile) * np.minimum(along, 1.25) ** 2
    line: Field = features.mouth_height + 0.01 + 0.04 * expression.smile - lift + 0.012 * np.cos(along * 3.0)
    return line, along


def lips(features: Features, expression: Expression, u: Field) -> tuple[Field, Field, Field, Field]:
    """Four heights over u: top of the upper lip, its lower edge, top of the lower lip, its lower edge."""
    line, along = mouth_line(features, expression, u)
    inside = np.maximum(1.0 - along**2, 0.0)
    gap = expression.teeth * 0.075 * inside**0.8
    thin = 1.0 - 0.18 * expression.smile
    bow = 1.0 - 0.22 * np.exp(-((u / 0.04) ** 2)) - 0.25 * np.clip(along, 0.0, 1.0)
    upper_edge = line - gap * 0.35
    lower_edge = line + gap * 0.65
    top = upper_edge - features.lip_upper * thin * bow * inside**0.55
    bottom = lower_edge + features.lip_lower * thin * inside**0.6
    return top, upper_edge, lower_edge, bottom


def _mouth(features: Features, expression: Expression, u: Field, v: Field) -> Field:
    top, upper_edge, lower_edge, bottom = lips(features, expression, u)
    line, along = mouth_line(features, expression, u)
    inside = step(1.08, 0.8, along)
    relief = 0.07 * bump(u, v, (0.0, features.mouth_height - 0.02), (0.36, 0.2))
    for first, last, rise in ((top, upper_edge, 0.045), (lower_edge, bottom, 0.055)):
        middle, half = (first + last) / 2.0, np.maximum((last - first) / 2.0, 0.01)
        relief += rise * inside * np.exp(-((np.abs((v - middle) / half)) ** 3.0))
    relief -= 0.03 * inside * np.exp(-(((v - line) / 0.016) ** 2))
    for side in SIDES:
        corner = side * features.mouth_width * (1.02 + 0.16 * expression.smile)
        relief -= 0.028 * bump(u, v, (corner, features.mouth_height - 0.09 * expression.smile), (0.04, 0.04))
    relief -= 0.02 * bump(u, v, (0.0, features.mouth_height - features.lip_upper - 0.08), (0.028, 0.06))
    relief -= 0.055 * bump(u, v, (0.0, features.mouth_height + features.lip_lower + 0.07), (0.2, 0.045))
    relief += features.chin_size * bump(u, v, (0.0, features.chin - 0.22), (0.2, 0.13))
    return relief


def _cheeks(features: Features, expression: Expression, u: Field, v: Field) -> Field:
    smile = expression.smile
    relief = np.zeros_like(u)
    for side in SIDES:
        relief += features.cheekbone * bump(u, v, (side * 0.6, 0.28), (0.2, 0.12))
        relief += features.cheek * bump(u, v, (side * 0.58, 0.75), (0.22, 0.25))
        relief += 0.05 * smile * bump(u, v, (side * 0.5, 0.42), (0.17, 0.13))
        start, end = features.nose_length - 0.1, features.mouth_height + 0.08
        share = np.clip((v - start) / (end - start), 0.0, 1.0)
        outwards = (features.mouth_width * 1.28 - features.nose_width) * share**1.2
        fold = side * (features.nose_width * 1.35 + outwards)
        depth = 0.003 + 0.013 * smile + 0.02 * features.age
        within = step(start - 0.08, start + 0.06, v) * step(end + 0.12, end - 0.12, v)
        relief -= depth * within * np.exp(-(((u - fold) / 0.055) ** 2))
        relief += depth * 0.8 * within * np.exp(-(((u - fold - side * 0.11) / 0.09) ** 2))
    return relief
