"""A picture with nobody in it: a lake in the mountains on a still evening."""

from __future__ import annotations

import numpy as np
from PIL import Image

from portraits.fields import Field, blur, bump, linear, mix, noise, step, to_screen

# the foot of each ridge and its height, as shares of the picture's height, and its colour; the farthest first
RIDGES = (
    (0.44, 0.26, (112, 126, 158)),
    (0.52, 0.2, (82, 100, 126)),
    (0.58, 0.13, (52, 76, 84)),
    (0.62, 0.08, (34, 58, 50)),
)
SHORE = 0.62  # where the water begins, as a share of the picture's height


def landscape(size: tuple[int, int], seed: int) -> Image.Image:
    """The view over the lake, (width, height) pixels."""
    rng = np.random.default_rng(seed)
    shape = (size[1], size[0])
    x, y = np.meshgrid(np.linspace(0.0, size[0] / size[1], shape[1]), np.linspace(0.0, 1.0, shape[0]))
    view = _land(x, y, rng)
    shore = int(SHORE * shape[0])
    water = _water(view[:shore], shape[0] - shore, rng)
    view = np.concatenate([view[:shore], water])
    view = _pines(view, x, y, rng)
    view = view * (1.0 + 0.025 * noise(shape, 1.7, rng))[..., None]
    return Image.fromarray(to_screen(view))


def _land(x: Field, y: Field, rng: np.random.Generator) -> Field:
    sky = mix(linear((74, 116, 170)), linear((250, 205, 160)), np.clip(y / SHORE, 0.0, 1.0) ** 1.4)
    clouds = noise((x.shape[0], x.shape[1] // 3), 90.0, rng, 4)
    stretched = np.repeat(clouds, 3, axis=1)
    stretched = np.pad(stretched, ((0, 0), (0, x.shape[1] - stretched.shape[1])), mode="edge")
    sky = mix(sky, linear((255, 226, 200)), step(0.05, 0.5, stretched) * step(0.5, 0.2, y) * 0.6)
    view: Field = sky + bump(x, y, (0.95, 0.5), (0.28, 0.16))[..., None] * np.array((0.5, 0.3, 0.12))
    haze = np.asarray(linear((226, 196, 178)))
    for number, (base, tall, tone) in enumerate(RIDGES):
        ridge = noise((1, x.shape[1]), x.shape[1] / (2.2 + number), rng, 7)[0]
        top = base - tall * (0.5 + 0.75 * ridge)
        grain = noise((x.shape[0], x.shape[1]), 40.0, rng, 4)
        rock = np.asarray(linear(tone)) * (1.0 + 0.22 * grain)[..., None]
        mist = np.clip((y - top) / (SHORE - top + 0.02), 0.0, 1.0) ** 1.5 * (0.55 - 0.1 * number)
        rock = mix(rock, haze, mist)
        view = mix(view, rock, step(-0.002, 0.002, y - top))
    return view


def _water(above: Field, rows: int, rng: np.random.Generator) -> Field:
    """The land upside down, drawn out and broken by ripples that grow towards the viewer."""
    depth = np.arange(rows) / rows
    ripples = noise((rows, above.shape[1] // 6), 5.0, rng, 2)
    ripples = np.repeat(ripples, 6, axis=1)
    ripples = np.pad(ripples, ((0, 0), (0, above.shape[1] - ripples.shape[1])), mode="edge")
    source = above.shape[0] - 1 - (depth[:, None] * rows * 1.1 + ripples * 26.0 * depth[:, None])
    source = np.clip(np.rint(source), 0, above.shape[0] - 1).astype(np.intp)
    mirrored = above[source, np.arange(above.shape[1])[None, :]]
    soft = np.stack([blur(mirrored[..., channel], 1.5) for channel in range(3)], axis=-1)
    return mix(
        soft * 0.82, linear((24, 48, 66)), 0.15 + 0.5 * np.repeat(depth[:, None], above.shape[1], axis=1)
    )


def _pines(view: Field, x: Field, y: Field, rng: np.random.Generator) -> Field:
    """Dark trees at both sides in front."""
    wide = float(x.max())
    trees = np.zeros_like(x)
    for number in range(11):
        share = number / 10.0
        at = share * 0.3 * wide if number % 2 else wide - share * 0.24 * wide
        tall = (0.62 - 0.9 * min(at, wide - at)) * (0.7 + 0.35 * float(rng.random()))
        foot = 1.02
        up = np.clip((foot - y) / tall, 0.0, 1.2)
        jag = 0.72 + 0.28 * ((up * 13.0 + number * 0.3) % 1.0)
        ragged = 1.0 + 0.25 * np.sin(y * 310.0 + number) * np.sin(x * 240.0)
        half = 0.19 * tall * (1.0 - up) * jag * ragged
        trees = np.maximum(trees, step(0.003, -0.003, np.abs(x - at) - half) * (up < 1.0))
    bank = step(-0.004, 0.004, y - 0.955 + 0.03 * np.cos((x / wide - 0.5) * 6.0))
    dark = (
        np.asarray(linear((16, 30, 26)))
        * (1.0 + 0.5 * noise((x.shape[0], x.shape[1]), 9.0, rng, 2))[..., None]
    )
    return mix(view, dark, np.maximum(trees, bank))
