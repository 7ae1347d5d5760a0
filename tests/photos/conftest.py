"""Photos to prepare, made by hand, and what a service would see of them."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from facesearch.errors import UnreadablePhotoError
from facesearch.photos import MAX_BYTES, MAX_SIDE, prepare

RED, BLUE, WHITE = (220, 30, 30), (30, 30, 220), (255, 255, 255)


def corner_marked(width: int = 160, height: int = 120, mode: str = "RGB") -> Image.Image:
    """Blue, with a red block in the top left corner that tells how a photo was turned."""
    image = Image.new("RGB", (width, height), BLUE)
    ImageDraw.Draw(image).rectangle((0, 0, width // 4, height // 4), fill=RED)
    return image.convert(mode)


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Seeded noise: the picture that JPEG can do least with."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (width, height), random.Random(7).randbytes(width * height * bands))


def saved(folder: Path, image: Image.Image, kind: str, name: str = "photo.bin", **options: Any) -> Path:
    path = folder / name
    image.save(path, kind, **options)
    return path


def orientation(value: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif.tobytes()


def near(pixel: object, colour: tuple[int, int, int], by: int = 12) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= by for a, b in zip(pixel, colour, strict=True))


def sent(path: Path) -> Image.Image:
    """What a service that turns JPEG by EXIF would see of the prepared photo."""
    prepared = prepare(path)
    image: Image.Image = Image.open(BytesIO(prepared.data))
    assert image.format in ("JPEG", "PNG")
    assert len(prepared.data) <= MAX_BYTES
    assert max(image.size) <= MAX_SIDE
    if image.format == "JPEG":
        turn = {3: 180, 6: 270, 8: 90}.get(image.getexif().get(0x0112, 1), 0)
        image = image.rotate(turn, expand=True)
    assert image.size == (prepared.width, prepared.height)
    return image.convert("RGB")


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def png(width: int, height: int, depth: int = 8, colour: int = 0, pixel: bytes = b"\x80") -> bytes:
    """A PNG of one colour, made by hand: sizes and depths that Pillow would not write."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = zlib.compress((b"\0" + pixel * min(width, 5_000)) * min(height, 5_000), 9)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def refusal(path: Path) -> str:
    with pytest.raises(UnreadablePhotoError) as caught:
        prepare(path)
    assert caught.value.photo == str(path)
    return caught.value.reason
