"""Bytes that may be a photo become an image: recognised by content, decoded, turned upright, in sRGB.

The bytes come from outside, so a decoder may raise nearly anything, warn, or ask for all the memory there is:
`refusals` lets nothing but PhotoError out, and no image is decoded before its size was looked at. Pillow is loaded
with the first photo.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, cast

from facesearch.errors import PhotoError, UnreadablePhotoError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

# Four bytes a pixel and a copy of it: what bounds the memory that one photo takes
MAX_PIXELS = 100_000_000
MAX_JPEG_PIXELS = 250_000_000  # a JPEG of more than MAX_PIXELS is decoded at 1/2, 1/4 or 1/8 of its size

_ORIENTATION = 0x0112

# What Pillow logs of a broken file would reach the user's terminal, where the refusal already says it.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@contextmanager
def refusals(path: Path | str) -> Iterator[None]:
    """Name the photo in every refusal, and let nothing else out."""
    with _quiet:
        try:
            yield
        except PhotoError as exc:
            raise type(exc)(exc.reason, str(path)) from exc.__cause__
        except ImportError:  # a broken installation, not a broken photo
            raise
        except MemoryError as exc:
            raise UnreadablePhotoError("there is not enough memory to decode it", str(path)) from exc
        except Exception as exc:  # bytes from outside make decoders raise nearly anything
            raise UnreadablePhotoError("it is truncated or damaged and cannot be decoded", str(path)) from exc


def opened(content: bytes) -> tuple[ImageFile, str]:
    """The image, not decoded yet, and its kind, both by what the bytes say."""
    kind = _kind(content)
    image = _decoder(kind)(BytesIO(content))
    limit = MAX_JPEG_PIXELS if kind == "JPEG" else MAX_PIXELS
    width, height = image.size
    if width * height > limit:
        raise UnreadablePhotoError(
            f"it would unpack to {width:,} x {height:,} pixels; a {kind} of up to {limit:,} pixels is decoded"
        )
    return image, kind


def _kind(content: bytes) -> str:
    for kind, start in _STARTS:
        if content.startswith(start):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    if content[4:8] == b"ftyp":
        brands = _brands(content)
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}:
            return "HEIC"
    raise UnreadablePhotoError(
        "it is not a photo of a kind that can be read (JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC or AVIF)"
    )


_STARTS = (
    ("JPEG", b"\xff\xd8\xff"),
    ("PNG", b"\x89PNG\r\n\x1a\n"),
    ("GIF", b"GIF87a"),
    ("GIF", b"GIF89a"),
    ("TIFF", b"II*\0"),
    ("TIFF", b"MM\0*"),
    ("TIFF", b"II+\0"),
    ("TIFF", b"MM\0+"),
    ("BMP", b"BM"),
)


def _brands(content: bytes) -> set[bytes]:
    """What an ISO media file says it can be read as: its major brand and the compatible ones."""
    size = min(int.from_bytes(content[:4], "big"), 256)
    return {content[8:12], *(content[at : at + 4] for at in range(16, size, 4))}


# Pillow's classes are called directly. Image.open would try every format it knows on bytes that only pretend, and
# would refuse the 200 megapixels of a phone, which a JPEG decoder can halve on the way.
_DECODERS = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "WebP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIC": ("pillow_heif", "HeifImageFile"),
}
_OPTIONAL = {"HEIC": "facesearch[heif]", "AVIF": "pillow>=11.3"}


def _decoder(kind: str) -> Callable[[BinaryIO], ImageFile]:
    module_name, name = _DECODERS[kind]
    try:
        module = import_module(module_name)
        if not getattr(module, "SUPPORTED", True):  # Pillow may be built without WebP or AVIF
            raise ImportError(f"{module_name} without its library")
        return cast("Callable[[BinaryIO], ImageFile]", getattr(module, name))
    except ImportError as exc:
        if kind not in _OPTIONAL:
            raise
        raise UnreadablePhotoError(
            f"it is {kind}, which needs more than is installed: pip install '{_OPTIONAL[kind]}'"
        ) from exc


def load_decoder() -> None:
    """Load Pillow with what JPEGs take, as most photos are, and not with the first of them."""
    _decoder("JPEG")


class _PillowWarnings:
    """Ignores warnings that Pillow's modules give while any thread decodes, and no others.

    `warnings.catch_warnings` would not do: it swaps the filters of the whole process, and two threads that leave
    it in another order than they came would leave the wrong filters behind for good.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._filter: object = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                warnings.filterwarnings("ignore", module=r"PIL\.|pillow_heif")
                self._filter = warnings.filters[0]
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._filter in warnings.filters:
                warnings.filters.remove(self._filter)  # type: ignore[attr-defined]


_quiet = _PillowWarnings()


# --- from a decoder to an upright image in sRGB


def upright(image: ImageFile, kind: str) -> Image:
    """Decoded, as RGB, and turned."""
    width, height = image.size
    if kind == "JPEG" and width * height > MAX_PIXELS:
        scale = next(s for s in (2, 4, 8) if width * height <= MAX_PIXELS * s * s)
        image.draft("RGB", (width // scale, height // scale))
    image.load()
    return turned(_rgb(image), kind, orientation(image))


def turned(image: Image, kind: str, orientation: int) -> Image:
    """A decoded image as EXIF's orientation says, but for a PNG, which Rekognition does not turn either."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = None if kind == "PNG" else turns.get(orientation)
    return image if turn is None else image.transpose(turn)


def orientation(image: ImageFile) -> int:
    """1 to 8. Read from EXIF alone: Pillow would also take XMP's word, by which no service turns a photo.

    A TIFF was turned by its decoder, and HEIC comes with an orientation of 1 after its own rotation was applied.
    """
    from PIL.Image import Exif

    exif = Exif()
    try:
        exif.load(image.info.get("exif") or b"")
        value = exif.get(_ORIENTATION)
    except Exception:  # what cannot be parsed turns nothing
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _rgb(image: Image) -> Image:
    """8 bits, no transparency (what shows through is white), sRGB."""
    from PIL.Image import new

    if image.mode.startswith(("I", "F")):
        image = _eight_bits(image)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        opaque = new("RGB", image.size, "white")
        opaque.paste(rgba, mask=rgba.getchannel("A"))
        opaque.info["icc_profile"] = image.info.get("icc_profile")
        image = opaque
    if image.mode not in ("RGB", "CMYK", "LAB"):
        image = image.convert("RGB")
    return _srgb(image)


def _eight_bits(image: Image) -> Image:
    """16 bits by their whole range; 32 bits and floats, which have none, by what they use."""
    image.info.pop("transparency", None)  # it speaks of the values before
    low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else _extremes(image)
    scale = 255 / (high - low) if high > low else 0.0
    wide = image.convert("I") if image.mode.startswith("I;") else image
    return wide.point(lambda value: value * scale - low * scale).convert("L")


def _extremes(image: Image) -> tuple[float, float]:
    return cast("tuple[float, float]", image.getextrema())  # one band, so one pair


def _srgb(image: Image) -> Image:
    """Colours through the photo's own profile where it has a sound one."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if not profile and image.mode != "LAB":
        return image if image.mode == "RGB" else image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile) if profile else ImageCms.createProfile("LAB"))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except Exception:  # a broken profile, one of another kind of colours, a Pillow without LCMS
        converted = None
    return converted or image.convert("RGB")
