"""Photos on their way in: what goes as it is, what is converted, and what is refused with which words."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import tracemalloc
import warnings
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import AvifImagePlugin, Image, ImageCms, ImageDraw, ImageFilter

from facesearch import decoding, photos
from facesearch.errors import PhotoError, UnreadablePhotoError
from facesearch.photos import MAX_BYTES, MAX_SIDE, open_upright, prepare, sha256_of

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


# --- refusals -----------------------------------------------------------------------------------------------


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


def test_each_thing_that_is_no_photo_is_refused_by_name(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere.jpg") == "there is no such file"
    assert refusal(tmp_path) == "this is a folder, not a photo"
    assert refusal(written(tmp_path / "empty.jpg", b"")) == "the file is empty"
    assert refusal(Path("no\0name")) == "no file can have such a name"
    assert "File name too long" in refusal(tmp_path / ("x" * 300))
    assert refusal(written(tmp_path / "text", b"hello")).startswith(
        "it is not a photo of a kind that can be read"
    )
    assert "60 x 200 pixels" in refusal(saved(tmp_path, Image.new("L", (60, 200)), "PNG"))
    assert "79" in refusal(saved(tmp_path, Image.new("L", (79, 80)), "JPEG"))


def test_a_file_without_rights_is_refused_by_name(tmp_path: Path) -> None:
    path = saved(tmp_path, corner_marked(), "JPEG")
    prepare(path)
    path.chmod(0)
    root = os.geteuid() == 0
    if root:  # who may read everything becomes somebody else for a moment
        os.seteuid(65_534)
    try:
        assert "no rights" in refusal(path)
    finally:
        if root:
            os.seteuid(0)


def test_pipes_sockets_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for path in (tmp_path / "pipe", tmp_path / "socket", Path("/dev/zero")):
            assert "not a regular file" in refusal(path)
            with pytest.raises(UnreadablePhotoError):
                sha256_of(path)


def test_a_pipe_put_in_the_files_place_after_it_was_looked_at_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, corner_marked(), "JPEG")
    before = path.stat()
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(Path, "stat", lambda self: before)
    assert "not a regular file" in refusal(path)


@pytest.mark.parametrize("change", [b"more", None])
def test_a_file_that_changes_size_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: bytes | None
) -> None:
    path = written(tmp_path / "growing.jpg", noise(600, 600).tobytes())
    fstat = os.fstat

    def changed_after_the_look(descriptor: int) -> os.stat_result:
        result = fstat(descriptor)
        path.write_bytes(b"" if change is None else path.read_bytes() + change)
        return result

    monkeypatch.setattr(os, "fstat", changed_after_the_look)
    with pytest.raises(UnreadablePhotoError, match=r"changed while it was being read|is empty"):
        sha256_of(path)


def test_a_file_too_large_to_read_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "film.jpg"
    with path.open("wb") as file:
        file.truncate(photos.MAX_FILE_BYTES + 1)
    assert f"{photos.MAX_FILE_BYTES:,} bytes" in refusal(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_truncated_photo_is_found_out(tmp_path: Path, kind: str, part: float) -> None:
    pillow_heif.register_heif_opener()
    content = saved(tmp_path, noise(300, 200), kind).read_bytes()
    path = written(tmp_path / "cut", content[: int(len(content) * part)])
    assert refusal(path) == "it is truncated or damaged and cannot be decoded"


def test_a_truncated_progressive_jpeg_is_found_out(tmp_path: Path) -> None:
    content = saved(tmp_path, noise(300, 200), "JPEG", progressive=True).read_bytes()
    assert "truncated" in refusal(written(tmp_path / "cut", content[:-2000]))


@pytest.mark.parametrize("size", [(10_001, 10_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_a_decompression_bomb_is_refused_with_the_limit(tmp_path: Path, size: tuple[int, int]) -> None:
    reason = refusal(written(tmp_path / "bomb.png", png(*size)))
    assert f"{size[0]:,} x {size[1]:,} pixels" in reason
    assert f"{decoding.MAX_PIXELS:,}" in reason


def test_a_jpeg_bomb_is_refused_with_the_limit(tmp_path: Path) -> None:
    content = bytearray(saved(tmp_path, Image.new("L", (100, 100)), "JPEG").read_bytes())
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)
    assert f"{decoding.MAX_JPEG_PIXELS:,}" in refusal(written(tmp_path / "bomb.jpg", bytes(content)))


def test_heic_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pillow_heif.register_heif_opener()
    path = saved(tmp_path, corner_marked(), "HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert "pip install 'facesearch[heif]'" in refusal(path)


def test_avif_with_a_pillow_that_cannot_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, corner_marked(), "AVIF")
    monkeypatch.setattr(AvifImagePlugin, "SUPPORTED", False)
    assert "pip install 'pillow>=11.3'" in refusal(path)


def test_a_broken_installation_is_not_blamed_on_the_photo_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, corner_marked(), "BMP")
    monkeypatch.setitem(sys.modules, "PIL.BmpImagePlugin", None)
    with pytest.raises(ImportError):
        prepare(path)


# --- whatever the bytes -------------------------------------------------------------------------------------


def originals(folder: Path) -> list[bytes]:
    pillow_heif.register_heif_opener()
    image, turned = noise(90, 85).filter(ImageFilter.GaussianBlur(2)), orientation(6)
    kinds = ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF"]
    plain = [
        saved(folder, image, kind, exif=turned).read_bytes() for kind in kinds if kind not in ("BMP", "GIF")
    ]
    plain += [saved(folder, image, kind).read_bytes() for kind in ("BMP", "GIF", "PPM")]
    odd = [
        saved(folder, image, "JPEG", progressive=True, icc_profile=bytes(200)),
        saved(folder, image, "TIFF", compression="tiff_lzw", name="lzw"),
        saved(folder, image, "TIFF", compression="jpeg", name="jpeg"),
        saved(folder, image.convert("CMYK"), "JPEG", name="cmyk"),
        saved(folder, image.convert("P"), "PNG", name="palette", transparency=3),
        saved(folder, image, "MPO", name="mpo", save_all=True, append_images=[image]),
        saved(folder, image, "GIF", name="frames", save_all=True, append_images=[image.rotate(9)]),
        saved(folder, image, "PNG", name="apng", save_all=True, append_images=[image.rotate(9)]),
    ]
    return plain + [path.read_bytes() for path in odd]


def outcome(path: Path) -> None:
    """Either a photo within the limits or a PhotoError; never a warning and never another exception."""
    try:
        prepared = prepare(path)
    except PhotoError as exc:
        assert exc.reason
        assert exc.photo == str(path)
    else:
        assert 0 < len(prepared.data) <= MAX_BYTES
        assert prepared.data.startswith((b"\xff\xd8\xff", b"\x89PNG"))
        assert open_upright(path).mode == "RGB"


def test_mutations_of_real_photos_end_in_a_photo_or_in_a_photo_error(tmp_path: Path) -> None:
    dice = random.Random(2016)
    path = tmp_path / "mutant"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for content in originals(tmp_path):
            for _ in range(60):
                mutant = bytearray(content)
                for _ in range(dice.choice((1, 2, 8))):
                    at = dice.randrange(min(len(mutant), dice.choice((64, 600, len(mutant)))))
                    mutant[at] = dice.choice((0, 1, 255, 0x80, dice.randrange(256)))
                if dice.random() < 0.2:
                    del mutant[dice.randrange(len(mutant)) :]
                outcome(written(path, bytes(mutant)))


STARTS = [
    b"",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
    b"BM",
    b"RIFF\0\0\0\0WEBPVP8 ",
]
BRANDS = [b"\0\0\0\x18ftyp" + brand for brand in (b"avif", b"heic", b"mif1", b"isom")]


def test_nothing_of_a_broken_photo_reaches_the_terminal(tmp_path: Path) -> None:
    samples = bytearray(saved(tmp_path, noise(90, 85), "TIFF").read_bytes())
    tag = samples.index(struct.pack("<HH", 277, 3))
    samples[tag + 8 : tag + 10] = struct.pack("<H", 32_771)
    path = written(tmp_path / "samples", bytes(samples))
    code = (
        "import sys, pathlib, facesearch.photos as p\n"
        "try: p.prepare(pathlib.Path(sys.argv[1]))\n"
        "except p.UnreadablePhotoError: print('refused')"
    )
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("refused\n", "")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sampled_from([*STARTS, *BRANDS]),
    rest=st.binary(max_size=400),
)
def test_no_bytes_make_anything_but_a_photo_error(tmp_path: Path, start: bytes, rest: bytes) -> None:
    outcome(written(tmp_path / "bytes", start + rest))


def test_threads_that_decode_side_by_side_leave_the_warning_filters_as_they_were(tmp_path: Path) -> None:
    paths = [saved(tmp_path, noise(90 + n, 85), "TIFF", name=str(n)) for n in range(8)]
    before = list(warnings.filters)
    threads = [threading.Thread(target=prepare, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before
