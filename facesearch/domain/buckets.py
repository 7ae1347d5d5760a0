"""Buckets in S3: what they are set to, what they hold, and what was deleted from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket as S3 lists it."""

    name: str
    region: str | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Versions:
    """How many versions and delete markers a bucket holds; `more` when counting stopped before the end."""

    count: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class BucketState:
    """How a bucket is set. What could not be found out is None, and `unknown` says why, by the field's name."""

    name: str
    region: str | None
    unblocked: tuple[str, ...] | None  # S3's names of the kinds of public access that are not blocked
    encryption: str | None  # `AES256`, `aws:kms` ..., with the key's id where it is the customer's; `none`
    versioning: str | None  # `on`, `off` or `suspended`
    versions: Versions | None
    unknown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an object, or one delete marker."""

    key: str
    version_id: str


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A version that S3 did not delete, with S3's code and reason."""

    version: ObjectVersion
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Emptied:
    """What emptying a bucket came to, and whether the bucket itself was deleted after it."""

    name: str
    deleted: int
    kept: tuple[KeptVersion, ...]
    bucket_deleted: bool = False
