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

from facesearch.engine import protocol

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
    held_engine, originals, many
):
    rng, codes, slowest = random.Random(many), set(), 0.0
    headers = {"Content-Type": protocol.CONTENT_TYPE, "X-Amz-Target": "RekognitionService.DetectFaces"}

    def ask(data):
        body = json.dumps({"Image": {"Bytes": base64.b64encode(data).decode()}}).encode()
        return held_engine.handle(headers, body).error

    for data in originals:
        assert ask(data) is None
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(many):
        began = time.monotonic()
        codes.add(ask(damaged(rng, originals)))
        slowest = max(slowest, time.monotonic() - began)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / MIB
    print(f"{many} images: {sorted(map(str, codes))}, {grown:.0f} MiB more, slowest {slowest:.2f} s")  # noqa: T201
    assert codes <= {None, *REFUSALS}
    assert codes >= {None, "InvalidImageFormatException", "ImageTooLargeException"}
    assert slowest < 20
    assert grown < 700
    assert ask(originals[0]) is None
