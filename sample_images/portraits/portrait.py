"""The photographer: puts people before a backdrop and takes the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

from portraits import wardrobe
from portraits.accessories import Head, draw_ears, draw_glasses, draw_headscarf
from portraits.backdrop import backdrop
from portraits.brush import cut_in_pieces, draw_pieces
from portraits.camera import Sight, View, look
from portraits.features import Expression, Features
from portraits.fields import Colour, Field, blur, noise, sample, to_screen
from portraits.hair import beard, hairdo
from portraits.light import Light, shine
from portraits.relief import Sheet, sculpt
from portraits.skin import paint

FINER = 2  # the picture is drawn this much larger and reduced, so that edges are smooth
PAINTED = 0.75  # the skin is painted with fewer pixels than it is drawn with: it has no edges as sharp


@dataclass(frozen=True)
class Sitter:
    """A person in a photo: who, how they look at the camera and where they are, in pixels of the photo."""

    features: Features
    expression: Expression
    view: View
    clothes: wardrobe.Clothes
    seed: int


@dataclass(frozen=True)
class Photo:
    """A photo to be taken: its size in pixels, its place and its people, the farthest first."""

    size: tuple[int, int]
    place: str
    tint: Colour
    light: Light
    sitters: Sequence[Sitter]
    seed: int


def take(photo: Photo) -> Image.Image:
    """The finished picture."""
    rng = np.random.default_rng(photo.seed)
    small = Image.fromarray(to_screen(backdrop(photo.place, photo.tint, photo.size, rng)))
    picture = small.resize((photo.size[0] * FINER, photo.size[1] * FINER), Image.Resampling.BILINEAR)
    for sitter in photo.sitters:
        _portray(picture, sitter, photo.light, photo.size)
    return _develop(picture.reduce(FINER), rng)


def _portray(picture: Image.Image, sitter: Sitter, light: Light, size: tuple[int, int]) -> None:
    features, view = sitter.features, _finer(sitter.view)
    rng = np.random.default_rng(sitter.seed)
    sheet = Sheet.of(view.scale * PAINTED)
    heights = sculpt(features, sitter.expression, sheet)
    painted = paint(features, sitter.expression, sheet, rng)
    sight = look(view, picture.size, sheet, *heights)

    def front(u: Field, v: Field) -> Field:
        return sample(heights[0], *sheet.pixels(u, v))

    hair = cut_in_pieces(
        hairdo(features, rng), view, light, sight, features.hair_colour, features.hair_grey, 0.0065
    )
    whiskers = cut_in_pieces(
        beard(features, front, rng), view, light, sight, features.beard_colour, features.beard_grey, 0.005
    )
    draw_pieces(picture, hair, hidden=True)
    _paste_body(picture, sitter, light, size, sight, rng)
    if features.headscarf is None:
        draw_ears(picture, features, view, light)
    left, top = sight.window[:2]
    window = np.array(picture.crop(sight.window))
    window[sight.hit] = to_screen(shine(sight, view, light, sheet, heights, painted))
    picture.paste(Image.fromarray(window), (left, top))
    draw_pieces(picture, whiskers, hidden=False)
    draw_pieces(picture, hair, hidden=False)
    draw_headscarf(picture, features, view, light, Head(sheet, heights[0], sight), rng)
    draw_glasses(picture, features, view)


def _finer(view: View) -> View:
    return replace(view, x=view.x * FINER, y=view.y * FINER, scale=view.scale * FINER)


def _paste_body(
    picture: Image.Image,
    sitter: Sitter,
    light: Light,
    size: tuple[int, int],
    sight: Sight,
    rng: np.random.Generator,
) -> None:
    shade = _shade_under(sight, size, sitter.view.scale)
    dressed = wardrobe.dress(sitter.features, sitter.clothes, sitter.view, size, light, shade, rng)
    rows, columns = dressed.cover.shape
    large, corner = (columns * FINER, rows * FINER), (dressed.corner[0] * FINER, dressed.corner[1] * FINER)
    body = Image.fromarray(to_screen(dressed.shining)).resize(large, Image.Resampling.BILINEAR)
    cover = Image.fromarray(np.rint(dressed.cover * 255.0).astype(np.uint8))
    picture.paste(body, corner, cover.resize(large, Image.Resampling.BILINEAR))


def _shade_under(sight: Sight, size: tuple[int, int], scale: float) -> Field:
    """The soft shadow of the head on neck and shoulders, on the photo's own pixels."""
    whole = np.zeros((size[1] * FINER, size[0] * FINER))
    left, top, right, bottom = sight.window
    whole[top:bottom, left:right] = sight.hit
    small = whole.reshape(size[1], FINER, size[0], FINER).mean(axis=(1, 3))
    shift = round(0.3 * scale)
    lowered = np.zeros_like(small)
    lowered[shift:] = small[:-shift]
    return blur(lowered, 0.11 * scale)


def _develop(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A breath of bloom, darker corners and fine grain, as a lens and a sensor give them."""
    soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(picture.width / 60.0)), dtype=np.float64)
    sharp = np.asarray(picture, dtype=np.float64)
    shape = sharp.shape[:2]
    x, y = np.meshgrid(np.linspace(-1.0, 1.0, shape[1]), np.linspace(-1.0, 1.0, shape[0]))
    corners = 1.0 - 0.16 * np.clip((x**2 + y**2) / 2.0, 0.0, 1.0) ** 1.5
    grain = noise((shape[0], shape[1]), 1.7, rng) * 2.2
    developed = (sharp * 0.92 + soft * 0.1) * corners[..., None] + grain[..., None]
    return Image.fromarray(np.rint(np.clip(developed, 0.0, 255.0)).astype(np.uint8))
