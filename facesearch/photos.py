"""A photo on its way in: read, recognised by its content, brought within Rekognition's limits, and digested.

A photo is whatever bytes somebody has named so. Each one becomes bytes that Rekognition takes or a PhotoError that
says in plain words why not, and nothing else is raised. This module knows nothing of faces, collections or people.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from facesearch.decoding import load_decoder as load_decoder
from facesearch.decoding import opened, orientation, refusals, turned, upright
from facesearch.domain import GivenPhoto
from facesearch.errors import UnreadablePhotoError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

# Rekognition's limits on images: on bytes that come with a call, on those it reads from S3 itself, on pixels
MAX_BYTES = 5_242_880
MAX_BYTES_IN_S3 = 15_728_640
MIN_SIDE = 80
MAX_SIDE = 10_000

# Ours: a file is read whole, so that its digest and its pixels are of the same bytes whatever happens meanwhile
MAX_FILE_BYTES = 268_435_456

# A recogniser looks at a face through a chip of 100 to 250 pixels, where the loss from quality 95 to 75 cannot be
# seen, and a pixel that is gone cannot be had back. So quality gives way first, down to 75, and then the size.
QUALITIES = (95, 90, 85, 80, 75)

# A JPEG is decoded at an eighth of its size, and no smaller than this a side: fewer pixels would tell a photo from
# a copy of it at half the size
_LEAST_DECODED = 64

_BLOCK = 1_048_576


@dataclass(frozen=True, slots=True)
class PreparedPhoto:
    """A photo as it is sent: JPEG or PNG, within every limit.

    `sha256` is of the file, `width` and `height` are pixels of what is sent, in the frame in which boxes are given
    (a JPEG turned by its EXIF orientation). `dhash` is the picture's difference hash in that frame, 64 bits as 16
    hex digits. `note` says what was done to it, None when `data` is the file itself.
    """

    sha256: str
    data: bytes
    width: int
    height: int
    dhash: str
    note: str | None = None


def sha256_of(path: Path) -> str:
    """The photo's identity, 64 hex digits, read in blocks. Raises UnreadablePhotoError."""
    digest = hashlib.sha256()
    for block in _blocks(path):
        digest.update(block)
    return digest.hexdigest()


def prepare(photo: Path | GivenPhoto) -> PreparedPhoto:
    """Bring a photo within Rekognition's limits. The same file always gives the same bytes.

    JPEG and PNG that Rekognition takes go as they are, once they were seen to decode. All else becomes a JPEG:
    upright, without transparency, in sRGB, as large and then as good as the limits allow.

    Raises UnreadablePhotoError.
    """
    return prepare_content(read(photo), str(photo))


def prepare_content(content: bytes, path: Path | str, most: int = MAX_BYTES) -> PreparedPhoto:
    """The same for a photo's bytes; `path` is what a refusal calls it. Raises UnreadablePhotoError.

    A photo that goes as it is may have `most` bytes; one that is encoded has MAX_BYTES at most.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    with refusals(path):
        image, kind = opened(content)
        if min(image.size) < MIN_SIDE:
            raise UnreadablePhotoError(_too_small(*image.size))
        if len(content) <= most and _goes_as_it_is(image, kind, content):
            width, height = image.size
            if kind == "JPEG" and orientation(image) >= 5:
                width, height = height, width
            dhash = _dhash(_seen_to_decode(image, kind))
            return PreparedPhoto(sha256, content, width, height, dhash, _not_turned(image, kind))
        before = max(image.size)
        whole = upright(image, kind)
        dhash = _dhash(whole)
        data, (width, height) = _encoded(whole)
        made = f"{kind} converted to JPEG" if kind != "JPEG" else "encoded anew"
        if max(width, height) < before:
            made += f", shrunk to {width:,} x {height:,} pixels to fit Rekognition's limits"
        note = "; ".join(filter(None, (made, _not_turned(image, kind))))
    return PreparedPhoto(sha256, data, width, height, dhash, note)


def open_upright(photo: Path | GivenPhoto) -> Image:
    """The photo as RGB in the frame in which boxes are given: turned by EXIF, unless it is a PNG.

    Raises UnreadablePhotoError.
    """
    return open_content(read(photo), str(photo))


def open_content(content: bytes, path: Path | str) -> Image:
    """The same for a photo's bytes; `path` is what a refusal calls it. Raises UnreadablePhotoError."""
    with refusals(path):
        return upright(*opened(content))


# --- from a path to bytes -----------------------------------------------------------------------------------


def read(photo: Path | GivenPhoto) -> bytes:
    """All of a photo, which is a file unless its bytes were given. Raises UnreadablePhotoError."""
    if isinstance(photo, Path):
        return b"".join(_blocks(photo))
    if not photo.content:
        raise UnreadablePhotoError("there is nothing in it", photo.name)
    if len(photo.content) > MAX_FILE_BYTES:
        raise UnreadablePhotoError(
            f"it has more than the {MAX_FILE_BYTES:,} bytes up to which photos are read", photo.name
        )
    return photo.content


def _blocks(path: Path) -> Iterator[bytes]:
    """The file's bytes, all of them: a file that grows or shrinks meanwhile is refused."""
    try:
        with _regular_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise UnreadablePhotoError("the file is empty", str(path))
            if size > MAX_FILE_BYTES:
                raise UnreadablePhotoError(
                    f"the file has {size:,} bytes; photos of up to {MAX_FILE_BYTES:,} bytes are read",
                    str(path),
                )
            read = 0
            while block := file.read(min(_BLOCK, size + 1 - read)):
                read += len(block)
                yield block
            if read != size:
                raise UnreadablePhotoError("the file changed while it was being read; try again", str(path))
    except OSError as exc:
        raise UnreadablePhotoError(_trouble(exc), str(path)) from exc
    except ValueError as exc:
        raise UnreadablePhotoError("no file can have such a name", str(path)) from exc


def _regular_file(path: Path) -> BinaryIO:
    """Open without ever waiting: a FIFO nobody writes to would hold up the whole run."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    _check_kind(path, path.stat().st_mode)
    descriptor = os.open(path, flags)
    try:
        _check_kind(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


def _check_kind(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise UnreadablePhotoError("this is a folder, not a photo", str(path))
    if not stat.S_ISREG(mode):
        raise UnreadablePhotoError("this is not a regular file (a pipe, socket or device)", str(path))


def _trouble(exc: OSError) -> str:
    if isinstance(exc, FileNotFoundError):
        return "there is no such file"
    if isinstance(exc, PermissionError):
        return "there are no rights to read the file"
    return f"the file cannot be read: {exc.strerror or exc}"


# --- from an image to what is sent --------------------------------------------------------------------------


def _goes_as_it_is(image: ImageFile, kind: str, content: bytes) -> bool:
    if max(image.size) > MAX_SIDE or image.mode not in ("L", "RGB"):
        return False
    if kind == "PNG":
        bits_a_sample = content[24]  # Pillow's mode does not tell 16 bits from 8
        return bits_a_sample == 8 and "transparency" not in image.info
    return kind == "JPEG"


def _seen_to_decode(image: ImageFile, kind: str) -> Image:
    """The image decoded once, a JPEG at an eighth of its size, in the frame in which boxes will be."""
    if kind == "JPEG":  # reads every byte all the same, in little memory
        width, height = image.size
        image.draft("L", (max(width // 8, _LEAST_DECODED), max(height // 8, _LEAST_DECODED)))
    image.load()
    return turned(image, kind, orientation(image))


def _dhash(image: Image) -> str:
    """Whether each pixel of the picture, brought to 9 x 8 greys, is brighter than the next one in its row."""
    from PIL.Image import Resampling

    greys = image.resize((9, 8), Resampling.LANCZOS, reducing_gap=3.0).convert("L").tobytes()
    bits = 0
    for at in range(72):
        if at % 9 < 8:
            bits = bits << 1 | (greys[at] > greys[at + 1])
    return f"{bits:016x}"


def _encoded(image: Image) -> tuple[bytes, tuple[int, int]]:
    """A JPEG within MAX_BYTES and MAX_SIDE with its size: the best quality at full size, else the largest size."""
    full = _scaled(image, min(1.0, MAX_SIDE / max(image.size)))
    for quality in QUALITIES:
        data = _jpeg(full, quality)
        if len(data) <= MAX_BYTES:
            return data, full.size
    scale, smaller = 1.0, full
    while len(data) > MAX_BYTES:
        scale *= min(0.97, sqrt(MAX_BYTES / len(data)))  # bytes go about with the area
        smaller = _scaled(full, scale)
        data = _jpeg(smaller, QUALITIES[-1])
    return data, smaller.size


def _scaled(image: Image, scale: float) -> Image:
    from PIL.Image import Resampling

    if scale == 1:
        return image
    width, height = (round(side * scale) for side in image.size)
    if min(width, height) < MIN_SIDE:
        before = "{:,} x {:,}".format(*image.size)
        raise UnreadablePhotoError(
            f"brought from {before} within Rekognition's limits, {_too_small(width, height)}"
        )
    return image.resize((width, height), Resampling.LANCZOS, reducing_gap=3.0)


def _jpeg(image: Image, quality: int) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _too_small(width: int, height: int) -> str:
    return f"it has {width:,} x {height:,} pixels; Rekognition takes photos from {MIN_SIDE} pixels a side"


def _not_turned(image: ImageFile, kind: str) -> str | None:
    if kind == "PNG" and orientation(image) != 1:
        return "its EXIF orientation is not applied, as Rekognition turns no PNG"
    return None
