"""Photos on their way in: what is refused with which words."""

from __future__ import annotations

import os
import socket
import struct
import sys
from pathlib import Path

import pillow_heif
import pytest
from PIL import AvifImagePlugin, Image

from facesearch import decoding, photos
from facesearch.errors import UnreadablePhotoError
from facesearch.photos import prepare, sha256_of

from .conftest import (
    corner_marked,
    noise,
    png,
    refusal,
    saved,
    written,
)


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
