"""One face cut out of a photo, so that a service which looks at the largest face looks at this one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from typing import TYPE_CHECKING

from facesearch.domain import Box

if TYPE_CHECKING:
    from PIL.Image import Image

MARGIN = (
    0.5  # of the face's width and height, on every side: detectors want to see hair, chin and some ground
)
LEAST_SIDE = 160  # pixels; smaller crops are enlarged, well over the 80 that Rekognition takes
MOST_SIDE = 1600  # pixels; more of one face tells no recogniser anything
CLOSER_SIDE = 960  # pixels to which smaller parts are enlarged, by three times at most
CLOSER = 0.6  # of the width and height of a photo that are looked at by themselves
_QUALITY = 95
_GREY = (128, 128, 128)


@dataclass(frozen=True, slots=True)
class Crop:
    """A face's part of a photo as JPEG bytes, and where that part lies, in ratios of the whole photo."""

    data: bytes
    part: Box

    def in_photo(self, box: Box) -> Box:
        """A box in the crop's frame, in that of the photo."""
        return Box(
            self.part.left + box.left * self.part.width,
            self.part.top + box.top * self.part.height,
            box.width * self.part.width,
            box.height * self.part.height,
        )


def cut_out(photo: Image, face: Box, others: Sequence[Box]) -> Crop:
    """Cut a face with a margin out of an upright RGB photo; what shows of `others` becomes grey.

    Boxes are ratios of the photo. A face is never greyed itself, also where another one overlaps it.
    """
    from PIL.Image import Resampling

    width, height = photo.size
    left = max(0, round((face.left - MARGIN * face.width) * width))
    top = max(0, round((face.top - MARGIN * face.height) * height))
    right = min(width, round((face.left + (1 + MARGIN) * face.width) * width))
    bottom = min(height, round((face.top + (1 + MARGIN) * face.height) * height))
    crop = photo.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    itself = _pixels(face, width, height, left, top)
    kept = crop.crop(itself)
    for other in others:
        crop.paste(_GREY, _pixels(other, width, height, left, top))
    crop.paste(kept, itself[:2])
    part = Box(left / width, top / height, crop.width / width, crop.height / height)
    wanted = _scale(crop.size)
    if wanted != 1:
        size = (max(1, round(crop.width * wanted)), max(1, round(crop.height * wanted)))
        crop = crop.resize(size, Resampling.LANCZOS)
    file = BytesIO()
    crop.save(file, "JPEG", quality=_QUALITY)
    return Crop(file.getvalue(), part)


def closer(photo: Image) -> Iterator[Crop]:
    """The four corners of an upright RGB photo, each 60 % of it wide and high and enlarged if that is small.

    Detectors look for faces of a size in proportion to the photo: in a part of it they find smaller ones.
    """
    from PIL.Image import Resampling

    width, height = (max(1, round(CLOSER * side)) for side in photo.size)
    times = min(3.0, max(1.0, CLOSER_SIDE / max(width, height)))
    for left, top in product((0, photo.width - width), (0, photo.height - height)):
        part = Box(left / photo.width, top / photo.height, width / photo.width, height / photo.height)
        crop = photo.crop((left, top, left + width, top + height))
        crop = crop.resize((round(width * times), round(height * times)), Resampling.BICUBIC)
        file = BytesIO()
        crop.save(file, "JPEG", quality=_QUALITY)
        yield Crop(file.getvalue(), part)


def _scale(size: tuple[int, int]) -> float:
    """What brings a crop to LEAST_SIDE or more, and to MOST_SIDE or less; 1 for one that is so."""
    if min(size) < LEAST_SIDE:
        return LEAST_SIDE / min(size)
    return min(1.0, MOST_SIDE / max(size))


def _pixels(box: Box, width: int, height: int, left: int, top: int) -> tuple[int, int, int, int]:
    """A box of a photo in pixels of the part that begins at `left` and `top`."""
    return (
        round(box.left * width) - left,
        round(box.top * height) - top,
        round((box.left + box.width) * width) - left,
        round((box.top + box.height) * height) - top,
    )
