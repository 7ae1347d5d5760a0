"""Ears, and what is worn on the head: glasses and a headscarf."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from portraits.camera import Sight, View, look
from portraits.features import Features
from portraits.fields import Field, bump, linear, noise, step, to_screen
from portraits.light import Light, shine
from portraits.relief import FRONT_DEPTH, NOWHERE, SIDES, Sheet, rim

EAR = (0.17, 0.36)  # half its breadth and half its height


@dataclass(frozen=True)
class Head:
    """A head as it was sculpted and as the camera sees it."""

    sheet: Sheet
    front: Field
    sight: Sight


def draw_ears(picture: Image.Image, features: Features, view: View, light: Light) -> None:
    """Both ears, to be drawn before the head, which hides what is behind it."""
    for side in SIDES:
        centre = view.project(np.array([side * (features.width * 0.97), 0.26, -0.22]))
        half = int(0.6 * view.scale)
        left, top = int(centre[0]) - half, int(centre[1]) - half
        x, y = np.meshgrid(np.arange(2 * half) - half, np.arange(2 * half) - half)
        lean = math.radians(view.roll) + side * 0.16
        across = (x * math.cos(lean) + y * math.sin(lean)) / view.scale * side
        down = (-x * math.sin(lean) + y * math.cos(lean)) / view.scale
        breadth = EAR[0] * (1.0 - 0.25 * step(-0.1, 0.36, down)) * (1.0 - side * view.yaw / 60.0)
        out = (across / breadth) ** 2 + (down / EAR[1]) ** 2
        fold = np.exp(-(((out - 0.62) / 0.2) ** 2))
        hollow = bump(across, down, (-0.02, 0.04), (0.07, 0.12))
        tone = (0.92 - 0.35 * fold - 0.45 * hollow + 0.12 * step(0.8, 0.95, out))[..., None]
        facing = 0.5 + 0.5 * side * float(light.direction[0])
        skin = np.asarray(linear(features.skin)) * np.array((1.05, 0.86, 0.82))
        lamp = (light.ambient * 0.8 + light.strength * 0.75 * facing) * np.asarray(light.key_colour)
        shining = skin * tone * lamp
        soft = 2.0 / (EAR[0] * view.scale)
        cover = Image.fromarray(np.rint(step(1.0 + soft, 1.0 - soft, out) * 255.0).astype(np.uint8))
        picture.paste(Image.fromarray(to_screen(shining)), (left, top), cover)


def draw_glasses(picture: Image.Image, features: Features, view: View) -> None:
    """Frames, a shadow of them on the face, and a faint reflection in each lens."""
    if features.glasses == "none":
        return
    lenses = [_lens(features, side) for side in SIDES]
    pixels = [[(float(x), float(y)) for x, y in view.project(lens)[:, :2]] for lens in lenses]
    span = features.eye_gap - _reach(features)
    along = np.linspace(-1.0, 1.0, 9)
    bridge = np.stack([along * span, 0.05 * along**2 - 0.04, np.full(9, FRONT_DEPTH + 0.22)], axis=1)
    lines = [p + p[:1] for p in pixels] + [_flat(view, bridge)]
    for side in SIDES:
        hinge = np.array((side * (features.eye_gap + _reach(features) * 1.0), -0.06, FRONT_DEPTH - 0.05))
        ear = np.array((side * features.width * 1.03, 0.0, -0.1))
        lines.append(_flat(view, np.stack([hinge, ear])))
    thick = 0.05 if features.glasses == "square" else 0.026
    width = max(1, round(thick * view.scale))
    shadow = Image.new("L", picture.size)
    aside, below = 0.02 * view.scale, 0.06 * view.scale
    _trace(shadow, [[(x + aside, y + below) for x, y in line] for line in lines[:3]], 90, width)
    shadow = shadow.filter(ImageFilter.GaussianBlur(0.025 * view.scale))
    picture.paste(Image.new("RGB", picture.size, (30, 16, 12)), (0, 0), shadow)
    glass = Image.new("L", picture.size)
    for outline in pixels:
        ImageDraw.Draw(glass).polygon(outline, fill=16)
    picture.paste(Image.new("RGB", picture.size, (235, 245, 255)), (0, 0), glass)
    _trace(picture, lines, tuple(round(c) for c in features.glasses_colour), width)
    gleam = tuple(round(c + 0.35 * (255 - c)) for c in features.glasses_colour)
    _trace(
        picture, [[(x, y - width * 0.25) for x, y in line] for line in lines[:3]], gleam, max(1, width // 4)
    )


def _reach(features: Features) -> float:
    return (0.8 if features.glasses == "square" else 0.74) * features.eye_gap


def _lens(features: Features, side: float) -> Field:
    """The outline of a lens in head units: a box with rounded corners, or a circle."""
    angle = np.linspace(0.0, 2.0 * math.pi, 48, endpoint=False)
    power = 0.45 if features.glasses == "square" else 1.0
    reach = _reach(features)
    tall = reach * (0.72 if features.glasses == "square" else 0.96)
    u = side * features.eye_gap + reach * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power
    v = 0.03 + tall * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power
    return np.stack([u, v, FRONT_DEPTH + 0.22 - 0.35 * u**2], axis=1)


def _flat(view: View, points: Field) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in view.project(points)[:, :2]]


def _trace(
    picture: Image.Image, lines: list[list[tuple[float, float]]], ink: int | tuple[int, ...], width: int
) -> None:
    pen = ImageDraw.Draw(picture)
    for line in lines:
        pen.line(line, fill=ink, width=width, joint="curve")


def draw_headscarf(
    picture: Image.Image, features: Features, view: View, light: Light, head: Head, rng: np.random.Generator
) -> None:
    """A cloth around the head with an opening for the face; `head` is what it lies on."""
    if features.headscarf is None:
        return
    sheet, larger = head.sheet, 1.09
    out = rim(features, sheet.u / larger, sheet.v / larger)
    roundness = np.sqrt(np.maximum(1.0 - out, 0.0))
    waves = np.sin(np.arctan2(sheet.u, sheet.v + 0.4) * 9.0 + 3.0 * noise(sheet.shape, sheet.scale, rng, 2))
    high, low = features.hairline * 0.9, features.chin * 0.96
    middle, tall = (low - high) / 2.0, (low + high) / 2.0
    opening = np.sqrt((sheet.u / (features.width * 0.9)) ** 2 + ((sheet.v - middle) / tall) ** 2)
    outside = (out >= 1.0) | (opening < 1.0)
    hem = step(1.12, 1.0, opening)
    cloth = FRONT_DEPTH * larger * roundness * (1.0 + 0.025 * waves)
    front = np.where(outside, NOWHERE, cloth * (1.0 - hem) + np.maximum(head.front, 0.0) * hem + 0.02 * hem)
    back = np.where(out >= 1.0, NOWHERE, np.where(opening < 1.0, -0.3, 1.25 * roundness))
    fine, coarse = (noise(sheet.shape, cell * sheet.scale, rng) for cell in (0.012, 0.3))
    weave = 1.0 + 0.06 * fine + 0.05 * coarse
    painted = (np.asarray(linear(features.headscarf)) * weave[..., None], np.full(sheet.shape, 0.15))
    sight = look(view, picture.size, sheet, front, back)
    shining = to_screen(shine(sight, view, light, sheet, (front, back), painted))
    before = sight.nearness[sight.hit] > head.sight.nearness[sight.hit]
    window = np.array(picture.crop(sight.window))
    rows, columns = np.nonzero(sight.hit)
    window[rows[before], columns[before]] = shining[before]
    picture.paste(Image.fromarray(window), sight.window[:2])
