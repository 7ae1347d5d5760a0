"""An image on its way in: JPEG or PNG by its content alone, checked before it is decoded, upright and RGB after.

Pillow is given only the parts of a file that hold pixels. Everything else in it (EXIF, profiles, text, animation)
is where decoders stumble, and of all that only the orientation of a JPEG matters here.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from facesearch.engine import errors
from facesearch.engine.drafted import Drafted, Picture, first_look

if TYPE_CHECKING:
    from PIL.Image import Image

MIN_SIDE = 80
MAX_SIDE = 10_000

# An image of more pixels is halved, which brings the largest (MAX_SIDE squared) down to this: the detector looks
# at far fewer, and not every request can have four bytes for each of 100 megapixels at one time. One can.
_WORKING_PIXELS = 25_000_000
_one_large_image = threading.Lock()
_STRIP_ROWS = 512

# A larger JPEG is first decoded at a size of at least so many: the detector's first look is at no more.
_FIRST_PIXELS = 700_000
_MOST_DRAFTED = 8  # times as small as a JPEG is, by the decoder alone

# A progressive JPEG has about ten scans. Each is a pass over the whole image, however few bytes it has, so a small
# file of very many would keep a processor busy for minutes. The largest image may have 15.
_MAX_SCANS = 100
_MAX_SCANNED_PIXELS = 1_500_000_000

# A PNG of nothing in particular packs a thousandfold. What unpacks to so many bytes must bring a part of them.
_FREE_UNPACKED = 2**27
_MAX_RATIO = 32
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the colour type of a PNG

_JPEG_SIGNATURE = b"\xff\xd8\xff"
_SOI, _EOI, _SOS, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = frozenset({0xC0, 0xC1})
# APP1 to APP15 and comments, but for Adobe's APP14, which says how the colours are coded.
_NO_PIXELS = frozenset({*range(0xE1, 0xF0), 0xFE}) - {0xEE}

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})

# EXIF orientation -> what turns the stored pixels upright (names of PIL.Image.Transpose).
_UPRIGHT = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_ON_THE_SIDE = frozenset({5, 6, 7, 8})
_ORIENTATION_TAG = 0x0112
_ORIENTATION_TYPES = {3: "H", 4: "I"}

_IMAGE_NAMESPACE = uuid.UUID("6f1dd9a1-40c6-5a0d-8a8f-2f4f5ba8d2a7")


@dataclass(frozen=True, slots=True)
class _Pixels:
    """The parts of a file that hold its pixels, and what its headers say of them."""

    data: bytes
    width: int
    height: int
    orientation: int = 1
    progressive: bool = False

    @property
    def large(self) -> bool:
        return self.width * self.height > _WORKING_PIXELS


def image_id(data: bytes) -> str:
    """The ImageId of an image: the same bytes always have the same one."""
    return str(uuid.uuid5(_IMAGE_NAMESPACE, hashlib.sha256(data).hexdigest()))


def decode(data: bytes) -> Picture:
    """The upright RGB image; one of more than 25 megapixels comes at half its size.

    Raises InvalidImageFormatException for what is not a whole JPEG or PNG, ImageTooLargeException for a side of
    more than 10,000 pixels and InvalidParameterException for one of less than 80.
    """
    with _damage_told():
        if data.startswith(_JPEG_SIGNATURE):
            pixels, load = _jpeg_pixels(data), _load_jpeg
        elif data.startswith(_PNG_SIGNATURE):
            pixels, load = _png_pixels(data), _load_png
        else:
            raise errors.image_format()
        if max(pixels.width, pixels.height) > MAX_SIDE:
            raise errors.image_too_large(pixels.width, pixels.height, MAX_SIDE)
        if min(pixels.width, pixels.height) < MIN_SIDE:
            raise errors.image_too_small()
        return load(pixels)


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except (OSError, SyntaxError, ValueError, LookupError, TypeError, struct.error) as exc:
        # What Pillow raises for damaged files is any of these.
        raise errors.image_format() from exc


# --- JPEG -----------------------------------------------------------------------------------------------------


def _jpeg_pixels(data: bytes) -> _Pixels:
    """Size, orientation, and the file without the segments that hold no pixels. ValueError for a damaged one."""
    kept = [data[:2]]
    size: tuple[int, int] | None = None
    orientation = 1
    progressive = False
    for marker, start, end in _jpeg_segments(data):
        if marker in _START_OF_FRAME:
            if size is not None:
                raise ValueError("a second frame")
            height, width = struct.unpack_from(">HH", data, start + 5)
            size, progressive = (width, height), marker not in _SEQUENTIAL
        elif marker == _APP1 and orientation == 1:
            orientation = _exif_orientation(data[start + 4 : end])
        elif marker == _SOS and size is not None and max(size) <= MAX_SIDE:
            _check_scans(data, start, *size)
        if marker not in _NO_PIXELS:
            kept.append(data[start:end])
    if size is None:
        raise ValueError("no frame")
    return _Pixels(b"".join(kept), *size, orientation, progressive)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment; the last is the first scan, with all that follows it."""
    position = 2
    while True:
        position = data.index(b"\xff", position)  # other bytes between segments are skipped, as decoders do
        marker = data[position + 1]
        if marker in (0x00, 0xFF):
            position += 1
        elif marker in _WITHOUT_LENGTH:
            position += 2
        elif marker == _EOI:
            raise ValueError("no scan")
        elif marker == _SOS:
            yield marker, position, len(data)
            return
        else:
            (length,) = struct.unpack_from(">H", data, position + 2)
            end = position + 2 + length
            if length < 2 or end > len(data):
                raise ValueError("a segment is cut short")
            yield marker, position, end
            position = end


def _check_scans(data: bytes, start: int, width: int, height: int) -> None:
    """ValueError for scans from `start` that hold less than such an image needs, or go over it too often."""
    image_end = data.find(bytes((0xFF, _EOI)), start)
    end = len(data) if image_end < 0 else image_end
    if (end - start) * 8 < -(-width // 8) * -(-height // 8):  # a block of 8 x 8 takes a bit or more
        raise ValueError("most of the image is missing")
    scans = data.count(bytes((0xFF, _SOS)), start, end)
    if scans > min(_MAX_SCANS, _MAX_SCANNED_PIXELS // max(width * height, 1)):
        raise ValueError("too many scans")


def _exif_orientation(segment: bytes) -> int:
    """The orientation that an APP1 segment's payload gives; 1 (upright) when it gives none that makes sense."""
    tiff = segment[6:]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if not segment.startswith(b"Exif\0") or order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
        for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, kind = struct.unpack_from(f"{order}HH", tiff, entry)
            if tag == _ORIENTATION_TAG:
                (value,) = struct.unpack_from(f"{order}{_ORIENTATION_TYPES[kind]}", tiff, entry + 8)
                return int(value) if value in _UPRIGHT else 1
    except (struct.error, KeyError):
        return 1
    return 1


def _load_jpeg(pixels: _Pixels) -> Picture:
    """The image, of a large one what a first look takes; all of a progressive one, whose every scan costs."""
    halved = 2 if pixels.large else 1
    width, height = (-(-side // halved) for side in (pixels.width, pixels.height))
    first = first_look(width, height, _FIRST_PIXELS)
    if first == 1 or pixels.progressive:
        return _jpeg(pixels, halved)
    turned = pixels.orientation in _ON_THE_SIDE
    size = (height, width) if turned else (width, height)
    return Drafted(size, lambda smaller: _jpeg(pixels, halved * smaller), first)


def _jpeg(pixels: _Pixels, smaller: int) -> Image:
    """The upright image at one half, quarter, eighth of its size, or in full; at a half of an eighth too."""
    from PIL.Image import Transpose
    from PIL.JpegImagePlugin import JpegImageFile

    with _damage_told(), _alone(pixels), JpegImageFile(BytesIO(pixels.data)) as image:
        if smaller > 1:
            image.draft(image.mode, (pixels.width // smaller, pixels.height // smaller))
        rgb = image.convert("RGB")
    if smaller > _MOST_DRAFTED:
        rgb = rgb.reduce(smaller // _MOST_DRAFTED)
    turn = _UPRIGHT.get(pixels.orientation)
    return rgb if turn is None else rgb.transpose(Transpose[turn])


def _alone(pixels: _Pixels) -> AbstractContextManager[object]:
    """Keeps other large images waiting, for a large one."""
    return _one_large_image if pixels.large else nullcontext()


# --- PNG ------------------------------------------------------------------------------------------------------


def _png_pixels(data: bytes) -> _Pixels:
    """Size, and the file without the chunks that hold no pixels. ValueError for a damaged one."""
    if data[12:16] != b"IHDR":
        raise ValueError("no header")
    width, height, depth, colours = struct.unpack_from(">IIBB", data, 16)
    kept = [_PNG_SIGNATURE]
    position, kind = len(_PNG_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data) or (kind == b"IHDR" and len(kept) > 1):
            raise ValueError("a chunk is cut short or comes twice")
        if kind in _PNG_PIXEL_CHUNKS:
            kept.append(data[position:end])
        position = end
    packed = b"".join(kept)
    unpacked = height * (1 + -(-width * _CHANNELS[colours] * depth // 8))
    if max(width, height) <= MAX_SIDE and unpacked > max(_FREE_UNPACKED, _MAX_RATIO * len(packed)):
        raise errors.image_unpacks_too_large(unpacked, _MAX_RATIO)
    return _Pixels(packed, width, height)


def _load_png(pixels: _Pixels) -> Image:
    from PIL.PngImagePlugin import PngImageFile

    with _alone(pixels), PngImageFile(BytesIO(pixels.data)) as image:
        image.load()
        return _halved(image) if pixels.large else _flat(image)


def _flat(image: Image) -> Image:
    """RGB out of any mode PNG has; what is transparent becomes white."""
    import numpy as np
    from PIL import Image as PillowImage

    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.int32) >> 8
        return PillowImage.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.mode not in ("RGBA", "LA", "PA") and "transparency" not in image.info:
        return image.convert("RGB")
    colours = image.convert("RGBA")
    flat = PillowImage.new("RGB", image.size, "white")
    flat.paste(colours, mask=colours.getchannel("A"))
    return flat


def _halved(image: Image) -> Image:
    """The same at half the size, strip by strip: a large image is not held twice."""
    from PIL import Image as PillowImage

    half = PillowImage.new("RGB", ((image.width + 1) // 2, (image.height + 1) // 2))
    for top in range(0, image.height, _STRIP_ROWS):
        strip = image.crop((0, top, image.width, min(top + _STRIP_ROWS, image.height)))
        half.paste(_flat(strip).reduce(2), (0, top // 2))
    return half
