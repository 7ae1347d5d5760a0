"""Images that lie in S3: their size is asked for first, and no more than an image may have is ever read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from facesearch.engine import errors

MAX_BYTES = 15 * 1024 * 1024

_SLOW_DOWN = frozenset({"SlowDown", "503", "RequestLimitExceeded", "Throttling"})


class S3Client(Protocol):
    """The part of boto3's S3 client that is used here."""

    @property
    def head_object(self) -> Callable[..., Any]:
        """HeadObject."""
        ...

    @property
    def get_object(self) -> Callable[..., Any]:
        """GetObject."""
        ...


class S3Objects:
    """Reads a request's S3Object members; `client` is called once, at the first of them."""

    def __init__(self, client: Callable[[], S3Client]) -> None:
        self._factory = client
        self._guard = threading.Lock()
        self._client: S3Client | None = None

    def fetch(self, s3_object: Mapping[str, str]) -> bytes:
        """The object's bytes, of the version that is named if one is.

        Raises ImageTooLargeException above MAX_BYTES, ProvisionedThroughputExceededException when S3 is busy and
        InvalidS3ObjectException for whatever else is wrong: the key, the bucket, the region, the rights.
        """
        # Both are told as they are in the request: the service model requires neither of them.
        place = {
            parameter: s3_object[member]
            for parameter, member in (("Bucket", "Bucket"), ("Key", "Name"), ("VersionId", "Version"))
            if member in s3_object
        }
        try:
            return self._fetch(place)
        except ClientError as exc:
            if exc.response.get("Error", {}).get("Code") in _SLOW_DOWN:
                raise errors.s3_throttled() from exc
            raise errors.s3_object() from exc
        except (
            BotoCoreError,
            ValueError,
        ) as exc:  # ValueError: what botocore raises for a malformed endpoint
            raise errors.s3_object() from exc

    def _fetch(self, place: Mapping[str, str]) -> bytes:
        client = self._connected()
        head = client.head_object(**place)
        if head["ContentLength"] > MAX_BYTES:
            raise errors.s3_object_too_large(MAX_BYTES)
        # An object that was replaced since its size was asked for is still not read beyond the limit.
        body = client.get_object(**place)["Body"]
        try:
            data: bytes = body.read(MAX_BYTES + 1)
        finally:
            body.close()
        if len(data) > MAX_BYTES:
            raise errors.s3_object_too_large(MAX_BYTES)
        return data

    def _connected(self) -> S3Client:
        with self._guard:
            if self._client is None:
                self._client = self._factory()
            return self._client
