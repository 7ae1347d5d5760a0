"""The painter: the colours of a face, and how much each place shines, on the sheet the sculptor used."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from portraits.features import Expression, Features
from portraits.fields import Field, blur, bump, linear, mix, noise, step
from portraits.hair import beard_cover, covers_scalp
from portraits.relief import SIDES, Sheet, lips, mouth_line


def paint(
    features: Features, expression: Expression, sheet: Sheet, rng: np.random.Generator
) -> tuple[Field, Field]:
    """Albedo (rows, columns, 3) and gloss (rows, columns)."""
    albedo = _complexion(features, expression, sheet, rng)
    gloss = 0.5 + 0.5 * bump(sheet.u, sheet.v, (0.0, 0.3), (0.16, 0.4))
    gloss += 0.3 * bump(sheet.u, sheet.v, (0.0, -0.6), (0.4, 0.2))
    part, near = sheet.around((0.0, features.mouth_height), (0.7, 0.4))
    albedo[part], gloss[part] = _paint_lips(features, expression, near, albedo[part], gloss[part])
    for side in SIDES:
        part, near = sheet.around((side * features.eye_gap, 0.0), (0.45, 0.35))
        albedo[part], gloss[part] = _paint_eye(features, expression, near, side, albedo[part], gloss[part])
    albedo = _brush_brows(features, expression, sheet, albedo, rng)
    return _under_hair(features, sheet, albedo, gloss, rng)


def _complexion(features: Features, expression: Expression, sheet: Sheet, rng: np.random.Generator) -> Field:
    u, v = sheet.u, sheet.v
    skin = np.asarray(linear(features.skin))
    mottled = noise(sheet.shape, 0.25 * sheet.scale, rng, 3)
    pores = noise(sheet.shape, 0.02 * sheet.scale, rng, 2)
    albedo = skin * (1.0 + (0.05 + 0.05 * features.age) * mottled + 0.06 * pores)[..., None]
    warm = np.zeros_like(u)
    for side in SIDES:
        warm += bump(u, v, (side * 0.55, 0.42), (0.2, 0.17))
        warm += 0.5 * bump(u, v, (side * 1.0, 0.2), (0.1, 0.3))
    warm += 0.8 * bump(u, v, (0.0, features.nose_length - 0.1), (0.13, 0.09))
    warm += 0.4 * bump(u, v, (0.0, features.chin - 0.2), (0.2, 0.12))
    albedo = mix(albedo, albedo * np.array((1.06, 0.8, 0.76)), warm * features.blush * 0.8)
    shade = np.zeros_like(u)
    for side in SIDES:
        shade += bump(u, v, (side * features.eye_gap, -0.02), (0.2, 0.11)) * 0.5
        shade += bump(u, v, (side * features.eye_gap * 0.85, 0.15), (0.13, 0.05)) * (0.2 + 0.5 * features.age)
        nostril = (side * features.nose_width * 0.5, features.nose_length - 0.008 - 0.06 * np.abs(u))
        shade += 1.9 * bump(u, v, nostril, (features.nose_width * 0.2, 0.017))
        crease = (side * features.nose_width * 1.14, features.nose_length - 0.06)
        shade += 0.45 * bump(u, v, crease, (0.018, 0.055))
    albedo = mix(albedo, albedo * np.array((0.62, 0.5, 0.48)), np.clip(shade, 0.0, 1.6))
    spots = _freckles(features, sheet, rng)
    return np.clip(mix(albedo, albedo * np.array((0.72, 0.55, 0.42)), spots), 0.0, 1.0)


def _under_hair(
    features: Features, sheet: Sheet, albedo: Field, gloss: Field, rng: np.random.Generator
) -> tuple[Field, Field]:
    """The scalp seen between hairs, the shade that hair throws on the forehead, and the roots of a beard."""
    scalp = covers_scalp(features, sheet.u, sheet.v)
    shade = np.clip(blur(scalp, 0.05 * sheet.scale) - scalp, 0.0, 1.0)
    albedo = albedo * (1.0 - 0.4 * shade)[..., None]
    streaks = noise(sheet.shape, 0.05 * sheet.scale, rng, 3) + noise(sheet.shape, 0.015 * sheet.scale, rng)
    dark = np.asarray(linear(features.hair_colour)) * (0.62 + 0.3 * streaks)[..., None]
    albedo = mix(albedo, dark, np.clip(scalp * (0.97 + 0.35 * streaks * (1.0 - scalp)), 0.0, 0.97))
    roots = beard_cover(features, sheet.u, sheet.v) * (
        1.0 + 0.3 * noise(sheet.shape, 0.012 * sheet.scale, rng)
    )
    strength = 0.38 if features.beard == "stubble" else 0.6
    albedo = mix(albedo, np.asarray(linear(features.beard_colour)), np.clip(roots * strength, 0.0, 0.8))
    return albedo, gloss * (1.0 - np.maximum(scalp, np.clip(roots, 0.0, 1.0)) * 0.8)


def _freckles(features: Features, sheet: Sheet, rng: np.random.Generator) -> Field:
    """Small soft dots, thickest over nose and cheeks."""
    picture = Image.new("L", (sheet.shape[1], sheet.shape[0]))
    pen = ImageDraw.Draw(picture)
    for across, down, size, strength in rng.random((int(420 * features.freckles), 4)):
        spread = 0.55 + 0.3 * size
        u, v = (across * 2.0 - 1.0) * spread, 0.3 + (down - 0.5) * (0.75 - 0.5 * abs(across * 2.0 - 1.0))
        column, row = sheet.pixels(u, v)
        radius = (0.007 + 0.009 * size) * sheet.scale
        ink = int(70 + 150 * strength)
        pen.ellipse((column - radius, row - radius, column + radius, row + radius * 0.85), fill=ink)
    return blur(np.asarray(picture, dtype=np.float64) / 255.0, 0.005 * sheet.scale)


def _paint_lips(
    features: Features, expression: Expression, sheet: Sheet, albedo: Field, gloss: Field
) -> tuple[Field, Field]:
    u, v = sheet.u, sheet.v
    top, upper_edge, lower_edge, bottom = lips(features, expression, u)
    line, along = mouth_line(features, expression, u)
    soft = 0.014
    within = step(1.02, 0.96, along)
    red = within * step(-soft, soft, v - top) * step(soft, -soft, v - bottom)
    creases = 1.0 + 0.05 * np.sin(u * 120.0 + 3.0 * np.sin(v * 30.0))
    rouge = np.asarray(linear(features.lip_colour)) * creases[..., None]
    rouge = np.where((v < line)[..., None], rouge * 0.82, rouge)
    albedo = mix(albedo, rouge, red * 0.9)
    gloss = gloss + red * 0.6
    open_here = within * step(-0.008, 0.008, v - upper_edge) * step(0.008, -0.008, v - lower_edge)
    open_here = open_here * min(1.0, expression.teeth * 3.0)
    tooth = 1.0 - 0.1 * np.exp(-((((np.abs(u) + 0.045) % 0.09 - 0.045) / 0.006) ** 2))
    white = np.array((0.72, 0.68, 0.6)) * (tooth * step(1.0, 0.45, along) * 0.9 + 0.06)[..., None]
    depth = step(0.0, 0.03, v - upper_edge)
    albedo = mix(albedo, white * (0.55 + 0.45 * depth)[..., None], open_here)
    seam = within * np.exp(-(((v - line) / 0.011) ** 2)) * (1.0 - min(1.0, expression.teeth * 3.0))
    albedo = mix(albedo, albedo * np.array((0.38, 0.25, 0.25)), seam)
    return albedo, gloss


def _paint_eye(
    features: Features, expression: Expression, sheet: Sheet, side: float, albedo: Field, gloss: Field
) -> tuple[Field, Field]:
    size = features.eye_size
    tilt = math.radians(features.eye_tilt)
    du, dv = (sheet.u - side * features.eye_gap) * side, sheet.v
    along = (du * math.cos(tilt) - dv * math.sin(tilt)) / size
    down = (du * math.sin(tilt) + dv * math.cos(tilt)) / size
    pixel = 1.0 / (size * sheet.scale)
    soft = max(1.2 * pixel, 0.05)
    openness = features.eye_open * expression.eyes * (1.0 - 0.12 * expression.smile)
    arch = np.maximum(1.0 - along**2, 0.0)
    skewed = np.maximum(1.0 - np.abs(along + 0.12) ** 2.2, 0.0)
    upper = -openness * 0.6 * np.minimum(arch**0.62, skewed**0.7 + 0.02)
    lower = 0.42 * features.eye_open**0.5 * (1.0 + 0.12 * along) * arch**0.8 * (1.0 - 0.2 * expression.smile)
    white = (
        step(-soft, soft, down - upper) * step(soft, -soft, down - lower) * step(1.02, 0.96, np.abs(along))
    )

    ball = np.array((0.56, 0.53, 0.5)) * (1.0 - 0.35 * along**2 - 0.1 * down**2)[..., None]
    ball = mix(ball, np.array((0.5, 0.26, 0.22)), step(-0.78, -0.98, along) * 0.8)
    gaze_u, gaze_v = expression.gaze
    across, height = along - 0.02 - gaze_u * side, down + 0.08 - gaze_v
    radius = np.sqrt(across**2 + height**2)
    ball = _iris(features, ball, radius, np.arctan2(height, across), pixel)
    shadow = np.exp(-np.maximum(down - upper, 0.0) / 0.16)
    ball = ball * (1.0 - 0.6 * shadow)[..., None]
    glint = np.exp(-(((across * side + 0.14) ** 2 + (height + 0.17) ** 2) / 0.0065))
    glint += 0.25 * np.exp(-(((across * side - 0.16) ** 2 + (height - 0.16) ** 2) / 0.006))
    albedo = mix(albedo, ball, white)
    albedo = mix(albedo, (1.25, 1.25, 1.25), np.clip(glint, 0.0, 1.0) * white)
    gloss = gloss * (1.0 - white)

    lash = np.exp(-(((down - upper + 0.04) / (0.05 + 0.07 * features.lashes)) ** 2))
    lash = lash * step(1.22, 0.95, np.abs(along + 0.03)) * (0.55 + 0.45 * step(-0.9, 0.4, along))
    wing = np.exp(-(((down + 0.5 * (along - 0.9) + 0.02) / 0.06) ** 2))
    wing = wing * step(0.85, 1.0, along) * step(1.3, 1.0, along)
    under = 0.28 * np.exp(-(((down - lower - 0.02) / 0.05) ** 2)) * step(1.0, 0.8, np.abs(along))
    dark = np.clip(lash * (0.55 + 0.45 * features.lashes) + wing * features.lashes + under, 0.0, 1.0)
    albedo = mix(albedo, (0.022, 0.016, 0.014), dark * 0.93)
    crease_at = upper - 0.27 - 0.06 * along
    crease = (
        features.lid_fold * np.exp(-(((down - crease_at) / 0.05) ** 2)) * step(1.2, 0.7, np.abs(along - 0.05))
    )
    albedo = mix(albedo, albedo * np.array((0.45, 0.33, 0.3)), crease * 0.6)
    return albedo, gloss


def _iris(features: Features, ball: Field, radius: Field, angle: Field, pixel: float) -> Field:
    rays = 0.5 + 0.25 * np.sin(angle * 23.0) + 0.25 * np.sin(angle * 37.0 + 1.0)
    colour = np.asarray(linear(features.iris))
    ring = step(0.28, 0.42, radius)
    tinted = colour * ((0.5 + 0.55 * rays * (1.0 - ring)) * (1.0 - 0.75 * ring))[..., None]
    tinted = tinted * (1.0 + 0.5 * step(0.1, 0.3, radius) * np.sin(angle).clip(0.0))[..., None]
    soft = max(pixel, 0.04)
    ball = mix(ball, tinted, step(0.43 + soft, 0.43 - soft, radius))
    return mix(ball, (0.008, 0.007, 0.007), step(0.18 + soft, 0.18 - soft, radius))


def _brush_brows(
    features: Features, expression: Expression, sheet: Sheet, albedo: Field, rng: np.random.Generator
) -> Field:
    picture = Image.new("L", (sheet.shape[1], sheet.shape[0]))
    pen = ImageDraw.Draw(picture)
    base = -features.brow_height - 0.05 * expression.brows
    tilt = math.tan(math.radians(features.brow_tilt))
    hairs = int(330 * (0.6 + features.brow_thickness * 8.0))
    for side in SIDES:
        for along, across, length, shade in rng.random((hairs, 4)):
            centre = features.eye_gap * 0.97 + (along - 0.5) * 0.52
            thin = min(1.0, 0.3 + along * 3.0) * (1.0 - 0.75 * max(0.0, along - 0.45) / 0.55)
            arch = features.brow_arch * math.sin(math.pi * min(1.0, along * 0.9))
            height = base - (along - 0.5) * 0.52 * tilt - arch
            height += (across - 0.5) * 2.0 * features.brow_thickness * thin
            lean = math.radians(80.0 - 75.0 * min(1.0, along * 1.7) + (across - 0.5) * 30.0)
            reach = (0.05 + 0.05 * length) * (1.0 - 0.3 * along)
            ends = [
                (side * centre, height),
                (side * (centre + reach * math.cos(lean)), height - reach * math.sin(lean) * 0.8),
            ]
            points = [sheet.pixels(u, v) for u, v in ends]
            pen.line(points, fill=int(120 + 120 * shade), width=max(1, round(0.012 * sheet.scale)))
    cover = blur(np.asarray(picture, dtype=np.float64) / 255.0, max(0.6, 0.004 * sheet.scale))
    return mix(albedo, linear(features.brow_colour), np.clip(cover * 1.05, 0.0, 0.92))
