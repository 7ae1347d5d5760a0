"""Photos on their way in: what they are known by, what goes as it is, and which way is up."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tracemalloc
from io import BytesIO
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from facesearch.errors import UnreadablePhotoError
from facesearch.photos import MAX_BYTES, open_upright, prepare, sha256_of

from .conftest import (
    RED,
    corner_marked,
    near,
    noise,
    orientation,
    saved,
    sent,
    written,
)

# --- identity -----------------------------------------------------------------------------------------------


def test_the_sha256_is_of_the_files_own_bytes_and_prepare_gives_the_same(tmp_path: Path) -> None:
    path = saved(tmp_path, corner_marked(), "WEBP")
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert sha256_of(path) == prepare(path).sha256 == expected


def test_the_sha256_of_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(40_000_000))
    tracemalloc.start()
    sha256_of(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6_000_000


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "BMP", "GIF"])
def test_the_same_file_always_gives_the_same_bytes(tmp_path: Path, kind: str) -> None:
    path = saved(tmp_path, noise(200, 150), kind)
    assert prepare(path) == prepare(path)


def test_importing_the_module_loads_no_pillow() -> None:
    code = "import sys, facesearch.photos; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- what goes as it is -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("side", [80, 300])
def test_jpeg_and_png_within_the_limits_go_byte_for_byte(
    tmp_path: Path, kind: str, mode: str, side: int
) -> None:
    path = saved(tmp_path, corner_marked(side, side, mode), kind)
    prepared = prepare(path)
    assert prepared.data == path.read_bytes()
    assert (prepared.width, prepared.height, prepared.note) == (side, side, None)


def test_the_name_of_the_file_says_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path, corner_marked(), "PNG", name="photo.jpg")
    assert prepare(path).data == path.read_bytes()
    with pytest.raises(UnreadablePhotoError, match="not a photo"):
        prepare(written(tmp_path / "notes.jpg", b"Dear diary, today I saw a JPEG"))


def test_a_file_at_the_limit_of_5_mb_goes_and_one_byte_more_is_encoded_anew(tmp_path: Path) -> None:
    content = saved(tmp_path, noise(400, 300), "JPEG").read_bytes()
    at_limit = written(tmp_path / "at", content + bytes(MAX_BYTES - len(content)))
    over = written(tmp_path / "over", at_limit.read_bytes() + b"\0")
    assert prepare(at_limit).data == at_limit.read_bytes()
    assert prepare(over).note == "encoded anew"
    assert sent(over).size == (400, 300)


@pytest.mark.parametrize("turn", [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_jpeg_goes_with_its_exif_and_its_size_is_that_of_the_upright_photo(
    tmp_path: Path, turn: int
) -> None:
    path = saved(tmp_path, corner_marked(), "JPEG", exif=orientation(turn))
    prepared = prepare(path)
    assert prepared.data == path.read_bytes()
    assert (prepared.width, prepared.height) == ((120, 160) if turn >= 5 else (160, 120))
    assert open_upright(path).size == (prepared.width, prepared.height)


def test_an_mpo_of_a_phone_is_a_jpeg(tmp_path: Path) -> None:
    path = saved(tmp_path, corner_marked(), "MPO", save_all=True, append_images=[corner_marked()])
    assert prepare(path).data == path.read_bytes()


# --- orientation --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turn", "corner"),
    [
        (1, (5, 5)),
        (2, (-6, 5)),
        (3, (-6, -6)),
        (4, (5, -6)),
        (5, (5, 5)),
        (6, (-6, 5)),
        (7, (-6, -6)),
        (8, (5, -6)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "WEBP"])
def test_each_exif_orientation_brings_the_corner_to_its_place(
    tmp_path: Path, kind: str, turn: int, corner: tuple[int, int]
) -> None:
    image = open_upright(saved(tmp_path, corner_marked(), kind, exif=orientation(turn)))
    assert image.size == ((120, 160) if turn >= 5 else (160, 120))
    assert near(image.getpixel((corner[0] % image.width, corner[1] % image.height)), RED, by=40)


@pytest.mark.parametrize("kind", ["TIFF", "WEBP", "HEIF", "AVIF"])
def test_a_converted_photo_is_upright_and_says_no_more_about_turning(tmp_path: Path, kind: str) -> None:
    pillow_heif.register_heif_opener()
    path = saved(tmp_path, corner_marked(), kind, exif=orientation(6))
    image = Image.open(BytesIO(prepare(path).data))
    assert image.size == (120, 160)
    assert image.getexif().get(0x0112, 1) == 1
    assert near(image.getpixel((-6 % 120, 5)), RED, by=40)
    assert near(open_upright(path).getpixel((-6 % 120, 5)), RED, by=40)


def test_a_jpeg_that_is_encoded_anew_is_turned_first(tmp_path: Path) -> None:
    path = saved(tmp_path, corner_marked(mode="CMYK"), "JPEG", exif=orientation(8))
    assert prepare(path).data != path.read_bytes()
    assert sent(path).size == (120, 160)
    assert near(sent(path).getpixel((5, -6 % 160)), RED, by=90)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_png_is_never_turned_and_the_note_says_so(tmp_path: Path, mode: str) -> None:
    path = saved(tmp_path, corner_marked(mode=mode), "PNG", exif=orientation(6))
    prepared = prepare(path)
    assert (prepared.width, prepared.height) == (160, 120) == open_upright(path).size
    assert sent(path).size == (160, 120)
    assert prepared.note is not None
    assert prepared.note.endswith("its EXIF orientation is not applied, as Rekognition turns no PNG")


@pytest.mark.parametrize("exif", [b"Exif\0\0II*\0", b"Exif\0\0garbage", b"Exif\0\0MM\0*\xff\xff\xff\xff"])
def test_broken_exif_turns_nothing_and_stops_nothing(tmp_path: Path, exif: bytes) -> None:
    path = saved(tmp_path, corner_marked(), "JPEG", exif=exif)
    assert (prepare(path).width, prepare(path).height) == (160, 120)
