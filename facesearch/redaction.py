"""A photo in which only those who were found can be recognised.

A face detector overlooks people, and people are known by more than their faces. So it is not the others who are
covered: everything is, and the faces of those who were found are laid on top. What is covered is gone: of the
photo a few colours are left, and of a face that was seen and not found not even these.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isfinite
from typing import TYPE_CHECKING

from facesearch.domain import Box, SearchedFace

if TYPE_CHECKING:
    from PIL.Image import Image

CELLS = 16  # along the photo's longer side, at most
CELLS_A_FACE = 4  # across the largest face that was seen, at most; those overlooked are hardly larger
_MARGIN = 0.12  # of a face's width and height on every side, so that hair and chin belong to it
_GREY = (128, 128, 128)


def redact(photo: Image, faces: Sequence[SearchedFace]) -> Image:
    """A copy of an upright RGB photo that shows nobody but the faces somebody was found for."""
    found = [face.box for face in faces if face.matches]
    return leave_only(photo, found, [face.box for face in faces if not face.matches])


def leave_only(photo: Image, shown: Sequence[Box], covered: Sequence[Box] = ()) -> Image:
    """A copy of an upright RGB photo with the boxes of `shown` as they are, `covered` ones grey, the rest blurred.

    Boxes are ratios of the photo. Where two of them overlap the one of `covered` lies on top, except on the very
    box of a face that is shown.
    """
    areas = [_pixels(box, photo.size, _MARGIN) for box in shown if _finite(box)]
    faces = [_pixels(box, photo.size, 0.0) for box in shown if _finite(box)]
    others = [_pixels(box, photo.size, _MARGIN) for box in covered if _finite(box)]
    result = _blurred(photo, [*faces, *others])
    for area in areas:
        result.paste(photo.crop(area), area[:2])
    for area in others:
        result.paste(_GREY, area)
    for area in faces:
        result.paste(photo.crop(area), area[:2])
    return result


def _blurred(photo: Image, faces: Sequence[tuple[int, int, int, int]]) -> Image:
    """The photo made of so few pixels that nothing can be got back from them, and enlarged again softly."""
    from PIL.Image import Resampling

    largest = max((min(right - left, bottom - top) for left, top, right, bottom in faces), default=0)
    cell = max(max(photo.size) / CELLS, largest / CELLS_A_FACE)
    few = (max(1, ceil(photo.width / cell)), max(1, ceil(photo.height / cell)))
    blurred = photo.convert("RGB").resize(few, Resampling.BOX).resize(photo.size, Resampling.BICUBIC)
    blurred.info = {}  # a copy takes along what the file said of itself: comments, EXIF, where it was made
    return blurred


def _finite(box: Box) -> bool:
    return all(map(isfinite, (box.left, box.top, box.width, box.height)))


def _pixels(box: Box, size: tuple[int, int], margin: float) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the part of a box with its margin that is in the picture; perhaps none."""
    width, height = size
    xs = (box.left - margin * box.width, box.left + (1 + margin) * box.width)
    ys = (box.top - margin * box.height, box.top + (1 + margin) * box.height)
    left, right = (round(min(max(x, 0.0), 1.0) * width) for x in xs)
    top, bottom = (round(min(max(y, 0.0), 1.0) * height) for y in ys)
    return left, top, max(left, right), max(top, bottom)
