"""A calibration as curves: false matches, false finds and misses over the threshold, as SVG or as a picture.

Both are made of the same few shapes, in two fields: above what other people do, by the logarithm of the rate (a
rate of nothing lies on the lowest line), and below the misses. Thresholds are spread by the logarithm of their
odds, since that is how services spread similarities. Around a curve is the range of 95 %.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from facesearch.domain.calibration import DEFAULT_THRESHOLD, Calibration, Point
from facesearch.errors import UsageError
from facesearch.lettering import font, harmless, visual

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT = 960, 640
_LEFT, _RIGHT = 84, 932  # of both fields
_TOP, _MIDDLE = 122, 378  # of the field of other people
_BELOW, _BOTTOM = 410, 574  # of that of misses
_LETTERS = 15
_TICKS = (0.1, 1, 5, 20, 50, 80, 90, 95, 99, 99.9, 99.99)
_INK, _PALE = "#4b5563", "#9ca3af"
_SCALE, _FINER = 2, 2  # pixels to a unit of the picture, and how much finer it is drawn for smooth edges

_Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Line:
    points: _Points
    colour: str
    width: float = 1.0
    dash: float = 0.0  # length of a dash and of the gap after it; 0 for none


@dataclass(frozen=True, slots=True)
class _Band:
    points: _Points
    colour: str


@dataclass(frozen=True, slots=True)
class _Words:
    text: str
    at: tuple[float, float]  # of the base line: its beginning, middle or end
    anchor: str = "start"


_Shape = _Line | _Band | _Words


def svg(calibration: Calibration, title: str, threshold: float | None = None) -> str:
    """The curves as one SVG element, its words in the colour of the text around it; `threshold` is marked."""
    said = escape(harmless(title))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="{_LETTERS}">',
        f"<title>{said}</title><desc>{escape(_in_words(calibration))}</desc>",
        *map(_element, _shapes(calibration, title, threshold)),
        "</svg>",
    ]
    return "\n".join(parts)


def picture(calibration: Calibration, title: str, threshold: float | None = None) -> Picture:
    """The curves as an RGB picture of 1920 x 1280 pixels."""
    from PIL import Image
    from PIL.ImageDraw import Draw

    fine = _SCALE * _FINER
    drawn = Image.new("RGB", (WIDTH * fine, HEIGHT * fine), "white")
    pen = Draw(drawn, "RGBA")
    for shape in _shapes(calibration, title, threshold):
        _draw(pen, shape, fine)
    return drawn.resize((WIDTH * _SCALE, HEIGHT * _SCALE), Image.Resampling.LANCZOS)


def save(calibration: Calibration, path: Path, title: str, threshold: float | None = None) -> None:
    """Write the curves, whole or not at all, as what the file's ending says: .png or .svg.

    Raises UsageError for another ending, and when it cannot be written there.
    """
    kind = path.suffix.lower()
    if kind not in (".png", ".svg"):
        raise UsageError(f"curves are drawn as .png or .svg, and {path} is neither")
    unfinished = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with unfinished.open("xb") as file:
            if kind == ".png":
                picture(calibration, title, threshold).save(file, "PNG")
            else:
                file.write(svg(calibration, title, threshold).encode())
        unfinished.replace(path)
    except OSError as exc:
        with suppress(OSError):
            unfinished.unlink()
        raise UsageError(f"cannot write {path}: {exc.strerror or exc}") from exc


# --- what is drawn where ------------------------------------------------------------------------------------


def _in_words(calibration: Calibration) -> str:
    usual = calibration.at(DEFAULT_THRESHOLD)
    if usual is None:
        return f"nothing is known of a threshold of {DEFAULT_THRESHOLD:g}"
    misses = f", {100 * usual.misses.estimate:.2g} % of a person's own photos miss" if usual.misses else ""
    return (
        f"At a threshold of {DEFAULT_THRESHOLD:g}, {100 * usual.false_matches.estimate:.2g} % of comparisons "
        f"with another person match{misses}."
    )


def _shapes(calibration: Calibration, title: str, threshold: float | None) -> Iterator[_Shape]:
    field = _Field.of(calibration.points)
    points = [point for point in calibration.points if _odds(point.similarity) >= field.first]
    yield _Words(title, (_LEFT, 32))
    facts = f"{calibration.faces:,} faces of {calibration.people:,} people, {calibration.made_at:%Y-%m-%d}"
    yield _Words(f"{facts}; shaded: 95 % range", (_LEFT, 56))
    yield from field.grid()
    curves = (
        ("somebody else matches", "#c2410c", 0.0, field.others, [p.false_matches for p in points]),
        ("a stranger finds somebody", "#8b5cf6", 3.0, field.others, [p.false_finds for p in points]),
        ("an own photo misses", "#0d8bd9", 9.0, field.misses, [p.misses for p in points if p.misses]),
    )
    thresholds = [point.similarity for point in points]
    for place, (name, colour, dash, y, rates) in enumerate(curves):
        if not rates:
            continue
        left = _LEFT + place * (_RIGHT - _LEFT) / 3
        yield _Line(((left, 80), (left + 36, 80)), colour, 2.5, dash)
        yield _Words(name, (left + 44, 85))
        if place != 1:  # the ranges of both curves of one field would cover each other
            low = field.steps(thresholds, [y(rate.low) for rate in rates])
            high = field.steps(thresholds, [y(rate.high) for rate in rates])
            yield _Band((*high, *low[::-1]), colour)
        yield _Line(field.steps(thresholds, [y(rate.estimate) for rate in rates]), colour, 2.5, dash)
    if threshold is not None:
        x = field.x(threshold)
        yield _Line(((x, _TOP), (x, _BOTTOM)), _INK, 1.5, 2)
        yield _Words(f"{threshold:.4g}", (x, _TOP - 8), "middle")


@dataclass(frozen=True, slots=True)
class _Field:
    """From which threshold to which, as log-odds, and down to which power of ten."""

    first: float
    last: float
    decades: int

    @classmethod
    def of(cls, points: Sequence[Point]) -> _Field:
        """From where every second stranger matches, or 50, on."""
        ends = [point.similarity for point in points] or [50.0]
        usual = [point.similarity for point in points if point.false_matches.estimate >= 0.5]
        seen = [point.false_matches.estimate for point in points if point.false_matches.estimate > 0]
        decades = math.ceil(-math.log10(min([0.1, *seen])) - 1e-9)
        first, last = min(usual[-1] if usual else ends[0], 50.0), max(ends[-1], 95.0)
        return cls(_odds(first), _odds(min(last + 0.5, 99.996)), min(decades, 9))

    def x(self, similarity: float) -> float:
        part = (_odds(similarity) - self.first) / (self.last - self.first)
        return _LEFT + min(max(part, 0.0), 1.0) * (_RIGHT - _LEFT)

    def others(self, rate: float) -> float:
        """How far down a rate lies in the field above."""
        below = -math.log10(rate) if rate > 0 else self.decades
        return _TOP + min(below / self.decades, 1.0) * (_MIDDLE - _TOP)

    @staticmethod
    def misses(rate: float) -> float:
        """And in the one below."""
        return _BOTTOM - rate * (_BOTTOM - _BELOW)

    def steps(self, thresholds: Sequence[float], heights: Sequence[float]) -> _Points:
        """A value holds from its threshold up to the next one."""
        places = list(zip(map(self.x, thresholds), heights, strict=True))
        corners = [corner for one, after in pairwise(places) for corner in (one, (after[0], one[1]))]
        return (*corners, places[-1], (_RIGHT, places[-1][1]))

    def grid(self) -> Iterator[_Shape]:
        rows = [(self.others(10.0**-power), 10.0**-power) for power in range(self.decades + 1)]
        rows += [(self.misses(part), part) for part in (0, 0.5, 1)]
        for y, rate in rows:
            yield _Line(((_LEFT, y), (_RIGHT, y)), _PALE, 0.5)
            yield _Words(f"{100 * rate:g} %", (_LEFT - 8, y + 5), "end")
        for tick in _TICKS:
            if self.first <= _odds(tick) <= self.last:
                x = self.x(tick)
                yield _Line(((x, _BOTTOM), (x, _BOTTOM + 6)), _INK)
                yield _Words(f"{tick:g}", (x, _BOTTOM + 24), "middle")
        yield _Words("threshold (similarity)", ((_LEFT + _RIGHT) / 2, HEIGHT - 16), "middle")


def _odds(similarity: float) -> float:
    inside = min(max(similarity, 1e-4), 100 - 1e-4)
    return math.log(inside / (100 - inside))


# --- ink ----------------------------------------------------------------------------------------------------


def _element(shape: _Shape) -> str:
    if isinstance(shape, _Words):
        x, y = shape.at
        text = escape(harmless(shape.text))
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{shape.anchor}" fill="currentColor">{text}</text>'
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
    if isinstance(shape, _Band):
        return f'<polygon points="{places}" fill="{shape.colour}" fill-opacity="0.18"/>'
    dash = f' stroke-dasharray="{shape.dash:g}"' if shape.dash else ""
    look = f'fill="none" stroke="{shape.colour}" stroke-width="{shape.width:g}"'
    return f'<polyline points="{places}" {look}{dash}/>'


def _draw(pen: ImageDraw, shape: _Shape, scale: int) -> None:
    if isinstance(shape, _Words):
        face = font(_LETTERS * scale)
        anchor = {"start": "ls", "middle": "ms", "end": "rs"}[shape.anchor]
        at = (shape.at[0] * scale, shape.at[1] * scale)
        pen.text(at, visual(harmless(shape.text), face), fill=_INK, font=face, anchor=anchor)
        return
    points = [(x * scale, y * scale) for x, y in shape.points]
    if isinstance(shape, _Band):
        pen.polygon(points, fill=f"{shape.colour}2e")
        return
    for piece in _dashes(points, shape.dash * scale) if shape.dash else [points]:
        pen.line(piece, fill=shape.colour, width=max(1, round(shape.width * scale)), joint="curve")


def _dashes(points: Sequence[tuple[float, float]], length: float) -> Iterator[list[tuple[float, float]]]:
    """Every second piece of so much length of a line, which turns corners within a piece."""
    piece, left, shown = [points[0]], length, True
    for (x, y), end in pairwise(points):
        way = math.dist((x, y), end)
        done = 0.0
        while way - done > left:
            done += left
            at = (x + (end[0] - x) * done / way, y + (end[1] - y) * done / way)
            if shown:
                yield [*piece, at]
            piece, left, shown = [at], length, not shown
        left -= way - done
        piece.append(end)
    if shown:
        yield piece
