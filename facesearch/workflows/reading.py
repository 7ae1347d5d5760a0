"""Photos read from where they are: a file, or an object in S3, whose path begins with s3://."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from facesearch import photos
from facesearch.domain.files import FileState, KnownFile, StoredPhoto
from facesearch.workflows.unchanged import is_settled, state_of

SCHEME = "s3://"


class Stored(Protocol):
    """What is asked of S3."""

    def listed(self, address: str) -> Iterator[StoredPhoto]: ...
    def state(self, address: str) -> tuple[FileState, str | None]: ...
    def sha256(self, address: str) -> str: ...
    def read(self, address: str) -> bytes: ...


def is_stored(path: str) -> bool:
    """Whether a path is that of an object in S3."""
    return path.startswith(SCHEME)


class Reader:
    """Reads photos. Safe to share between threads."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored

    def sha256(self, path: str) -> str:
        """The photo's identity, 64 hex digits. Raises UnreadablePhotoError."""
        if is_stored(path):
            return self._stored.state(path)[1] or self._stored.sha256(path)
        return photos.sha256_of(Path(path))

    def identified(self, path: str, id_: str, known: KnownFile | None) -> tuple[str, KnownFile | None]:
        """The photo's identity, and what is to be remembered of it where `known` was. Raises UnreadablePhotoError.

        An object is only read when its state is a new one and S3 has no sha256 of it.
        """
        if is_stored(path):
            state, sha256 = self._stored.state(path)
            if known and known.state == state:
                return known.sha256, None
            sha256 = sha256 or self._stored.sha256(path)
            return sha256, KnownFile(id_, state, sha256)
        # The clock first, then the state, then the content: a write in between gives the file another state.
        now = time.time_ns()
        seen = state_of(path)
        digest = photos.sha256_of(Path(path))
        return digest, KnownFile(id_, seen, digest) if seen and is_settled(seen, now) else None

    def prepare(self, path: str) -> photos.PreparedPhoto:
        """The photo as it is sent. Raises UnreadablePhotoError."""
        if is_stored(path):
            return photos.prepare_content(self._stored.read(path), path)
        return photos.prepare(Path(path))


def object_id(address: str) -> str:
    """64 hex digits for an object in S3, the same on every machine."""
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()
