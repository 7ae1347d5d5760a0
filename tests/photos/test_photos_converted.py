"""Photos on their way in: what is converted and shrunk, and how it looks then."""

from __future__ import annotations

import struct
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageFilter

from facesearch.errors import UnreadablePhotoError
from facesearch.photos import MAX_BYTES, open_upright, prepare

from .conftest import (
    BLUE,
    RED,
    WHITE,
    corner_marked,
    near,
    noise,
    orientation,
    png,
    saved,
    sent,
    written,
)

# --- conversions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGB", "WEBP"),
        ("RGB", "TIFF"),
        ("RGB", "BMP"),
        ("RGB", "GIF"),
        ("RGB", "AVIF"),
        ("RGB", "HEIF"),
        ("CMYK", "JPEG"),
        ("CMYK", "TIFF"),
        ("LAB", "TIFF"),
        ("P", "PNG"),
        ("P", "BMP"),
        ("P", "TIFF"),
        ("RGBA", "PNG"),
        ("RGBA", "WEBP"),
        ("RGBA", "TIFF"),
    ],
)
def test_what_rekognition_does_not_take_becomes_a_jpeg_that_looks_the_same(
    tmp_path: Path, mode: str, kind: str
) -> None:
    pillow_heif.register_heif_opener()
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(corner_marked(), srgb, lab, outputMode="LAB")
        assert image is not None
    else:
        image = corner_marked(mode=mode)
    path = saved(tmp_path, image, kind)
    prepared = prepare(path)
    assert prepared.data.startswith(b"\xff\xd8\xff")
    assert prepared.note is not None
    assert near(sent(path).getpixel((10, 10)), RED, by=40)
    assert near(sent(path).getpixel((150, 110)), BLUE, by=40)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_tones(tmp_path: Path, kind: str) -> None:
    image = Image.new("I;16", (100, 100), 32768)
    assert near(sent(saved(tmp_path, image, kind)).getpixel((50, 50)), (127, 127, 127), by=2)


def test_big_endian_sixteen_bits_keep_their_tones_too(tmp_path: Path) -> None:
    image = Image.frombytes("I;16B", (100, 100), struct.pack(">H", 16384) * 10_000)
    assert near(sent(saved(tmp_path, image, "TIFF")).getpixel((50, 50)), (64, 64, 64), by=2)


def test_a_png_of_16_bits_a_colour_is_converted_though_pillow_calls_it_rgb(tmp_path: Path) -> None:
    path = written(tmp_path / "deep.png", png(100, 90, depth=16, colour=2, pixel=b"\xff\xff\x80\x00\0\0"))
    assert prepare(path).note == "PNG converted to JPEG"
    assert near(sent(path).getpixel((50, 50)), (255, 128, 0), by=6)


@pytest.mark.parametrize(
    ("values", "grey"), [((0.0, 1.0), 255), ((5.0, 5.0), 0), ((float("nan"), 1.0), None)]
)
def test_floating_point_is_stretched_over_what_it_uses(
    tmp_path: Path, values: tuple[float, float], grey: int | None
) -> None:
    pixels = [values[0]] * 5000 + [values[1]] * 5000
    image = Image.frombytes("F", (100, 100), struct.pack("10000f", *pixels))
    result = sent(saved(tmp_path, image, "TIFF"))
    assert grey is None or near(result.getpixel((50, 90)), (grey,) * 3, by=2)


def test_black_and_white_scans_are_converted(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("1", (100, 100), 1), "TIFF", compression="group4")
    assert near(sent(path).getpixel((50, 50)), WHITE)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_what_is_transparent_becomes_white(tmp_path: Path, kind: str) -> None:
    image = corner_marked(mode="RGBA")
    image.paste((0, 0, 0, 0), (80, 60, 160, 120))
    assert near(sent(saved(tmp_path, image, kind)).getpixel((120, 90)), WHITE)


@pytest.mark.parametrize(
    ("mode", "transparency"), [("P", 0), ("RGB", (30, 30, 220)), ("L", 29), ("I;16", 9), ("1", 0)]
)
def test_a_png_with_one_transparent_colour_is_converted(
    tmp_path: Path, mode: str, transparency: object
) -> None:
    image = Image.new("I;16", (100, 100), 40_000) if mode == "I;16" else corner_marked(mode=mode)
    path = saved(tmp_path, image, "PNG", transparency=transparency)
    assert sent(path).mode == "RGB"
    assert prepare(path).note == "PNG converted to JPEG"


def test_the_first_frame_of_a_gif_is_the_photo(tmp_path: Path) -> None:
    path = saved(
        tmp_path, corner_marked(), "GIF", save_all=True, append_images=[Image.new("RGB", (160, 120), WHITE)]
    )
    assert near(sent(path).getpixel((150, 110)), BLUE, by=40)


def test_colours_are_taken_through_the_photos_own_profile(tmp_path: Path) -> None:
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    plain = prepare(saved(tmp_path, corner_marked(), "WEBP", lossless=True)).data
    tagged = saved(
        tmp_path, corner_marked(), "WEBP", name="tagged", lossless=True, icc_profile=srgb.tobytes()
    )
    odd = saved(tmp_path, corner_marked(), "WEBP", name="odd", lossless=True, icc_profile=swapped.tobytes())
    broken = saved(tmp_path, corner_marked(), "WEBP", name="broken", lossless=True, icc_profile=b"no profile")
    assert near(sent(tagged).getpixel((150, 110)), BLUE, by=8)
    assert sent(odd).size == (160, 120)
    assert prepare(broken).data == plain


# --- shrinking ----------------------------------------------------------------------------------------------


def test_quality_gives_way_before_size(tmp_path: Path) -> None:
    image = noise(2400, 1600).filter(ImageFilter.GaussianBlur(1))
    path = saved(tmp_path, image, "PNG")
    assert path.stat().st_size > MAX_BYTES
    assert sent(path).size == (2400, 1600)


def test_what_no_quality_brings_under_5_mb_is_shrunk_and_fills_the_limit(tmp_path: Path) -> None:
    path = saved(tmp_path, noise(3600, 2700), "JPEG", quality=98)
    prepared = prepare(path)
    assert 0.85 * MAX_BYTES < len(prepared.data) <= MAX_BYTES
    assert prepared.width / prepared.height == pytest.approx(4 / 3, abs=0.01)
    assert prepared.note is not None
    assert "shrunk to" in prepared.note


@pytest.mark.parametrize(
    ("size", "expected"), [((12_000, 1_500), (10_000, 1_250)), ((200, 10_001), (200, 10_000))]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_side_over_10_000_pixels_is_brought_to_10_000(
    tmp_path: Path, kind: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    prepared = prepare(saved(tmp_path, Image.new("L", size, 90), kind))
    assert (prepared.width, prepared.height) == expected


def test_a_panorama_that_would_get_too_thin_is_refused_with_both_sizes(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePhotoError, match=r"20,000 x 100 .* 10,000 x 50 pixels"):
        prepare(saved(tmp_path, Image.new("L", (20_000, 100)), "PNG"))


def test_a_jpeg_of_200_megapixels_is_decoded_at_half_its_size(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    Image.new("L", (16_320, 12_240), 90).save(path, "JPEG", exif=orientation(6))
    prepared = prepare(path)
    assert (prepared.width, prepared.height) == (6_120, 8_160)
    assert open_upright(path).size == (6_120, 8_160)
