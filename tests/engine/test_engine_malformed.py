"""Thousands of images that are not what they say, each through the whole engine: a modelled error or an answer."""

import base64
import io
import json
import random
import resource
import struct
import sys
import time
import zlib

import pytest
from PIL import Image

from facesearch.engine import images, protocol
from facesearch.engine.errors import RekognitionError

MIB = 1024 if sys.platform != "darwin" else 1024**2  # ru_maxrss is in KiB, on macOS in bytes
REFUSALS = {
    "ImageTooLargeException",
    "InvalidImageFormatException",
    "InvalidParameterException",
    "ValidationException",
}


def cut(rng, data):
    return data[: rng.randrange(1, len(data))]


def flip(rng, data):
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 20)):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def mistake(rng, data):
    """Another format's first bytes, or none's."""
    heads = (
        b"GIF89a",
        b"RIFF\0\0\0\0WEBP",
        b"BM",
        b"II*\0",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        rng.randbytes(8),
    )
    head = rng.choice(heads)
    return head + data[len(head) :]


def splice(rng, data):
    """A part of the file once more, somewhere else."""
    start, at = rng.randrange(len(data)), rng.randrange(len(data))
    return data[:at] + data[start : start + rng.randint(1, 2000)] + data[at:]


def declare(rng, data):
    """The same file with dimensions that it does not have; a PNG's checksum agrees with them."""
    small, huge = rng.choice((0, 1, 79, 80)), rng.choice((9_999, 10_000, 10_001, 65_535))
    width, height = rng.sample((small, huge, rng.randint(80, huge)), 2)
    if data.startswith(b"\x89PNG"):
        width *= rng.choice((1, 2**15))
        header = b"IHDR" + struct.pack(">II", width, height) + data[24:29]
        return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]
    frame = data.index(b"\xff\xc0")
    return data[: frame + 5] + struct.pack(">HH", height, width) + data[frame + 9 :]


def bomb(rng, data):
    """A small file that unpacks to far more than its header declares."""
    del data
    size = rng.choice((80, 200, 10_001, 2**31 - 1))
    header = struct.pack(">IIBBBBB", size, size, rng.choice((8, 16)), rng.choice((0, 2, 6)), 0, 0, 0)
    pixels = zlib.compress(bytes(rng.randint(1, 8) * 2**20), 1)
    chunks = (
        (b"IHDR", header),
        (rng.choice((b"IDAT", b"iCCP", b"zTXt")), b"a\0\0" + pixels),
        (b"IDAT", pixels),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in (*chunks, (b"IEND", b""))
    )


DAMAGES = (cut, flip, mistake, splice, declare, bomb)


def flat_png(width, height, depth, colours, channels, rows=None):
    """Nothing but zeros, filtered in the slowest way; as many rows of them as it declares if none are said."""
    packer = zlib.compressobj(9)
    row = b"\4" + bytes(width * channels * depth // 8)
    pixels = b"".join(packer.compress(row) for _ in range(rows or height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    )


def many_scans(side, scans):
    """A grey progressive JPEG: one bit for each block, and then scans of next to nothing that go over them all."""

    def segment(marker, body):
        return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body

    def table(kind, symbol):
        return segment(0xC4, bytes((kind, 1, *bytes(15), symbol)))

    blocks = (-(-side // 8)) ** 2
    runs = "011111111111111" * (blocks // 32767 + 1)  # the end of 32,767 blocks, once and again
    nothing = int(runs.ljust(-(-len(runs) // 8) * 8, "1"), 2).to_bytes(-(-len(runs) // 8), "big")
    scan = segment(0xDA, bytes((1, 1, 0, 1, 63, 0x10))) + nothing.replace(b"\xff", b"\xff\0")
    return b"".join(
        (
            b"\xff\xd8" + segment(0xDB, b"\0" + b"\1" * 64),
            segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\1\x11\0"),
            table(0x00, 0x00) + table(0x10, 0xE0),
            segment(0xDA, bytes((1, 1, 0, 0, 0, 0))) + bytes(blocks // 8 + 1),
            *[scan] * scans,
            b"\xff\xd9",
        )
    )


def mostly_missing(side):
    """A JPEG whose frame says far more than its few bytes could hold."""
    buffer = io.BytesIO()
    Image.new("L", (80, 80)).save(buffer, "JPEG")
    data = buffer.getvalue()
    frame = data.index(b"\xff\xc0")
    return data[: frame + 5] + struct.pack(">HH", side, side) + data[frame + 9 :]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: flat_png(10_000, 10_000, 16, 6, 4, rows=500), "ImageTooLargeException"),
        (lambda: flat_png(10_000, 10_000, 8, 2, 3, rows=500), "ImageTooLargeException"),
        (lambda: many_scans(10_000, 90), "InvalidImageFormatException"),
        (lambda: mostly_missing(10_000), "InvalidImageFormatException"),
    ],
    ids=["16-bit PNG", "PNG", "progressive JPEG", "cut JPEG"],
)
def test_a_small_file_that_would_cost_seconds_is_refused_at_once(make, code):
    data = make()
    assert len(data) < 2**20
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RekognitionError) as refused:
        images.decode(data)
    assert refused.value.code == code
    assert time.process_time() - began < 0.5
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / MIB < 20


def test_the_costliest_small_files_that_are_taken_cost_little():
    for data in (flat_png(4096, 4095, 16, 6, 4), many_scans(5000, 58)):
        began = time.process_time()
        assert images.decode(data).mode == "RGB"
        assert time.process_time() - began < 5


@pytest.fixture
def originals(grace):
    """A small portrait in the formats that are taken."""
    small = grace.resize((160, 160))
    made = []
    for form, options in (("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {})):
        buffer = io.BytesIO()
        small.save(buffer, form, **options)
        made.append(buffer.getvalue())
    return made


def damaged(rng, originals):
    damage = rng.choice(DAMAGES)
    usable = [data for data in originals if damage is not declare or b"\xff\xc2" not in data]
    return damage(rng, rng.choice(usable))


@pytest.mark.parametrize("many", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_malformed_images_are_answered_or_refused_each_in_little_time_and_memory(
    held_engine, originals, many, cut
):
    many = cut(many)
    rng, codes, slowest = random.Random(many), set(), 0.0  # of the processor: others may be busy too
    headers = {"Content-Type": protocol.CONTENT_TYPE, "X-Amz-Target": "RekognitionService.DetectFaces"}

    def ask(data):
        body = json.dumps({"Image": {"Bytes": base64.b64encode(data).decode()}}).encode()
        return held_engine.handle(headers, body).error

    for data in originals:
        assert ask(data) is None
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(many):
        began = time.process_time()
        codes.add(ask(damaged(rng, originals)))
        slowest = max(slowest, time.process_time() - began)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / MIB
    print(f"{many} images: {sorted(map(str, codes))}, {grown:.0f} MiB more, slowest {slowest:.2f} s")  # noqa: T201
    assert codes <= {None, *REFUSALS}
    assert codes >= {None, "InvalidImageFormatException", "ImageTooLargeException"}
    assert slowest < 5
    assert grown < 300
    assert ask(originals[0]) is None
