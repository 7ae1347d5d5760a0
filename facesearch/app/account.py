"""Account: an AWS account around Rekognition, with its buckets. It needs neither an engine nor records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from facesearch import workflows

if TYPE_CHECKING:
    from facesearch.aws.buckets import S3Buckets
    from facesearch.aws.cloud import Cloud
    from facesearch.domain.buckets import Bucket, BucketState, Emptied, Versions
    from facesearch.domain.readiness import Check


class Account:
    """The buckets that the credentials of botocore's chain may see. Every method raises FaceSearchError."""

    def __init__(self, cloud: Cloud, open_buckets: Callable[[], S3Buckets]) -> None:
        self._cloud = cloud
        self._open_buckets = open_buckets

    @cached_property
    def _buckets(self) -> S3Buckets:
        return self._open_buckets()

    @property
    def region(self) -> str:
        """The region of botocore's chain, in which buckets are made."""
        return self._buckets.region

    @property
    def s3_endpoint(self) -> str:
        """Where S3 is asked."""
        return self._buckets.endpoint

    def buckets(self) -> Iterator[Bucket]:
        """Every bucket of the account."""
        return self._buckets.listed()

    def bucket(self, name: str) -> BucketState:
        """How a bucket is set and what it holds. Raises UsageError where there is none."""
        return workflows.bucket_care.describe(self._buckets, name)

    def count_versions(self, name: str) -> Versions:
        """How many versions and delete markers a bucket holds, counted up to 10,000."""
        return workflows.bucket_care.counted(self._buckets, name)

    def create_bucket(self, name: str) -> tuple[BucketState, list[str]]:
        """Make a bucket, closed to the public and encrypted; with it, what of that could not be set."""
        return workflows.bucket_care.create(self._buckets, name)

    def empty_bucket(self, name: str, on_batch: Callable[[int], None] | None = None) -> Emptied:
        """Delete everything a bucket holds, old versions and delete markers too."""
        return workflows.bucket_care.empty(self._buckets, name, on_batch)

    def delete_bucket(self, name: str, on_batch: Callable[[int], None] | None = None) -> Emptied:
        """Empty a bucket and delete it."""
        return workflows.bucket_care.delete(self._buckets, name, on_batch)

    def examine(
        self, collection_id: str | None = None, bucket: str | None = None, model: str | None = None
    ) -> Iterator[Check]:
        """Whether the account is ready for a collection, photos in a bucket, and a Custom Labels model's ARN.

        Nothing is changed. Only what is asked about a bucket is billed: one or two requests to S3.
        """
        return workflows.doctor.examine(
            self._cloud, self, workflows.doctor.Asked(collection_id, bucket, model)
        )

    def region_of(self, name: str) -> str:
        """The region a bucket is in."""
        return self._buckets.region_of(name)
