"""The light: how a place of skin looks under a lamp, the sky and what is reflected from below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portraits.camera import Sight, View, turn
from portraits.fields import Colour, Field, blur, sample
from portraits.relief import NOWHERE, Sheet

SHADOW_STEPS = 10
# red light travels furthest in skin, so the edge of a shadow on it is red
SKIN_WRAP = np.array((0.42, 0.24, 0.18))


@dataclass(frozen=True)
class Light:
    """Where the light comes from, before the camera: x to the picture's right, y down, z to the viewer."""

    key: tuple[float, float, float] = (-0.5, -0.55, 0.75)
    key_colour: Colour = (1.0, 0.95, 0.88)
    strength: float = 1.0
    ambient: float = 0.42
    ambient_colour: Colour = (0.92, 0.97, 1.05)
    rim: float = 0.25

    @property
    def direction(self) -> Field:
        """Unit vector to the lamp."""
        vector = np.array(self.key)
        direction: Field = vector / np.sqrt((vector**2).sum())
        return direction


def normals(sheet: Sheet, front: Field, back: Field) -> tuple[Field, Field]:
    """Which way the head's front and back face at each place of the sheet, in head units."""
    towards = []
    for height, sign in ((front, 1.0), (back, -1.0)):
        known = np.where(height > NOWHERE, height, 0.0)
        down, right = np.gradient(known, 1.0 / sheet.scale)
        slope = np.stack([-right, -down, np.full(height.shape, sign)], axis=-1)
        towards.append(slope / np.sqrt((slope**2).sum(axis=-1, keepdims=True)))
    return towards[0], towards[1]


def shine(
    sight: Sight,
    view: View,
    light: Light,
    sheet: Sheet,
    heights: tuple[Field, Field],
    painted: tuple[Field, Field],
) -> Field:
    """The linear light that comes from each pixel that sees the head: (pixels, 3) in the order of sight.hit."""
    place = sight.place[sight.hit]
    column, row = sheet.pixels(place[:, 0], place[:, 1])
    front, back = normals(sheet, *heights)
    behind = (place[:, 2] < 0.0)[:, None]
    facing = np.where(behind, sample(back, column, row), sample(front, column, row))
    facing = turn(view.rotation, facing)
    facing /= np.sqrt((facing**2).sum(axis=-1, keepdims=True))
    albedo, gloss = sample(painted[0], column, row), sample(painted[1], column, row)
    lamp = light.direction
    lit = _unshadowed(place, turn(view.rotation.T, lamp[None])[0], sheet, heights[0])
    return surface(facing, albedo, light, lit, gloss, _openness(sight))


def surface(facing: Field, albedo: Field, light: Light, lit: Field, gloss: Field, openness: Field) -> Field:
    """Light from places that face `facing` (..., 3); `lit` is what reaches them of the lamp, 0..1."""
    cosine = (facing * light.direction).sum(axis=-1)[..., None]
    wrapped = np.clip((cosine + SKIN_WRAP) / (1.0 + SKIN_WRAP), 0.0, 1.0)
    lamp = np.asarray(light.key_colour) * light.strength
    soft_lit = lit[..., None] ** np.array((0.75, 1.0, 1.05))
    sky = light.ambient * (0.72 - 0.28 * facing[..., 1:2] + 0.12 * facing[..., 2:3])
    sky = sky * np.asarray(light.ambient_colour)
    bounce = 0.07 * light.strength * np.clip(facing[..., 1:2], 0.0, 1.0) * np.array((1.0, 0.8, 0.65))
    diffuse = albedo * (lamp * wrapped * soft_lit + (sky + bounce) * openness[..., None])
    halfway = light.direction + np.array((0.0, 0.0, 1.0))
    halfway /= np.sqrt((halfway**2).sum())
    mirror = np.clip((facing * halfway).sum(axis=-1), 0.0, 1.0)
    highlight = gloss * lit * (0.05 * mirror**12 + 0.055 * mirror**45)
    towards_lamp = 0.3 + 0.7 * np.clip(cosine[..., 0] + 0.4, 0.0, 1.0)
    grazing = np.clip(1.0 - facing[..., 2], 0.0, 1.0) ** 3 * light.rim * towards_lamp
    shining: Field = diffuse + lamp * highlight[..., None] + 0.35 * (albedo + 0.1) * grazing[..., None]
    return shining


def _unshadowed(place: Field, lamp: Field, sheet: Sheet, front: Field) -> Field:
    """How much of the lamp each place sees past nose and brow: 0..1, with soft edges."""
    lit = np.ones(len(place))
    for number in range(1, SHADOW_STEPS + 1):
        distance = 0.02 + 0.62 * (number / SHADOW_STEPS) ** 1.4
        ahead = place + lamp * distance
        column, row = sheet.pixels(ahead[:, 0], ahead[:, 1])
        clearance = ahead[:, 2] - sample(front, column, row)
        lit = np.minimum(lit, np.clip(0.62 + clearance / (0.34 * distance + 0.02), 0.12, 1.0))
    return lit


def _openness(sight: Sight) -> Field:
    """How much sky each place sees, judged by how deep it lies among its neighbours."""
    known = np.where(sight.hit, sight.nearness, 0.0)
    weight = sight.hit.astype(np.float64)
    openness = np.ones(sight.hit.shape)
    for share, strength in ((0.02, 2.2), (0.07, 1.1)):
        radius = max(1.0, share * sight.hit.shape[0] / 2.0)
        around = blur(known, radius) / np.maximum(blur(weight, radius), 1e-3)
        openness -= strength * np.clip(around - known, 0.0, 0.3)
    return np.clip(openness, 0.35, 1.0)[sight.hit]
