"""Images by their content: what is decoded and how it looks then, what is refused and as what."""

import io
import random
import struct
import tracemalloc
import uuid
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from facesearch.engine import images
from facesearch.engine.errors import RekognitionError

RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 200, 20), (20, 20, 220), (255, 255, 255)


def saved(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def corners(width=120, height=160):
    """Red top left, green top right, blue bottom left, white bottom right."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def looks_like(image, *expected, tolerance=12):
    """The colours in the middle of the four corners, in reading order."""
    seen = [image.getpixel((x * image.width // 4, y * image.height // 4)) for y in (1, 3) for x in (1, 3)]
    return np.abs(np.array(seen, int) - np.array(expected, int)).max() <= tolerance


def exif(orientation, order="<", kind=3, extra=0):
    head = b"II*\0" if order == "<" else b"MM\0*"
    other = struct.pack(f"{order}HHII", 0x010F, 2, 4, 0) * extra
    value = struct.pack(f"{order}H", orientation) if kind == 3 else struct.pack(f"{order}I", orientation)
    entry = struct.pack(f"{order}HHI", 0x0112, kind, 1) + value.ljust(4, b"\0")
    return b"Exif\0\0" + head + struct.pack(f"{order}IH", 8, extra + 1) + other + entry + bytes(4)


def with_segment(jpeg, marker, payload):
    return jpeg[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload + jpeg[2:]


def chunk(kind, payload):
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def refusal(data):
    with pytest.raises(RekognitionError) as refused:
        images.decode(data)
    return refused.value.code, refused.value.message


BAD_FORMAT = ("InvalidImageFormatException", "Request has invalid image format")
JPEG = saved(corners(), "JPEG", quality=95)
PNG = saved(corners(), "PNG")


@pytest.mark.parametrize("data", [JPEG, PNG], ids=["JPEG", "PNG"])
def test_an_image_comes_as_upright_rgb(data):
    image = images.decode(data)
    assert (image.mode, image.size) == ("RGB", (120, 160))
    assert looks_like(image, RED, GREEN, BLUE, WHITE)


TURNED = {
    1: (RED, GREEN, BLUE, WHITE),
    2: (GREEN, RED, WHITE, BLUE),
    3: (WHITE, BLUE, GREEN, RED),
    4: (BLUE, WHITE, RED, GREEN),
    5: (RED, BLUE, GREEN, WHITE),
    6: (BLUE, RED, WHITE, GREEN),
    7: (WHITE, GREEN, BLUE, RED),
    8: (GREEN, WHITE, RED, BLUE),
}


@pytest.mark.parametrize(("order", "kind", "extra"), [("<", 3, 0), (">", 3, 5), ("<", 4, 1)])
@pytest.mark.parametrize("orientation", TURNED)
def test_a_jpeg_is_turned_as_its_exif_says(orientation, order, kind, extra):
    image = images.decode(with_segment(JPEG, 0xE1, exif(orientation, order, kind, extra)))
    assert image.size == ((120, 160) if orientation < 5 else (160, 120))
    assert looks_like(image, *TURNED[orientation])


def test_exif_as_pillow_writes_it_is_understood():
    data = saved(corners(), "JPEG", quality=95, exif=_pillow_exif(6))
    assert looks_like(images.decode(data), *TURNED[6])


def _pillow_exif(orientation):
    tags = Image.Exif()
    tags[0x010F] = "Maker"
    tags[0x0112] = orientation
    return tags


@pytest.mark.parametrize(
    "segment",
    [
        exif(0),
        exif(9),
        exif(6, kind=3)[:-8],
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0XX*\0" + bytes(20),
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
        exif(6).replace(b"\x12\x01\x03\0", b"\x12\x01\x07\0"),
        b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>",
        b"",
    ],
)
def test_exif_that_makes_no_sense_turns_nothing_and_warns_of_nothing(segment):
    assert looks_like(images.decode(with_segment(JPEG, 0xE1, segment)), *TURNED[1])


def test_the_first_orientation_that_turns_counts():
    data = with_segment(with_segment(JPEG, 0xE1, exif(6)), 0xE1, b"http://ns.adobe.com/xap/1.0/\0")
    assert looks_like(images.decode(data), *TURNED[6])


def test_a_png_is_never_turned():
    data = saved(corners(), "PNG", exif=_pillow_exif(6))
    assert b"eXIf" in data
    assert looks_like(images.decode(data), *TURNED[1])


def test_what_a_jpeg_carries_besides_its_pixels_does_no_harm():
    data = JPEG
    for marker, payload in [
        (0xE2, b"MPF\0" + bytes(30)),
        (0xE2, b"ICC_PROFILE\0\x01\x01" + b"junk"),
        (0xED, b"Photoshop 3.0\0" + b"8BIM" * 9),
        (0xFE, b"a comment \xff\xd9"),
    ]:
        data = with_segment(data, marker, payload)
    assert looks_like(images.decode(data + b"trailing bytes"), *TURNED[1])


def test_fill_bytes_and_junk_between_segments_are_skipped():
    data = JPEG[:2] + b"\xff\xff\xff\x01junk\xff\xd0" + JPEG[2:]
    assert looks_like(images.decode(data), *TURNED[1])


@pytest.mark.parametrize(
    "options",
    [{"progressive": True}, {"optimize": True}, {"subsampling": 2}],
    ids=lambda options: str(options),
)
def test_every_kind_of_jpeg_is_read(options):
    assert looks_like(images.decode(saved(corners(), "JPEG", quality=95, **options)), *TURNED[1])


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpegs_of_other_colours_become_rgb(mode):
    source = corners().convert(mode)
    image = images.decode(saved(source, "JPEG", quality=95))
    expected = source.convert("RGB")
    seen = [expected.getpixel((x * 30, y * 40)) for y in (1, 3) for x in (1, 3)]
    assert image.mode == "RGB" and looks_like(image, *seen, tolerance=16)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_pngs_of_other_colours_become_rgb(mode):
    source = corners().convert(mode)
    expected = source.convert("RGB")
    assert images.decode(saved(source, "PNG")).tobytes() == expected.tobytes()


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_is_transparent_becomes_white(mode):
    source = corners().convert(mode)
    source.putalpha(Image.new("L", source.size, 0))
    assert looks_like(images.decode(saved(source, "PNG")), WHITE, WHITE, WHITE, WHITE, tolerance=0)
    source.putalpha(Image.new("L", source.size, 255))
    assert images.decode(saved(source, "PNG")).tobytes() == source.convert("RGB").tobytes()


def test_what_is_half_transparent_becomes_half_white():
    source = Image.new("RGBA", (80, 80), (0, 0, 0, 128))
    assert images.decode(saved(source, "PNG")).getpixel((0, 0)) == (127, 127, 127)


def test_transparent_palette_entries_and_colours_become_white_without_a_warning():
    palette = corners().quantize(4)
    by_index = palette.getpixel((10, 10))
    for transparency in (by_index, bytes(0 if n == by_index else 255 for n in range(4))):
        image = images.decode(saved(palette, "PNG", transparency=transparency))
        assert looks_like(image, WHITE, GREEN, BLUE, WHITE)
    image = images.decode(saved(corners(), "PNG", transparency=GREEN))
    assert looks_like(image, RED, WHITE, BLUE, WHITE)


def test_sixteen_bits_are_brought_down_to_eight():
    ramp = np.tile(np.linspace(0, 65535, 100).astype(np.uint16), (90, 1))
    image = images.decode(saved(Image.fromarray(ramp), "PNG"))
    assert np.array_equal(np.asarray(image)[0, :, 0], ramp[0] >> 8)
    raw = b"".join(b"\0" + struct.pack(">HHH", 0xFF00, 0x8000, 0x10FF) * 80 for _ in range(80))
    header = struct.pack(">IIBBBBB", 80, 80, 16, 2, 0, 0, 0)
    data = PNG[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    assert images.decode(data).getpixel((40, 40)) == (0xFF, 0x80, 0x10)


def test_an_animated_png_is_its_first_picture_and_a_broken_one_warns_of_nothing():
    data = saved(corners(), "PNG", save_all=True, append_images=[Image.new("RGB", (120, 160))])
    assert b"acTL" in data
    assert looks_like(images.decode(data), *TURNED[1])
    broken = PNG[:33] + chunk(b"acTL", bytes(8)) + chunk(b"acTL", bytes(8)) + PNG[33:]
    assert looks_like(images.decode(broken), *TURNED[1])


def test_text_in_a_png_that_unpacks_to_megabytes_is_never_unpacked():
    text = PngImagePlugin.PngInfo()
    text.add_text("bomb", "x" * 20_000_000, zip=True)
    data = saved(corners(), "PNG", pnginfo=text)
    tracemalloc.start()
    image = images.decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert looks_like(image, *TURNED[1])
    assert peak < 5_000_000


@pytest.mark.parametrize("format", ["WEBP", "GIF", "BMP", "TIFF", "PPM", "ICO", "JPEG2000"])
def test_other_formats_are_refused(format):
    assert refusal(saved(corners(), format)) == BAD_FORMAT


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"not an image",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xda" + bytes(100),
        b"\x89PNG\r\n\x1a\n",
        PNG[:20],
        PNG[:33],
        PNG[:-12],
        PNG[:8] + PNG[33:],
        PNG[:33] + PNG[8:],
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"data:image/jpeg;base64,/9j/4AAQSkZJRg==",
        b"GIF89a" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_no_whole_jpeg_or_png_is_refused(data):
    assert refusal(data) == BAD_FORMAT


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("data", [JPEG, saved(corners(), "JPEG", progressive=True), PNG])
def test_a_truncated_image_is_refused(data, part):
    assert refusal(data[: int(len(data) * part)]) == BAD_FORMAT


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(79, 200), (200, 79), (1, 1)])
def test_an_image_with_a_side_under_eighty_pixels_is_refused_as_rekognition_refuses_it(format, size):
    assert refusal(saved(Image.new("RGB", size), format)) == (
        "InvalidParameterException",
        "Request has Invalid Parameters",
    )
    images.decode(saved(Image.new("RGB", (80, 80)), format))


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_an_image_with_a_side_over_ten_thousand_pixels_is_too_large(format):
    assert refusal(saved(Image.new("1", (10_001, 100)).convert("L"), format)) == (
        "ImageTooLargeException",
        "Input image dimensions 10001 x 100 exceed maximum dimension size of 10000 pixels",
    )
    assert images.decode(saved(Image.new("L", (10_000, 80)), format)).size == (10_000, 80)


def test_a_bomb_is_refused_by_its_header_alone():
    header = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 6, 0, 0, 0)
    png = (
        PNG[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")
    )
    frame = JPEG.index(b"\xff\xc0")
    jpeg = JPEG[: frame + 5] + b"\xff\xff\xff\xff" + JPEG[frame + 9 :]
    tracemalloc.start()
    for data in (png, jpeg):
        assert refusal(data)[0] == "ImageTooLargeException"
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_a_jpeg_that_declares_two_frames_is_refused():
    start = JPEG.index(b"\xff\xc0")
    (length,) = struct.unpack_from(">H", JPEG, start + 2)
    frame = JPEG[start : start + 2 + length]
    assert refusal(JPEG[:start] + frame + JPEG[start:]) == BAD_FORMAT


def test_a_jpeg_of_very_many_scans_is_refused():
    progressive = saved(corners(), "JPEG", progressive=True)
    scan = progressive.rindex(b"\xff\xda")
    last = progressive[scan : progressive.rindex(b"\xff\xd9")]
    images.decode(progressive[:scan] + last * 20 + progressive[scan:])
    assert refusal(progressive[:scan] + last * 500 + progressive[scan:]) == BAD_FORMAT


@pytest.mark.parametrize(("format", "mode"), [("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "P"), ("PNG", "RGBA")])
def test_an_image_of_more_than_twenty_five_megapixels_comes_at_half_its_size(format, mode):
    source = corners(6001, 4999).convert(mode)
    options = {"compress_level": 1} if format == "PNG" else {}
    image = images.decode(saved(source, format, **options))
    assert image.size == (3001, 2500)
    image = image.reduce(1)
    assert (image.mode, image.size) == ("RGB", (3001, 2500))
    assert looks_like(image, RED, GREEN, BLUE, WHITE)


def test_a_large_image_is_turned_too():
    data = with_segment(saved(corners(6000, 5000), "JPEG"), 0xE1, exif(6))
    image = images.decode(data)
    assert image.size == (2500, 3000)
    assert looks_like(image.reduce(1), *TURNED[6])


@pytest.mark.parametrize(
    "data",
    [
        JPEG,
        saved(corners(), "JPEG", progressive=True),
        PNG,
        saved(corners().quantize(4), "PNG", transparency=1),
    ],
    ids=["JPEG", "progressive JPEG", "PNG", "palette PNG"],
)
def test_damaged_images_are_decoded_or_refused_and_nothing_else(data):
    rng = random.Random(len(data))
    outcomes = set()
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        if rng.random() < 0.3:
            del damaged[rng.randrange(len(damaged)) :]
        if rng.random() < 0.2:
            at = rng.randrange(len(damaged) + 1)
            damaged[at:at] = rng.randbytes(rng.randint(1, 50))
        try:
            assert images.decode(bytes(damaged)).mode == "RGB"
            outcomes.add("decoded")
        except RekognitionError as error:
            outcomes.add(error.code)
    assert outcomes <= {
        "decoded",
        "InvalidImageFormatException",
        "InvalidParameterException",
        "ImageTooLargeException",
    }
    assert "InvalidImageFormatException" in outcomes


def test_an_image_id_belongs_to_the_bytes():
    assert images.image_id(JPEG) == images.image_id(bytes(JPEG)) != images.image_id(PNG)
    assert uuid.UUID(images.image_id(JPEG)).version == 5
