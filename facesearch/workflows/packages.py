"""Packages: a folder or a ZIP file that people are exported into, and imported from.

    manifest.json           what it is, from where, counts, and the SHA-256 and size of each of the next three
    people.jsonl            one person a line
    faces.jsonl             one face a line, in the order of people and photos
    photos.jsonl            one photo a line, with the name of its file if it is inside
    photos/ab/abcd...       a photo under its own SHA-256

A package is written beside its place and put there when it is whole. One that is read may have been made by
anybody: names are compared with these and never followed, nothing is unpacked to where a name says, no line and
no photo may be larger than a limit, and a ZIP file that would grow a hundredfold is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from facesearch.errors import UsageError
from facesearch.photos import MAX_FILE_BYTES

FORMAT = "facesearch export"
VERSION = 1
LISTS = ("people.jsonl", "faces.jsonl", "photos.jsonl")
MANIFEST = "manifest.json"

MAX_LINE = 1_048_576  # bytes
MAX_MANIFEST = 1_048_576
MAX_GROWTH = 100  # times the bytes in a ZIP file, for what is larger than the next
GROWS_FREELY = 10_485_760
BLOCK = 1_048_576

_PHOTO = re.compile(r"photos/([0-9a-f]{2})/(\1[0-9a-f]{62})")


def photo_name(sha256: str) -> str:
    """The name of a photo's file in a package."""
    return f"photos/{sha256[:2]}/{sha256}"


class Writer:
    """A package that is being written; it is in its place after `finish`, and leaves nothing without it.

    Raises UsageError when there is something at its place already.
    """

    def __init__(self, target: Path) -> None:
        if os.path.lexists(target):
            raise UsageError(f"{target} is there already: name a place where nothing is")
        self._target = target
        self._part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        self._zip: zipfile.ZipFile | None = None
        self._files: dict[str, dict[str, object]] = {}

    def __enter__(self) -> Self:
        if self._target.suffix.lower() == ".zip":
            self._zip = zipfile.ZipFile(open(self._part, "xb", opener=_for_owner), "w")
        else:
            self._part.mkdir(mode=0o700)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._zip is not None and self._zip.fp is not None:
            self._close_zip()
        if self._part.is_dir():
            shutil.rmtree(self._part)
        else:
            self._part.unlink(missing_ok=True)

    @contextmanager
    def file(self, name: str) -> Iterator[IO[bytes]]:
        """A new file of the package, to be written in one go."""
        if self._zip is not None:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if _PHOTO.fullmatch(name) else zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            with self._zip.open(info, "w", force_zip64=True) as file:
                yield file
            return
        path = self._part / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(path, "xb", opener=_for_owner) as file:
            yield file

    def lines(self, name: str, items: Iterator[Mapping[str, Any]]) -> int:
        """Write a list, a line for each item; how many there were."""
        digest, size, count = hashlib.sha256(), 0, 0
        with self.file(name) as file:
            for item in items:
                line = json.dumps(item, allow_nan=False).encode("ascii") + b"\n"
                if len(line) > MAX_LINE:
                    raise UsageError(f"{name}: an item has {len(line):,} bytes; {MAX_LINE:,} is the most")
                file.write(line)
                digest.update(line)
                size, count = size + len(line), count + 1
        self._files[name] = {"sha256": digest.hexdigest(), "bytes": size, "lines": count}
        return count

    def finish(self, about: Mapping[str, Any]) -> None:
        """Write the manifest and put the package in its place. Raises UsageError if something else is there."""
        manifest = {"format": FORMAT, "version": VERSION, **about, "files": self._files}
        with self.file(MANIFEST) as file:
            file.write(json.dumps(manifest, indent=2).encode("ascii") + b"\n")
        if self._zip is not None:
            self._close_zip()
        if os.path.lexists(self._target):
            raise UsageError(f"{self._target} was made by somebody else meanwhile: name another place")
        self._part.rename(self._target)

    def _close_zip(self) -> None:
        assert self._zip is not None
        file = self._zip.fp
        self._zip.close()
        if file is not None:
            file.flush()
            os.fsync(file.fileno())
            file.close()


class Package:
    """A package that is read. Raises UsageError, naming it, for one that is not what `Writer` writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        try:
            if not path.is_dir():
                self._zip = zipfile.ZipFile(path)
                self._check_names(self._zip)
            with self.open(MANIFEST) as file:
                self.manifest = _manifest(file.read(MAX_MANIFEST + 1))
        except (OSError, zipfile.BadZipFile, NotImplementedError) as exc:
            self.close()
            raise self._refused(str(exc)) from exc
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._zip is not None:
            self._zip.close()

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """A file of the package."""
        if self._zip is not None:
            try:
                info = self._zip.getinfo(name)
            except KeyError:
                raise self._refused(f"it holds no {name}") from None
            with self._zip.open(info) as file:
                yield file
            return
        place = self.path / name
        if not stat.S_ISREG(place.lstat().st_mode):
            raise self._refused(f"{name} is no regular file")
        with open(place, "rb", opener=_not_followed) as file:
            yield file

    def has(self, name: str) -> bool:
        """Whether a file is in the package."""
        if self._zip is not None:
            return name in self._zip.NameToInfo
        return (self.path / name).is_file()

    def file_of(self, sha256: str) -> Path | None:
        """Where a photo of a folder lies; None for a ZIP file."""
        return self.path / photo_name(sha256) if self._zip is None else None

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The items of a list."""
        with self.open(name) as file:
            number = 0
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    raise self._refused(f"line {number} of {name} is too long")
                try:
                    item = json.loads(line)
                except (ValueError, RecursionError) as exc:
                    raise self._refused(f"line {number} of {name} is not JSON") from exc
                if not isinstance(item, dict):
                    raise self._refused(f"line {number} of {name} is not an object")
                yield item

    def verify(self) -> None:
        """Hold every file against its checksum and size. Raises UsageError for the first that differs."""
        try:
            for name in LISTS:
                listed = self.manifest["files"].get(name)
                if not isinstance(listed, dict):
                    raise self._refused(f"the manifest says nothing of {name}")
                if self._digest(name, int(listed["bytes"])) != listed["sha256"]:
                    raise self._refused(f"{name} is not what the manifest says: it was changed or damaged")
            for item in self.lines("photos.jsonl"):
                file = item.get("file")
                if file is None:
                    continue
                found = _PHOTO.fullmatch(file) if isinstance(file, str) else None
                if found is None or found[2] != item.get("sha256"):
                    raise self._refused(f"a photo cannot be called {file!r}")
                if self._digest(found[0], MAX_FILE_BYTES) != found[2]:
                    raise self._refused(f"{file} is not what its name says: it was changed or damaged")
        except (OSError, zipfile.BadZipFile, EOFError, KeyError, TypeError, ValueError) as exc:
            raise self._refused(f"{type(exc).__name__}: {exc}") from exc

    def _digest(self, name: str, most: int) -> str:
        digest, size = hashlib.sha256(), 0
        with self.open(name) as file:
            while block := file.read(BLOCK):
                size += len(block)
                if size > most:
                    raise self._refused(f"{name} is larger than it may be")
                digest.update(block)
        return digest.hexdigest()

    def _check_names(self, archive: zipfile.ZipFile) -> None:
        if len(archive.NameToInfo) < len(archive.filelist):
            raise self._refused("it holds two files of one name")
        for info in archive.filelist:
            name = info.filename
            if name not in (MANIFEST, *LISTS) and not _PHOTO.fullmatch(name):
                raise self._refused(f"it holds {name!r}, which is no part of an export")
            if info.flag_bits & 0x1:
                raise self._refused("it is encrypted")
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise self._refused(f"{name} is no regular file")
            if info.file_size > max(GROWS_FREELY, MAX_GROWTH * info.compress_size):
                raise self._refused(f"{name} would grow to {info.file_size:,} bytes")

    def _refused(self, why: str) -> UsageError:
        return UsageError(f"{self.path} cannot be imported: {why}")


def _manifest(text: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(text) if len(text) <= MAX_MANIFEST else None
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise UsageError(f"{MANIFEST} is not that of a facesearch export")
    if manifest.get("version") != VERSION:
        raise UsageError(
            f"the export is of version {manifest.get('version')!r}; this program reads version {VERSION}"
        )
    if not isinstance(manifest.get("files"), dict):
        raise UsageError(f"{MANIFEST} lists no files")
    return manifest


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _not_followed(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))
