"""Buckets: made closed and encrypted, described, emptied of every version, deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from facesearch.domain.buckets import Bucket, BucketState, Emptied, KeptVersion, ObjectVersion, Versions
from facesearch.errors import ConfigurationError, NotOfferedError, ServiceError, UsageError
from facesearch.workflows.bucket_names import check_new, check_there

PASSES = 3  # how often a bucket is gone through
COUNTED = 10_000  # versions that are counted before somebody is asked whether they may go

_STILL_THERE = (
    "it is listed again and again: it came meanwhile, or S3 said that it was deleted and it was not"
)

T = TypeVar("T")


class Buckets(Protocol):
    """What this asks of S3."""

    def listed(self) -> Iterator[Bucket]: ...
    def exists(self, name: str) -> bool: ...
    def create(self, name: str) -> None: ...
    def block_public_access(self, name: str) -> None: ...
    def encrypt(self, name: str) -> None: ...
    def region_of(self, name: str) -> str: ...
    def unblocked(self, name: str) -> tuple[str, ...]: ...
    def encryption(self, name: str) -> str: ...
    def versioning(self, name: str) -> str: ...
    def versions(self, name: str) -> Iterator[list[ObjectVersion]]: ...
    def delete_versions(self, name: str, versions: Sequence[ObjectVersion]) -> list[KeptVersion]: ...
    def delete(self, name: str) -> None: ...


def create(buckets: Buckets, name: str) -> tuple[BucketState, list[str]]:
    """Make a bucket that is closed to the public and encrypted; with it, what of that could not be set, and why.

    Raises UsageError for a name that is against the rules or taken. A bucket that is there already is left alone.
    """
    check_new(name)
    if buckets.exists(name):  # in us-east-1 CreateBucket itself would say nothing
        raise UsageError(
            f"there is a bucket {name} already, and it is yours; "
            f"`facesearch bucket show {name}` tells how it is set"
        )
    buckets.create(name)
    problems = []
    for what, put in (("public access is not blocked", buckets.block_public_access),
                      ("encryption is not set", buckets.encrypt)):  # fmt: skip
        try:
            put(name)
        except (ConfigurationError, ServiceError) as exc:
            if not isinstance(
                exc, NotOfferedError
            ):  # what the service does not know is no fault of the bucket
                problems.append(f"{what}: {exc}")
    return describe(buckets, name), problems


def describe(buckets: Buckets, name: str) -> BucketState:
    """How a bucket is set. What may not be seen is left open, with the reason."""
    check_there(name)
    region = buckets.region_of(name)
    unknown: dict[str, str] = {}

    def seen(field: str, look: Callable[[str], T]) -> T | None:
        try:
            return look(name)
        except (ConfigurationError, ServiceError) as exc:
            unknown[field] = str(exc)
            return None

    return BucketState(
        name=name,
        region=region,
        unblocked=seen("unblocked", buckets.unblocked),
        encryption=seen("encryption", buckets.encryption),
        versioning=seen("versioning", buckets.versioning),
        versions=seen("versions", lambda name: counted(buckets, name)),
        unknown=unknown,
    )


def counted(buckets: Buckets, name: str) -> Versions:
    """How many versions and delete markers a bucket holds, counted up to 10,000."""
    check_there(name)
    count = 0
    for page in buckets.versions(name):
        if count + len(page) > COUNTED:
            return Versions(COUNTED, more=True)
        count += len(page)
    return Versions(count)


def empty(buckets: Buckets, name: str, on_batch: Callable[[int], None] | None = None) -> Emptied:
    """Delete every version and delete marker for good. `on_batch` hears how many are gone after each call."""
    check_there(name)
    total = 0
    for _ in range(
        PASSES
    ):  # again where something was deleted: for what came meanwhile or failed for a moment
        deleted = 0
        kept: list[KeptVersion] = []
        for page in buckets.versions(name):
            refused = buckets.delete_versions(name, page)
            deleted += len(page) - len(refused)
            kept += refused
            if on_batch:
                on_batch(total + deleted)
        total += deleted
        if not deleted:
            return Emptied(name, total, tuple(kept))
    left = next(buckets.versions(name), [])
    return Emptied(name, total, tuple(KeptVersion(one, "StillThere", _STILL_THERE) for one in left))


def delete(buckets: Buckets, name: str, on_batch: Callable[[int], None] | None = None) -> Emptied:
    """Empty a bucket and delete it. It stays when S3 kept anything of what it holds."""
    emptied = empty(buckets, name, on_batch)
    if emptied.kept:
        return emptied
    buckets.delete(name)
    return Emptied(name, emptied.deleted, (), bucket_deleted=True)
