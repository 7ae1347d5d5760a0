"""What tells that a file is unchanged, without reading it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from facesearch.domain.labels import StoredObject


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


class StoredContent(NamedTuple):
    """An object in S3 as it was when it was read. `place` is where the service can read just it, if it can."""

    data: bytes
    state: FileState
    place: StoredObject | None


class StoredPhoto(NamedTuple):
    """An object in S3, as a listing tells of it."""

    address: str  # s3://bucket/key
    state: FileState


class Content(NamedTuple):
    """What a photo holds at one moment: another photo in its place differs in one of these.

    `digest` is the ETag of an object in S3, without its quotation marks, and the sha256 of a file.
    """

    digest: str
    size: int  # bytes
    version: str | None = None  # of an object in a bucket that keeps versions
    modified_at: datetime | None = None  # of an object


class Download(NamedTuple):
    """An object in S3 with what it was when it was read."""

    data: bytes
    content: Content
    state: FileState
