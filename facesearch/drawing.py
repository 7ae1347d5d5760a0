"""A photo with what was found in it: a box round each face and a name beside it, in any script.

Everything is sized by the photo and its faces, so that a portrait and a group of forty both stay readable. Labels
stay inside the picture, and off each other and off the faces as far as there is room.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from math import hypot, isfinite
from typing import TYPE_CHECKING, NamedTuple

from facesearch.errors import UsageError
from facesearch.lettering import font, visual, wrapped

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

    from facesearch.domain import Box

JPEG_QUALITY = 92
_JPEG_SIDE = 65_000  # the format ends at 65,535

# Dark enough for white letters (a contrast of 4.5 and more), and told apart by more than red and green
_COLOURS = ("#0b6bcb", "#b3246b", "#1a7f4b", "#8a4b08", "#6b3fc4", "#0f7680", "#b23a1e", "#4a5a6a")


class Area(NamedTuple):
    """A rectangle in pixels; right and bottom lie outside it."""

    left: int
    top: int
    right: int
    bottom: int

    def shared(self, other: Area) -> int:
        """How many pixels two rectangles have in common."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0) * max(height, 0)


@dataclass(frozen=True, slots=True)
class _Style:
    """Widths and sizes in pixels, the same for the whole picture."""

    line: int
    gap: int
    letters: int
    face: FreeTypeFont


@dataclass(frozen=True, slots=True)
class _Text:
    """A label's lines as they are drawn, with `ascent` above each baseline and a `row` from one to the next."""

    lines: list[str]
    width: int
    height: int
    ascent: int
    row: int


@dataclass(frozen=True, slots=True)
class Label:
    """A face's rectangle and the one its name is written in; without a name, `place` is empty."""

    area: Area
    place: Area
    text: _Text
    colour: str


def draw(photo: Image, labels: Sequence[tuple[Box, str]]) -> Image:
    """A copy of an upright RGB photo with a box and a label for each face; a label of "" is a box alone.

    A box that leaves the picture is cut at its edge.
    """
    from PIL.ImageDraw import Draw

    picture = photo.convert("RGB")
    style, arranged = arrange(picture.size, labels)
    pen = Draw(picture)
    for label in arranged:
        _draw_box(pen, label.area, label.colour, style.line)
    for label in arranged:
        if label.text.lines:
            _draw_label(pen, label, style)
    return picture


def arrange(size: tuple[int, int], labels: Sequence[tuple[Box, str]]) -> tuple[_Style, list[Label]]:
    """Where everything goes in a picture of that size, in the order given."""
    known = [(_pixels(box, size), name) for box, name in labels if _finite(box)]
    areas = [area for area, _ in known]
    style = _style(size, areas)
    arranged: list[Label] = []
    for (area, name), colour in zip(known, cycle(_COLOURS), strict=False):
        text = _set(name, style, area, size)
        taken = [label.place for label in arranged]
        place = _place(text, area, areas, taken, size) if text.lines else Area(*area[:2], *area[:2])
        arranged.append(Label(area, place, text, colour))
    return style, arranged


def save(image: Image, path: Path) -> None:
    """Write a JPEG, whole or not at all. Raises UsageError when it cannot be written there."""
    if max(image.size) > _JPEG_SIDE:
        image = image.copy()
        image.thumbnail((_JPEG_SIDE, _JPEG_SIDE))
    unfinished = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with unfinished.open("xb") as file:
            image.save(file, "JPEG", quality=JPEG_QUALITY)
        unfinished.replace(path)
    except OSError as exc:
        with suppress(OSError):
            unfinished.unlink()
        raise UsageError(f"cannot write {path}: {exc.strerror or exc}") from exc


# --- sizes and places ---------------------------------------------------------------------------------------


def _finite(box: Box) -> bool:
    return all(map(isfinite, (box.left, box.top, box.width, box.height)))


def _pixels(box: Box, size: tuple[int, int]) -> Area:
    """The part of a box that is in the picture, at least two pixels of it."""
    width, height = size
    left, right = (min(max(x, 0.0), 1.0) * width for x in (box.left, box.left + box.width))
    top, bottom = (min(max(y, 0.0), 1.0) * height for y in (box.top, box.top + box.height))
    x, y = max(min(int(left), width - 2), 0), max(min(int(top), height - 2), 0)
    return Area(x, y, max(round(right), x + 2), max(round(bottom), y + 2))


def _style(size: tuple[int, int], areas: Sequence[Area]) -> _Style:
    """Letters a fifth as high as a usual face, between what can be read and what covers too much."""
    diagonal = hypot(*size)
    heights = sorted(area.bottom - area.top for area in areas) or [0]
    letters = round(min(max(heights[len(heights) // 2] / 5, diagonal / 64, 11), max(diagonal / 34, 11)))
    return _Style(max(2, round(diagonal / 400)), max(2, letters // 4), letters, font(letters))


def _set(label: str, style: _Style, area: Area, size: tuple[int, int]) -> _Text:
    """Break a label into lines not much wider than its face, and measure them: scripts differ in height."""
    room = size[0] - 2 * style.gap
    widest = max(min(max(2 * (area.right - area.left), 14 * style.letters), room), style.letters)
    lines = [visual(line, style.face) for line in wrapped(label, style.face, widest)]
    inked = [style.face.getbbox(line, anchor="ls") for line in lines]
    ascent = max([0.95 * style.letters, *(-top for _, top, _, _ in inked)])
    descent = max([0.25 * style.letters, *(bottom for _, _, _, bottom in inked)])
    width = max((right - min(left, 0) for left, _, right, _ in inked), default=0)
    row = round(ascent + descent)
    return _Text(lines, round(width) + 2 * style.gap, row * len(lines) + style.gap, round(ascent), row)


def _place(
    text: _Text, area: Area, faces: Sequence[Area], taken: Sequence[Area], size: tuple[int, int]
) -> Area:
    """The first of the usual places that covers least: other labels count most, then faces."""

    def harm(place: Area) -> int:
        return 8 * sum(map(place.shared, taken)) + sum(map(place.shared, faces))

    return min((_inside(place, size) for place in _places(text, area)), key=harm)


def _places(text: _Text, area: Area) -> Iterator[Area]:
    """Above and below, then at the sides, then over the face itself, then a label's height further away."""
    above, below, beside = area.top - text.height, area.bottom, (area.top, area.bottom - text.height)
    lefts = (area.left, area.right - text.width, (area.left + area.right - text.width) // 2)
    corners = [(left, top) for top in (above, below) for left in lefts]
    corners += [(left, top) for left in (area.right, area.left - text.width) for top in beside]
    corners += [(area.left, top) for top in reversed(beside)]
    corners += [(left, top) for top in (above - text.height, below + text.height) for left in lefts]
    for left, top in corners:
        yield Area(left, top, left + text.width, top + text.height)


def _inside(place: Area, size: tuple[int, int]) -> Area:
    left = max(min(place.left, size[0] - (place.right - place.left)), 0)
    top = max(min(place.top, size[1] - (place.bottom - place.top)), 0)
    return Area(left, top, left + place.right - place.left, top + place.bottom - place.top)


# --- ink ----------------------------------------------------------------------------------------------------


def _draw_box(pen: ImageDraw, area: Area, colour: str, line: int) -> None:
    """A line of colour with a hair of white round it, which shows on any ground."""
    hair = max(1, line // 3)
    radius = min(4 * line, (area.right - area.left) // 4, (area.bottom - area.top) // 4)
    left, top, right, bottom = area
    outer = (left - hair, top - hair, right - 1 + hair, bottom - 1 + hair)
    pen.rounded_rectangle(outer, radius + hair, outline="white", width=line + 2 * hair)
    pen.rounded_rectangle((left, top, right - 1, bottom - 1), radius, outline=colour, width=line)


def _draw_label(pen: ImageDraw, label: Label, style: _Style) -> None:
    left, top, right, bottom = label.place
    pen.rounded_rectangle((left, top, right - 1, bottom - 1), style.gap, fill=label.colour)
    baseline = top + style.gap // 2 + label.text.ascent
    for line in label.text.lines:
        pen.text((left + style.gap, baseline), line, fill="white", font=style.face, anchor="ls")
        baseline += label.text.row
