"""The brush: draws strands of hair into a picture, each piece of each hair in its own light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from portraits.camera import Sight, View, turn
from portraits.fields import Colour, Field, linear, to_screen
from portraits.hair import Strands
from portraits.light import Light
from portraits.relief import NOWHERE

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEHIND_THE_NECK = -0.3


@dataclass(frozen=True)
class Pieces:
    """Straight pieces of hair on the picture, the farthest first: ends in pixels, colour, and where they lie."""

    ends: Field  # (pieces, 4)
    colour: NDArray[np.uint8]  # (pieces, 3)
    hidden: NDArray[np.bool_]  # behind the head or the neck
    width: int


def cut_in_pieces(
    strands: Strands, view: View, light: Light, sight: Sight, colour: Colour, grey: float, width: float
) -> Pieces:
    """Project strands and light them. `width` in head units; `grey` is the share of white hairs."""
    points = view.project(strands.points)
    start, end = points[:, :-1], points[:, 1:]
    along = turn(view.rotation, strands.points[:, 1:] - strands.points[:, :-1])
    along = along / np.maximum(np.sqrt((along**2).sum(axis=-1, keepdims=True)), 1e-9)
    middle = (start + end) / 2.0
    lit = _colour(strands, view, light, along, colour, grey)
    hidden = _hidden(start, sight) | _hidden(end, sight)
    order = np.argsort(middle[..., 2], axis=None, kind="stable")
    ends = np.concatenate([start[..., :2], end[..., :2]], axis=-1).reshape(-1, 4)
    return Pieces(
        np.rint(ends[order] * 4.0) / 4.0,
        to_screen(lit).reshape(-1, 3)[order],
        hidden.reshape(-1)[order],
        max(1, round(width * view.scale)),
    )


def _colour(strands: Strands, view: View, light: Light, along: Field, colour: Colour, grey: float) -> Field:
    """The light each piece sends: a cylinder's diffuse and shiny light under the lamp, shaded like the head."""
    lamp = light.direction
    across = np.sqrt(np.clip(1.0 - (along * lamp).sum(axis=-1) ** 2, 0.0, 1.0))
    halfway = lamp + np.array((0.0, 0.0, 1.0))
    halfway = halfway / np.sqrt((halfway**2).sum())
    sheen = np.sqrt(np.clip(1.0 - (along * halfway).sum(axis=-1) ** 2, 0.0, 1.0)) ** 60
    outward = strands.points[:, :-1] - np.array((0.0, -0.1, -0.1))
    outward = turn(view.rotation, outward / np.sqrt((outward**2).sum(axis=-1, keepdims=True)))
    facing = np.clip(0.5 + 0.5 * (outward * lamp).sum(axis=-1), 0.0, 1.0)
    sky = light.ambient * (0.7 - 0.3 * outward[..., 1])
    white = ((strands.tone * 7919.0) % 1.0 < grey)[:, None, None]
    base = np.where(white, np.asarray(linear((205, 203, 200))), np.asarray(linear(colour)))
    base = base * np.clip(strands.tone, 0.45, 1.6)[:, None, None]
    strength = light.strength * np.asarray(light.key_colour)
    root = np.clip(0.55 + np.linspace(0.0, 1.4, along.shape[1]), 0.0, 1.0)[None, :, None]
    lit = base * root * (strength * (facing**1.5 * (0.25 + 0.75 * across))[..., None] + sky[..., None])
    shining: Field = lit + strength * (sheen * facing**2)[..., None] * (0.05 + 0.35 * base) * root
    return shining


def _hidden(ends: Field, sight: Sight) -> NDArray[np.bool_]:
    left, top, right, bottom = sight.window
    x, y = np.rint(ends[..., 0]).astype(np.intp) - left, np.rint(ends[..., 1]).astype(np.intp) - top
    within = (x >= 0) & (y >= 0) & (x < right - left) & (y < bottom - top)
    nearest = np.full(ends.shape[:2], NOWHERE)
    nearest[within] = sight.nearness[y[within], x[within]]
    hidden: NDArray[np.bool_] = ends[..., 2] < np.where(nearest > NOWHERE, nearest, BEHIND_THE_NECK)
    return hidden


def draw_pieces(picture: Image.Image, pieces: Pieces, hidden: bool) -> None:
    """Draw the pieces that are hidden (before the head is painted) or those that are not (after it)."""
    pen = ImageDraw.Draw(picture)
    chosen = pieces.hidden == hidden
    for ends, colour in zip(pieces.ends[chosen].tolist(), pieces.colour[chosen].tolist(), strict=True):
        pen.line(ends, fill=tuple(colour), width=pieces.width)
