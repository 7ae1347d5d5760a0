"""The tailor: neck, shoulders and clothes as soft heights over the photo, lit like the face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portraits.camera import View
from portraits.features import Features
from portraits.fields import Colour, Field, blur, linear, mix, noise, step
from portraits.light import Light, surface

COLLAR = 2.02  # height of the pit of the neck under the eyes


@dataclass(frozen=True)
class Clothes:
    """What a person wears in one photo: `cut` is tee, vneck, shirt, suit or turtleneck."""

    cut: str = "tee"
    colour: Colour = (70, 90, 120)
    second: Colour = (238, 238, 235)  # the shirt under a suit, the stripes of a jersey
    stripes: bool = False
    shoulders: float = 2.45  # half their breadth, in half-widths of the face


class _Cloth:
    """Layers put over one another: colour, height and gloss grow as they go on."""

    def __init__(self, shape: tuple[int, int], soft: float, ground: Colour) -> None:
        self.colour = np.full((*shape, 3), ground)
        self.height = np.zeros(shape)
        self.fabric = np.zeros(shape)
        self.gloss = np.zeros(shape)
        self._soft = soft

    def lay(self, mask: Field, colour: Field | Colour, raised: float, gloss: float = 0.1) -> None:
        """Lay a layer where `mask` is 1; its border throws a soft shade on what lies under it."""
        shade = np.clip(blur(mask, self._soft * 2.0) - mask, 0.0, 1.0)
        self.colour = self.colour * (1.0 - 0.7 * shade)[..., None]
        self.colour = mix(self.colour, colour, mask)
        self.gloss = self.gloss + (gloss - self.gloss) * mask
        self.height = self.height + raised * blur(mask, self._soft)

    def add(self, mask: Field, colour: Field | Colour, raised: float, gloss: float = 0.1) -> None:
        """A layer of cloth."""
        self.lay(mask, colour, raised, gloss)
        self.fabric = np.maximum(self.fabric, mask)


@dataclass(frozen=True)
class Dressed:
    """A body in its part of the photo: linear light (rows, columns, 3) and cover (rows, columns), 0..1."""

    corner: tuple[int, int]  # left, top
    shining: Field
    cover: Field


def dress(
    features: Features,
    clothes: Clothes,
    view: View,
    size: tuple[int, int],
    light: Light,
    head_shade: Field,
    rng: np.random.Generator,
) -> Dressed:
    """Everything below the head, in a photo of `size`.

    `view` is the head's; the body stands upright under it. `head_shade` is 1 where the head hides the light.
    """
    middle = view.x + 1.2 * view.scale * float(view.rotation[0, 1])
    reach = (clothes.shoulders + 0.6) * view.scale
    left, right = max(0, int(middle - reach)), min(size[0], int(middle + reach))
    top = max(0, int(view.y + 0.2 * view.scale))
    x, y = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, size[1]) + 0.5)
    u, v = (x - middle) / view.scale, (y - view.y) / view.scale
    pixel = 1.5 / view.scale
    cloth = _Cloth(u.shape, 0.02 * view.scale, linear(clothes.colour))

    neck = 0.6 * features.width * (1.0 - 0.12 * features.taper) + 0.25 * step(1.5, 2.3, v) ** 2
    trapeze = COLLAR - 0.12 + 0.42 * np.clip(np.abs(u) - 0.55, 0.0, None) ** 0.8
    hem = 0.06 * step(0.76, 0.68, np.abs(u)) - 0.02
    chest = step(-pixel, pixel, v - trapeze + hem) * step(1.5, 1.3, np.abs(u))
    skin = np.maximum(step(pixel, -pixel, np.abs(u) - neck) * step(0.3, 0.5, v), chest)
    mottle = 0.96 + 0.05 * noise(u.shape, 0.25 * view.scale, rng, 3)
    cloth.lay(skin, np.asarray(linear(features.skin)) * mottle[..., None], 0.0, 0.35)
    body = step(-pixel, pixel, v - trapeze) * _torso(clothes, u, v, pixel)
    _CUTS[clothes.cut](cloth, clothes, body, u, v, pixel)
    wrap = _headcloth(cloth, features, u, v, pixel)

    facing = _facing(cloth, clothes, neck, u, v, view, rng)
    weave = 1.0 + 0.05 * noise(u.shape, max(1.5, 0.02 * view.scale), rng) * cloth.fabric
    shade = 1.0 - 0.88 * np.clip(head_shade[top:, left:right], 0.0, 1.0)
    shining = surface(facing, cloth.colour * weave[..., None], light, shade, cloth.gloss, 0.35 + 0.65 * shade)
    return Dressed((left, top), shining, np.maximum(np.maximum(skin, body), wrap))


def _facing(
    cloth: _Cloth, clothes: Clothes, neck: Field, u: Field, v: Field, view: View, rng: np.random.Generator
) -> Field:
    """Which way the body's surface looks: round shoulders, a round neck with its tendons, folds in the cloth."""
    height = 0.75 * np.sqrt(np.clip(1.0 - (u / (clothes.shoulders + 0.1)) ** 2, 0.0, 1.0)) - 0.22 * (
        v - COLLAR
    )
    height += 0.42 * np.sqrt(np.clip(1.0 - (u / (neck + 0.02)) ** 2, 0.0, 1.0)) * step(2.25, 1.7, v)
    tendon = 0.52 - 0.36 * np.clip((v - 1.1) / 0.95, 0.0, 1.0)
    height += 0.04 * np.exp(-(((np.abs(u) - tendon) / 0.07) ** 2)) * step(1.95, 1.5, v) * step(0.9, 1.3, v)
    height += 0.06 * noise(u.shape, 0.9 * view.scale, rng, 3) * blur(cloth.fabric, 0.1 * view.scale)
    height = blur((height + cloth.height) * view.scale, 0.015 * view.scale)
    down, right = np.gradient(height)
    facing = np.stack([-right, -down, np.ones(u.shape)], axis=-1)
    facing /= np.sqrt((facing**2).sum(axis=-1, keepdims=True))
    return facing


def _headcloth(cloth: _Cloth, features: Features, u: Field, v: Field, pixel: float) -> Field:
    """The ends of a headscarf, wound around the neck and laid over the chest; returns where they are."""
    wrap = np.zeros_like(u)
    if features.headscarf is not None:
        half = 0.83 + 0.35 * step(1.4, 2.2, v) ** 1.5
        wrap = step(pixel, -pixel, np.abs(u) - half) * step(0.2, 0.6, v)
        wrap = wrap * step(pixel, -pixel, v - 2.72 + 0.35 * np.abs(u + 0.2))
        waves = np.sin((v - 0.35 * u + 0.25 * u**2) * 17.0) + 0.6 * np.sin((v + 0.5 * u) * 11.0)
        cloth.add(wrap, np.asarray(linear(features.headscarf)) * (0.9 + 0.07 * waves)[..., None], 0.08)
        cloth.height = cloth.height + 0.028 * waves * wrap
    return wrap


def _torso(clothes: Clothes, u: Field, v: Field, pixel: float) -> Field:
    """Shoulders that round off into the arms."""
    half = clothes.shoulders
    over = np.clip((np.abs(u) - (half - 0.75)) / 0.75, 0.0, None)
    top = COLLAR + 0.32 + 0.85 * over**2.6
    inner = np.where(np.abs(u) < half - 0.75, -9.0, top)
    outer = half + 0.12 * np.clip(v - 2.8, 0.0, None)
    return step(-pixel, pixel, v - inner) * step(pixel, -pixel, np.abs(u) - outer)


def _fabric(clothes: Clothes, u: Field, v: Field) -> Field:
    plain = np.broadcast_to(np.asarray(linear(clothes.colour)), (*u.shape, 3))
    if not clothes.stripes:
        return np.array(plain)
    band = step(-0.15, 0.15, np.sin((v + 0.05 * u**2) * 22.0))
    return mix(plain, linear(clothes.second), band)


def _tee(cloth: _Cloth, clothes: Clothes, body: Field, u: Field, v: Field, pixel: float) -> None:
    neckline = np.sqrt((u / 0.78) ** 2 + ((v - COLLAR + 0.12) / 0.42) ** 2)
    cloth.add(body * step(-pixel, pixel, neckline - 1.0), _fabric(clothes, u, v), 0.05)
    rim = body * step(1.0, 1.02, neckline) * step(1.16, 1.14, neckline)
    cloth.add(rim, np.asarray(linear(clothes.colour)) * 0.85, 0.02)


def _vneck(cloth: _Cloth, clothes: Clothes, body: Field, u: Field, v: Field, pixel: float) -> None:
    opening = np.abs(u) - 0.72 * np.clip((3.05 - v) / 1.0, 0.0, 1.2) + 0.1 * step(3.0, 3.1, v)
    cloth.add(body * step(-pixel, pixel, opening), _fabric(clothes, u, v), 0.05)
    rim = body * step(-pixel, pixel, opening) * step(0.09, 0.08, opening) * step(3.2, 3.1, v)
    cloth.add(rim, np.asarray(linear(clothes.colour)) * 0.8, 0.02)


def _collar(cloth: _Cloth, colour: Colour, body: Field, u: Field, v: Field, pixel: float) -> None:
    across = np.abs(u)
    inner = 0.62 - 0.62 * np.clip((v - 1.72) / 0.75, 0.0, 1.0)
    leaf = step(-pixel, pixel, across - inner) * step(pixel, -pixel, v - 2.62 + 0.75 * np.abs(across - 0.42))
    leaf = leaf * step(-pixel, pixel, v - 1.68 - 0.12 * across) * step(0.78, 0.74, across)
    cloth.add(leaf, linear(colour), 0.06)


def _shirt(cloth: _Cloth, clothes: Clothes, body: Field, u: Field, v: Field, pixel: float) -> None:
    opening = np.abs(u) - 0.62 * np.clip((2.5 - v) / 0.75, 0.0, 1.2) + 0.1 * step(2.45, 2.55, v)
    cloth.add(body * step(-pixel, pixel, opening), _fabric(clothes, u, v), 0.05)
    placket = body * step(0.11, 0.1, np.abs(u)) * step(2.45, 2.5, v)
    cloth.add(placket, np.asarray(linear(clothes.colour)) * 0.96, 0.015)
    button = step(0.036, 0.03, np.sqrt(u**2 + ((v - 2.8 + 0.25) % 0.5 - 0.25) ** 2)) * step(2.6, 2.65, v)
    cloth.add(button, linear((228, 226, 220)), 0.01, 0.6)
    _collar(cloth, clothes.colour, body, u, v, pixel)


def _suit(cloth: _Cloth, clothes: Clothes, body: Field, u: Field, v: Field, pixel: float) -> None:
    plain = Clothes("shirt", clothes.second, clothes.second)
    _shirt(cloth, plain, body, u, v, pixel)
    across = np.abs(u)
    front = across - 0.95 * np.clip((4.3 - v) / 2.4, 0.0, 1.0)
    cloth.add(body * step(-pixel, pixel, front), _fabric(clothes, u, v), 0.06)
    breadth = 0.34 - 0.1 * np.clip(v - 2.3, 0.0, 1.0)
    lapel = body * step(-pixel, pixel, front) * step(pixel, -pixel, front - breadth)
    lapel = lapel * step(-pixel, pixel, v - 1.95 - 0.3 * (across - 0.7))
    cloth.add(lapel, np.asarray(linear(clothes.colour)) * 1.12, 0.04)


def _turtleneck(cloth: _Cloth, clothes: Clothes, body: Field, u: Field, v: Field, pixel: float) -> None:
    cloth.add(body, _fabric(clothes, u, v), 0.04)
    half = 0.7 + 0.16 * step(1.7, 2.2, v) ** 2
    tube = step(pixel, -pixel, np.abs(u) - half) * step(-pixel, pixel, v - 1.42 - 0.12 * u**2)
    tube = tube * step(2.3, 2.22, v - 0.1 * u**2)
    ribs = 0.93 + 0.07 * np.sin(u * 55.0)
    cloth.add(tube, np.asarray(linear(clothes.colour)) * ribs[..., None], 0.07)


_CUTS = {"tee": _tee, "vneck": _vneck, "shirt": _shirt, "suit": _suit, "turtleneck": _turtleneck}
