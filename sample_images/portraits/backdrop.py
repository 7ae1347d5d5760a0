"""The backdrop: out-of-focus rooms, gardens and streets, and two pictures with nobody in them."""

from __future__ import annotations

import numpy as np

from portraits.fields import Colour, Field, blur, bump, enlarge, linear, mix, noise, step

PLACES = ("studio", "garden", "office", "evening", "seaside", "brick")


def backdrop(place: str, tint: Colour, size: tuple[int, int], rng: np.random.Generator) -> Field:
    """Linear light (rows, columns, 3) behind a person; painted small, for nothing in it is sharp."""
    shape = (max(8, size[1] // 4), max(8, size[0] // 4))
    x, y = np.meshgrid(np.linspace(0.0, 1.0, shape[1]), np.linspace(0.0, 1.0, shape[0]))
    base = np.asarray(linear(tint))
    picture = _PLACES[place](x, y, base, rng)
    return enlarge(blur(picture, 0.02 * shape[1]), (size[1], size[0]))


def _studio(x: Field, y: Field, base: Field, rng: np.random.Generator) -> Field:
    glow = bump(x, y, (0.35 + 0.3 * float(rng.random()), 0.4), (0.45, 0.5))
    cloud = noise((x.shape[0], x.shape[1]), x.shape[1] / 3.0, rng, 3)
    return base * (0.45 + 0.85 * glow + 0.07 * cloud)[..., None]


def _discs(x: Field, y: Field, rng: np.random.Generator, count: int, size: float) -> Field:
    """Lights out of focus: bright discs."""
    aspect = x.shape[0] / x.shape[1]
    discs = np.zeros_like(x)
    for at_x, at_y, grain, strength in rng.random((count, 4)):
        radius = size * (0.5 + grain)
        distance = np.sqrt((x - at_x) ** 2 + ((y - at_y) * aspect) ** 2)
        discs = discs + (0.3 + 0.7 * strength) * step(radius, radius * 0.82, distance)
    return discs


def _garden(x: Field, y: Field, base: Field, rng: np.random.Generator) -> Field:
    leaves = noise((x.shape[0], x.shape[1]), x.shape[1] / 7.0, rng, 3)
    green = base * (0.75 + 0.5 * leaves)[..., None] * (1.15 - 0.5 * y)[..., None]
    sun = _discs(x, y * 1.3, rng, 26, 0.045) * step(0.75, 0.2, y)
    picture: Field = green + sun[..., None] * np.array((0.22, 0.24, 0.1))
    return picture


def _office(x: Field, y: Field, base: Field, rng: np.random.Generator) -> Field:
    room = np.array(np.broadcast_to(base, (*x.shape, 3))) * (0.9 - 0.25 * y)[..., None]
    edge = 0.25 + 0.4 * float(rng.random())
    window = step(-0.02, 0.02, x - edge) * step(0.36, 0.32, x - edge) * step(0.72, 0.68, y)
    bars = 1.0 - 0.35 * step(0.02, 0.01, np.abs((x - edge) % 0.17 - 0.085))
    room = mix(room, np.array((0.86, 0.92, 0.98)) * bars[..., None], window * 0.85)
    for at, depth in rng.random((7, 2)):
        shelf = step(0.03, 0.02, np.abs(x - at * 0.3 - (0.68 if edge < 0.4 else 0.0))) * step(0.35, 0.4, y)
        room = mix(room, base * (0.25 + 0.9 * depth), shelf * 0.6)
    return room


def _evening(x: Field, y: Field, base: Field, rng: np.random.Generator) -> Field:
    dark = base * (0.35 + 0.4 * (1.0 - y))[..., None]
    warm = _discs(x, y, rng, 16, 0.06)[..., None] * np.array((0.5, 0.27, 0.1))
    cool = _discs(x, y, rng, 8, 0.05)[..., None] * np.array((0.1, 0.2, 0.35))
    picture: Field = dark + warm * 0.8 + cool * 0.8
    return picture


def _seaside(x: Field, y: Field, base: Field, rng: np.random.Generator) -> Field:
    sky = mix(np.array(np.broadcast_to(base, (*x.shape, 3))), (0.85, 0.88, 0.9), np.clip(y * 1.7, 0.0, 1.0))
    clouds = step(0.05, 0.6, noise((x.shape[0], x.shape[1]), x.shape[1] / 3.0, rng, 3))
    sky = mix(sky, (0.95, 0.95, 0.95), clouds * 0.5)
    sea = base * (0.55 + 0.1 * np.sin(y * 90.0))[..., None]
    sand = np.array((0.62, 0.5, 0.35)) * (0.9 + 0.1 * x)[..., None]
    return mix(mix(sky, sea, step(0.56, 0.58, y)), sand, step(0.78, 0.84, y + 0.03 * np.sin(x * 5.0)))


def _brick(x: Field, y: Field, base: Field, rng: np.random.Generator) -> Field:
    row = np.floor(y * 24.0)
    column = np.floor(x * 9.0 + 0.5 * (row % 2.0))
    tone = 0.8 + 0.35 * ((row * 12.9898 + column * 78.233) * 43.7585 % 1.0)
    joint = np.maximum(
        step(0.12, 0.02, y * 24.0 % 1.0), step(0.05, 0.01, (x * 9.0 + 0.5 * (row % 2.0)) % 1.0)
    )
    wall = base * (tone * (1.0 - 0.3 * x))[..., None]
    return mix(wall, base * 1.25 + 0.06, joint * 0.8)


_PLACES = {
    "studio": _studio,
    "garden": _garden,
    "office": _office,
    "evening": _evening,
    "seaside": _seaside,
    "brick": _brick,
}
