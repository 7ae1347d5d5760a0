"""Pictures as a page carries them: small, without a word of what their files said, and inside its own text."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from math import isfinite
from typing import TYPE_CHECKING

from facesearch.domain import Box
from facesearch.reporting.markup import Html, element

if TYPE_CHECKING:
    from PIL.Image import Image

PHOTO_SIDE = 1120  # pixels of the longer side: sharp on a phone, and on paper as wide as a hand
FACE_SIDE = 256  # pixels of a face's square
_AROUND = 0.4  # of the face's longer side, on every side of it
_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG as a data: URL with its size in pixels."""

    url: str
    width: int
    height: int

    def element(self, alt: str) -> Html:
        """The picture on the page; an empty `alt` is for one that says nothing new."""
        return element("img", src=self.url, width=self.width, height=self.height, alt=alt)


def whole(photo: Image) -> Picture:
    """An upright RGB photo, scaled down."""
    from PIL.Image import Resampling

    scale = PHOTO_SIDE / max(photo.size)
    if scale >= 1:
        return _picture(photo)
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    return _picture(photo.resize(size, Resampling.LANCZOS, reducing_gap=3.0))


def face(photo: Image, box: Box) -> Picture | None:
    """A square round a face of an upright RGB photo; None for a face that is nowhere in it.

    A square that leaves the photo is moved into it, so that faces that are shown side by side are of one shape.
    """
    from PIL.Image import Resampling

    if not all(map(isfinite, (box.left, box.top, box.width, box.height))):
        return None
    width, height = box.width * photo.width, box.height * photo.height
    side = min(max(width, height) * (1 + 2 * _AROUND), *photo.size)
    if side < 1:
        return None
    left = _inside(box.left * photo.width + width / 2 - side / 2, side, photo.width)
    top = _inside(box.top * photo.height + height / 2 - side / 2, side, photo.height)
    area = (left, top, left + side, top + side)
    return _picture(photo.resize((FACE_SIDE, FACE_SIDE), Resampling.LANCZOS, box=area, reducing_gap=3.0))


def _inside(start: float, length: float, whole: int) -> float:
    return max(0.0, min(start, whole - length))


def _picture(image: Image) -> Picture:
    file = BytesIO()
    image = image.convert("RGB")
    image.info = {}  # else the file's comments and EXIF would go into the JPEG
    image.save(file, "JPEG", quality=_QUALITY, optimize=True)
    encoded = b64encode(file.getvalue()).decode("ascii")
    return Picture(f"data:image/jpeg;base64,{encoded}", image.width, image.height)
