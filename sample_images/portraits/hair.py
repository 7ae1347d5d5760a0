"""The hairdresser: strands in space that grow from the scalp, fall, and lie on the head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from portraits.features import Features
from portraits.fields import Field, step
from portraits.relief import BACK_DEPTH, FRONT_DEPTH

JOINTS = 22
CHILDREN = 14  # strands that follow one lock


@dataclass(frozen=True)
class Strands:
    """Hairs as polylines in head units: `points` (strands, joints, 3), `tone` (strands,) about 1."""

    points: Field
    tone: Field


@dataclass(frozen=True)
class Cut:
    """How a style's locks grow and fall. Lengths in head units."""

    locks: int
    length: float
    lift: float  # how far the hair starts away from the scalp
    comb: Callable[[Field, Features], Field]  # which way a lock at a scalp place is combed
    gravity: float
    thickness: float  # of the layer of hair over the head
    curl: float = 0.0
    curtain: float = 0.0  # how strongly locks keep off the face
    sides_only: bool = False
    trimmed: float = 0.0  # how much shorter the hair is at the sides
    spread: float = 0.05


def _at_the_sides(roots: Field) -> Field:
    """1 for the locks before and above the ears, which are combed down and back, 0 on top."""
    return step(-0.75, -0.25, roots[:, 1])


def _sideways(roots: Field, features: Features) -> Field:
    side = np.where(roots[:, 0] > features.parting, 1.0, -1.0)
    return np.stack([side, 0.12 + _at_the_sides(roots) * 2.0, -0.25 - _at_the_sides(roots)], axis=1)


def _swept(roots: Field, features: Features) -> Field:
    side = np.where(roots[:, 0] > features.parting, 1.0, -0.9)
    return np.stack([side, -0.35 + 1.6 * _at_the_sides(roots), -0.45 - 0.5 * _at_the_sides(roots)], axis=1)


def _backwards(roots: Field, features: Features) -> Field:
    return np.stack([-0.25 * roots[:, 0], -0.75 * step(-1.6, 0.2, roots[:, 1]), -np.ones(len(roots))], axis=1)


def _outwards(roots: Field, features: Features) -> Field:
    direction: Field = roots + np.array((0.0, 0.25, 0.0))
    return direction


def _downwards(roots: Field, features: Features) -> Field:
    return np.stack([0.25 * roots[:, 0], np.ones(len(roots)), 0.5 + 0.0 * roots[:, 0]], axis=1)


CUTS = {
    "short": Cut(620, 0.5, 0.5, _swept, 0.25, 0.08, curtain=0.2, trimmed=0.78, spread=0.038),
    "crop": Cut(700, 0.22, 0.7, _backwards, 0.1, 0.04, trimmed=0.6, spread=0.035),
    "back": Cut(620, 0.75, 0.35, _backwards, 0.05, 0.07, trimmed=0.6, spread=0.035),
    "long": Cut(640, 3.1, 0.35, _sideways, 1.7, 0.09, curtain=1.0),
    "bob": Cut(640, 1.95, 0.4, _sideways, 1.5, 0.12, curtain=0.9),
    "bun": Cut(640, 0.9, 0.1, _backwards, 0.0, 0.04, trimmed=0.4, spread=0.035),
    "afro": Cut(1100, 0.55, 1.2, _outwards, -0.05, 0.1, curl=0.11, spread=0.1),
    "curls": Cut(620, 1.9, 0.9, _sideways, 0.7, 0.2, curl=0.1, curtain=0.8, spread=0.1),
    "tonsure": Cut(460, 0.2, 0.1, _downwards, 0.3, 0.03, sides_only=True, spread=0.035),
}


def covers_scalp(features: Features, u: Field, v: Field) -> Field:
    """Where hair grows on the front of the head: 0..1 with the hairline between."""
    if features.hair == "bald":
        return np.zeros_like(u)
    across = np.abs(u) / features.width
    line = -features.hairline + 0.04 * np.cos(across * 7.0) + 1.15 * np.clip(across - 0.32, 0.0, 1.0) ** 1.7
    if features.hair == "tonsure":
        line = np.where(across < 0.83, -2.0, -0.35)
    sideburn = step(0.85, 1.0, across) * step(0.3, -0.1, v)
    growing: Field = np.maximum(step(0.07, -0.1, v - line), sideburn * 0.9)
    return growing


def hairdo(features: Features, rng: np.random.Generator) -> Strands:
    """All the hair of a head but beard and brows."""
    if features.hair == "bald":
        return Strands(np.zeros((0, JOINTS, 3)), np.zeros(0))
    style, _, extra = features.hair.partition("+")
    cut = CUTS[style]
    parts = [_grow(cut, features, _roots(cut, features, rng), rng)]
    if extra == "fringe":
        parts.append(_grow(_FRINGE, features, _fringe_roots(features, rng), rng))
    if style == "bun":
        parts.append(_bun(features, rng))
    return Strands(np.concatenate([p.points for p in parts]), np.concatenate([p.tone for p in parts]))


_FRINGE = Cut(230, 0.72, 0.35, _downwards, 0.8, 0.09, spread=0.05)


def _on_skull(features: Features, directions: Field) -> Field:
    depth = np.where(directions[:, 2] > 0.0, FRONT_DEPTH, BACK_DEPTH)
    radii = np.stack([np.full(len(depth), features.width), np.full(len(depth), 1.5), depth], axis=1)
    places: Field = directions * radii
    return places


def _roots(cut: Cut, features: Features, rng: np.random.Generator) -> Field:
    """Places on the scalp, evenly over its directions."""
    tries = cut.locks * 3
    up = -1.0 + 1.45 * rng.random(tries)
    angle = rng.random(tries) * 2.0 * np.pi
    around = np.sqrt(np.maximum(1.0 - up**2, 0.0))
    places = _on_skull(features, np.stack([around * np.sin(angle), up, around * np.cos(angle)], axis=1))
    front = covers_scalp(features, places[:, 0], places[:, 1]) > 0.5
    behind = places[:, 2] < 0.0
    nape = np.where(np.abs(places[:, 0]) < 0.6 * features.width, 0.55, 0.55 - 0.75 * bool(cut.trimmed))
    grows = np.where(behind, places[:, 1] < nape, front)
    if cut.sides_only:
        grows &= (np.abs(places[:, 0]) > 0.72) & (places[:, 1] > -0.75)
    return places[grows][: cut.locks]


def _fringe_roots(features: Features, rng: np.random.Generator) -> Field:
    u = (rng.random(_FRINGE.locks) * 2.0 - 1.0) * 0.6
    v = -features.hairline - 0.12 + 0.22 * np.abs(u) - 0.1 * rng.random(_FRINGE.locks)
    out = (np.abs(u) / features.width) ** 2.3 + (np.abs(v) / 1.5) ** 2.3
    return np.stack([u, v, FRONT_DEPTH * np.sqrt(np.maximum(1.0 - out, 0.0)) + 0.05], axis=1)


def _grow(cut: Cut, features: Features, roots: Field, rng: np.random.Generator) -> Strands:
    """Let locks grow joint by joint under gravity, outside the head; then give each its strands."""
    count = len(roots)
    radii = np.array((features.width, 1.5, 1.0))
    outward = roots / radii**2
    outward /= np.sqrt((outward**2).sum(axis=1, keepdims=True))
    speed = outward * cut.lift + cut.comb(roots, features) * (0.8 + 0.4 * rng.random((count, 1)))
    length = cut.length * (0.8 + 0.25 * rng.random(count))
    length = length * (1.0 - cut.trimmed * step(-1.0, -0.4, roots[:, 1]))
    length = length * (1.0 - 0.5 * bool(cut.trimmed) * step(0.0, 0.4, roots[:, 1]))
    pace = (length / JOINTS)[:, None]
    joints, place = [roots], roots
    for _ in range(JOINTS - 1):
        fall = np.array((0.0, 0.35 * cut.gravity, 0.0))
        speed = speed + fall + cut.curtain * _off_the_face(place, features)
        direction = speed / np.sqrt((speed**2).sum(axis=1, keepdims=True))
        speed = speed * 0.86
        place = _outside(place + direction * pace, features, cut.thickness)
        joints.append(place)
    locks = np.stack(joints, axis=1)
    phase = 6.3 * rng.random((count, 1)) + np.arange(JOINTS) * (0.7 if cut.curl else 0.45)
    sway = cut.curl if cut.curl else 0.05 * features.hair_wave * min(1.0, cut.length)
    rise = np.linspace(0.0, 1.0, JOINTS) ** 0.5
    locks[..., 0] += sway * np.sin(phase) * rise
    locks[..., 1] += (0.8 if cut.curl else 0.0) * sway * np.cos(phase) * rise
    locks[..., 2] += sway * np.cos(phase * 1.1) * rise
    return _fill_out(locks, cut.spread, rng)


def _fill_out(locks: Field, spread: float, rng: np.random.Generator) -> Strands:
    """CHILDREN strands around each lock, drawing together towards its tip."""
    offsets = rng.standard_normal((len(locks), CHILDREN, 1, 3)) * spread
    gather = np.linspace(1.0, 0.45, JOINTS)[None, None, :, None]
    points = locks[:, None] + offsets * gather
    lock_tone = 1.0 + 0.16 * rng.standard_normal((len(locks), 1))
    tone = lock_tone * (1.0 + 0.14 * rng.standard_normal((len(locks), CHILDREN)))
    return Strands(points.reshape(-1, JOINTS, 3), tone.reshape(-1))


def _off_the_face(place: Field, features: Features) -> Field:
    """A push to the sides for hair that hangs before the face."""
    inside = step(1.02, 0.8, np.abs(place[:, 0]) / features.width) * step(-0.1, 0.2, place[:, 2])
    inside = inside * step(-1.15, -0.7, place[:, 1])
    side = np.where(place[:, 0] >= 0.0, 1.0, -1.0)
    return np.stack([side * inside * 0.9, np.zeros(len(place)), -0.35 * inside], axis=1)


def _outside(place: Field, features: Features, thickness: float) -> Field:
    """Places inside the head and its layer of hair are moved out to its surface; the neck is left free."""
    depth = np.where(place[:, 2] > 0.0, FRONT_DEPTH, BACK_DEPTH)
    tall = np.where(place[:, 1] < 0.0, 1.5, 2.2)
    radii = np.stack([np.full(len(place), features.width), tall, depth], axis=1) + thickness
    reach = np.sqrt(((place / radii) ** 2).sum(axis=1, keepdims=True))
    moved: Field = np.where(reach < 1.0, place / np.maximum(reach, 1e-6), place)
    return moved


def _bun(features: Features, rng: np.random.Generator) -> Strands:
    """A knot of hair on top of the head, wound in great circles."""
    turns = 260
    first = rng.standard_normal((turns, 3))
    second = rng.standard_normal((turns, 3))
    first /= np.sqrt((first**2).sum(axis=1, keepdims=True))
    second -= first * (first * second).sum(axis=1, keepdims=True)
    second /= np.sqrt((second**2).sum(axis=1, keepdims=True))
    angle = np.linspace(0.0, 3.2, JOINTS)[None, :, None]
    circle = first[:, None] * np.cos(angle) + second[:, None] * np.sin(angle)
    points = circle * (0.36 * (0.8 + 0.2 * rng.random((turns, 1, 1)))) + np.array((0.0, -1.68, -0.42))
    return Strands(points, 1.0 + 0.18 * rng.standard_normal(turns))


BEARDS = {"full": 0.2, "short": 0.08, "goatee": 0.14, "moustache": 0.12, "long": 0.5}


def beard(features: Features, heights: Callable[[Field, Field], Field], rng: np.random.Generator) -> Strands:
    """The beard's hairs on the face whose front `heights` tells; none for `none` and for stubble."""
    length = BEARDS.get(features.beard)
    if length is None:
        return Strands(np.zeros((0, JOINTS, 3)), np.zeros(0))
    u = (rng.random(26000) * 2.0 - 1.0) * features.width
    v = 0.4 + rng.random(26000) * (features.chin - 0.38)
    grows = rng.random(26000) < beard_cover(features, u, v)
    u, v = u[grows], v[grows]
    roots = np.stack([u, v, heights(u, v) - 0.01], axis=1)
    roots = roots[roots[:, 2] > 0.0]
    count = len(roots)
    jitter = rng.standard_normal((count, 3)) * np.array((0.2, 0.12, 0.08))
    growth = np.stack([0.35 * roots[:, 0], np.ones(count), 0.45 + 0.0 * roots[:, 0]], axis=1) + jitter
    reach = length * (0.5 + 0.7 * rng.random(count))
    long_at_chin = step(0.75, 1.2, roots[:, 1])
    reach = reach * (0.45 + 0.55 * long_at_chin)
    along = np.linspace(0.0, 1.0, 5)[None, :, None]
    points = roots[:, None] + growth[:, None] * reach[:, None, None] * along
    points[..., 2] -= 0.3 * reach[:, None] * along[..., 0] ** 2
    return Strands(points, 1.0 + 0.25 * rng.standard_normal(count))


def beard_cover(features: Features, u: Field, v: Field) -> Field:
    """How densely the beard grows at places of the face: 0..1."""
    mouth, nose = features.mouth_height, features.nose_length
    along = np.abs(u) / (features.mouth_width * 1.15)
    lip_bottom = mouth + features.lip_lower + 0.02
    lip_top = mouth - features.lip_upper - 0.015 + 0.09 * along**2
    lips_free = 1.0 - step(1.05, 0.9, along) * step(0.0, 0.02, v - lip_top) * step(0.02, 0.0, v - lip_bottom)
    droop = nose + 0.03 + 0.1 * np.clip(along, 0.0, 1.4) ** 2
    moustache = (
        step(1.3, 1.0, along) * step(-0.03, 0.04, v - droop) * step(0.1, 0.0, v - mouth - 0.06 * along)
    )
    moustache = moustache * (1.0 - 0.6 * np.exp(-((u / 0.03) ** 2)))
    goatee = step(1.3, 1.05, along) * step(mouth - 0.05, mouth + 0.03, v)
    goatee = np.maximum(goatee * lips_free, moustache * lips_free)
    cheek_line = 0.42 + 0.55 * step(0.98, 0.45, np.abs(u) / features.width)
    jaw = step(-0.06, 0.06, v - cheek_line) * lips_free * step(nose, nose + 0.06, v + 0.6 * np.abs(u))
    whole = np.maximum(jaw, moustache * lips_free)
    kinds = {"moustache": moustache * lips_free, "goatee": goatee, "none": np.zeros_like(whole)}
    return kinds.get(features.beard, whole)
