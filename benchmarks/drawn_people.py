"""People who do not exist, drawn by the renderer of sample_images: any number, each in as many photos as asked."""

from __future__ import annotations

import dataclasses
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "sample_images"))

from portraits import scenes
from portraits.backdrop import PLACES
from portraits.camera import View
from portraits.cast import CAST
from portraits.features import Expression, Features
from portraits.portrait import Photo, Sitter, take
from portraits.wardrobe import Clothes

SIZE = (240, 290)
POSE = (22.0, 7.0, 9.0)  # yaw, pitch, roll: at most so many degrees either way
BEYOND = 0.15  # how far a feature may leave the range of the cast, as a part of that range
AT_MOST_ONE = ("blush", "freckles", "age", "lid_fold", "lashes", "hair_grey", "beard_grey")
CUTS = ("tee", "vneck", "shirt", "suit", "turtleneck")


def drawn(number: int, photos: int) -> Iterator[Image.Image]:
    """The photos of the person of that number, always the same, packed as JPEG here and there."""
    rng = np.random.default_rng(1000 + number)
    features = invented(rng)
    for _ in range(photos):
        packed = io.BytesIO()
        portrait(features, rng).save(packed, "JPEG", quality=int(rng.integers(60, 95)))
        yield Image.open(packed).convert("RGB")


def invented(rng: np.random.Generator) -> Features:
    """Numbers from the range of the cast and a little beyond; colours, hair and glasses of one of them."""
    cast = list(CAST.values())
    model = cast[rng.integers(len(cast))]
    rng.integers(len(cast))
    made: dict[str, object] = {}
    for field in dataclasses.fields(Features):
        value = getattr(model, field.name)
        if isinstance(value, float):
            values = [getattr(one, field.name) for one in cast]
            low, high = min(values), max(values)
            beyond = BEYOND * (high - low)
            value = float(rng.uniform(low - beyond, high + beyond))
            if low >= 0:
                value = max(value, 0.0)
            if field.name in AT_MOST_ONE:
                value = min(value, 1.0)
        elif isinstance(value, tuple):
            value = tuple(float(np.clip(part + rng.normal(0, 8), 0, 255)) for part in value)
        made[field.name] = value
    if made["age"] < 0.5:  # type: ignore[operator]
        made["hair_grey"] = made["beard_grey"] = 0.0
    return Features(**made)  # type: ignore[arg-type]


def portrait(features: Features, rng: np.random.Generator) -> Image.Image:
    """A photo in another pose, face, light, place and dress each time, now and then with or without glasses."""
    if rng.random() < 0.2:
        worn = "none" if features.glasses != "none" else "round"
        features = dataclasses.replace(features, glasses=worn)
    expression = Expression(
        smile=float(rng.uniform(0, 1)),
        teeth=float(rng.choice([0, 0, 0.5, 1])),
        eyes=float(rng.uniform(0.85, 1.06)),
        gaze=(float(rng.normal(0, 0.08)), 0.0),
        brows=float(rng.uniform(0, 0.8)),
    )
    light = list(scenes.LIGHTS.values())[rng.integers(5)]
    key = (float(rng.uniform(-0.9, 0.9)), float(rng.uniform(-0.8, -0.1)), float(rng.uniform(0.5, 0.9)))
    light = dataclasses.replace(
        light, key=key, strength=float(rng.uniform(0.7, 1.05)), ambient=float(rng.uniform(0.3, 0.6))
    )
    view = View(
        SIZE[0] * 0.5 + rng.normal(0, 6),
        SIZE[1] * 0.44,
        0.235 * SIZE[0] * rng.uniform(0.85, 1.1),
        *(float(rng.uniform(-most, most)) for most in POSE),
    )
    tint = tuple(int(part) for part in rng.integers(40, 210, 3))
    clothes = Clothes(
        str(rng.choice(CUTS)),
        tuple(int(part) for part in rng.integers(30, 240, 3)),  # type: ignore[arg-type]
        shoulders=float(rng.uniform(2.2, 2.5)),
    )
    place = str(rng.choice(PLACES))
    sitter = Sitter(features, expression, view, clothes, int(rng.integers(1 << 30)))
    return take(Photo(SIZE, place, tint, light, [sitter], int(rng.integers(1 << 30))))  # type: ignore[arg-type]
