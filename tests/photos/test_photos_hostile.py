"""Photos on their way in: whatever the bytes, the end is a photo or an error that says why."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pillow_heif
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ImageFilter

from facesearch.errors import PhotoError
from facesearch.photos import MAX_BYTES, open_upright, prepare

from .conftest import (
    noise,
    orientation,
    saved,
    written,
)


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
