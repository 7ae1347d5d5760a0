"""Photos read from where they are: a file, or an object in S3, whose path begins with s3://."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from facesearch import photos
from facesearch.domain.files import FileState, KnownFile, StoredContent, StoredPhoto
from facesearch.errors import PhotoError
from facesearch.workflows.unchanged import FileIds, is_settled, state_of

if TYPE_CHECKING:
    from facesearch.domain import PlannedPhoto
    from facesearch.domain.labels import StoredObject

SCHEME = "s3://"


class Stored(Protocol):
    """What is asked of S3."""

    def listed(self, address: str) -> Iterator[StoredPhoto]: ...
    def state(self, address: str) -> tuple[FileState, str | None]: ...
    def sha256(self, address: str) -> str: ...
    def read(self, address: str) -> bytes: ...
    def content(self, address: str) -> StoredContent: ...


@dataclass(frozen=True, slots=True)
class InStore:
    """Where the service reads an object itself, and the state in which it was read here."""

    place: StoredObject
    state: FileState


def is_stored(path: str) -> bool:
    """Whether a path is that of an object in S3."""
    return path.startswith(SCHEME)


class Reader:
    """Reads photos. Safe to share between threads."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._closed: set[str] = set()  # buckets that the service cannot read

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

    def read(self, path: str) -> bytes:
        """The photo's bytes. Raises UnreadablePhotoError."""
        return self._stored.read(path) if is_stored(path) else photos.read(Path(path))

    def prepare(self, path: str) -> tuple[photos.PreparedPhoto, InStore | None]:
        """The photo as it is sent, or where the service is to read it: it may be larger then, and need not shrink.

        What fits into a call goes with it: nobody can put another content in its place meanwhile, and the service
        reads nothing a second time. Raises UnreadablePhotoError.
        """
        if not is_stored(path):
            return self.prepare_bytes(path), None
        content = self._stored.content(path)
        place = content.place
        if place is None or place.bucket in self._closed:
            return photos.prepare_content(content.data, path), None
        photo = photos.prepare_content(content.data, path, photos.MAX_BYTES_IN_S3)
        if len(photo.data) <= photos.MAX_BYTES:
            return photo, None
        return replace(photo, data=b""), InStore(place, content.state)

    def prepare_bytes(self, path: str) -> photos.PreparedPhoto:
        """The photo as it is sent with the call, wherever it is. Raises UnreadablePhotoError."""
        if is_stored(path):
            return photos.prepare_content(self._stored.read(path), path)
        return photos.prepare(Path(path))

    def close(self, bucket: str) -> None:
        """Have the service read nothing more from a bucket, since it cannot."""
        self._closed.add(bucket)

    def is_unchanged(self, path: str, stored: InStore) -> bool:
        """Whether the service must have read the content that was read here. A version stays what it is."""
        if stored.place.version is not None:
            return True
        try:
            return self._stored.state(path)[0] == stored.state
        except PhotoError:
            return False


class PhotoIds:
    """Ids of photos, by where they are. For one thread."""

    def __init__(self) -> None:
        self._of_file = FileIds()

    def __call__(self, path: str) -> str:
        """64 hex digits for a file of this machine, and for an object in S3."""
        return object_id(path) if is_stored(path) else self._of_file(path)


def state_now(photo: PlannedPhoto) -> FileState | None:
    """The state that can be had in no time: of a file, and of an object that a listing told of."""
    return photo.state if is_stored(photo.path) else state_of(photo.path)


def object_id(address: str) -> str:
    """64 hex digits for an object in S3, the same on every machine."""
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()
