"""What tells that a file is unchanged, without reading it."""

from __future__ import annotations

from typing import NamedTuple


class FileState(NamedTuple):
    """What the file system says of a file; one that was written has another time, a new one another inode."""

    size: int  # bytes
    modified_ns: int  # nanoseconds since 1970
    inode: str  # device and inode; of an object in S3 its ETag


class KnownFile(NamedTuple):
    """What a file held when it was in this state. The id stands for its machine and path."""

    id: str  # 64 lower-case hex digits
    state: FileState
    sha256: str


class StoredPhoto(NamedTuple):
    """An object in S3, as a listing tells of it."""

    address: str  # s3://bucket/key
    state: FileState
