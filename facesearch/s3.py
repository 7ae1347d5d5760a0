"""Photos in S3: listed a page at a time, known by their state, and read whole.

An address is `s3://bucket/key`. What goes wrong with one object is a PhotoError, what concerns the bucket or the
credentials is raised as what it is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore import exceptions as aws

from facesearch.domain.files import FileState, StoredContent, StoredPhoto
from facesearch.domain.labels import StoredObject
from facesearch.errors import (
    AccessDeniedError,
    ConfigurationError,
    FaceSearchError,
    ServiceUnavailableError,
    UnreadablePhotoError,
    UsageError,
)
from facesearch.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SCHEME = "s3://"
MAX_BYTES = 268_435_456  # of an object; as of a file
_MISSING = {"404", "NoSuchKey", "NotFound", "NoSuchVersion"}
_DENIED = {"403", "AccessDenied", "AllAccessDisabled", "InvalidObjectState"}


class S3Photos:
    """Photos in S3 buckets, over one boto3 client, made when it is first needed. Safe to share by threads.

    `for_aws` says that the service which is to read an object by itself is AWS's: it reads from AWS's S3 alone.
    """

    def __init__(self, open_client: Callable[[], S3Client], *, for_aws: bool = False) -> None:
        self._open_client = open_client
        self._for_aws = for_aws

    @cached_property
    def _client(self) -> S3Client:
        return self._open_client()

    def listed(self, address: str) -> Iterator[StoredPhoto]:
        """Every object whose key begins as the address does, in order of their keys.

        Raises UsageError for a bucket that is not there, AccessDeniedError, ConfigurationError and
        ServiceUnavailableError.
        """
        bucket, prefix = parsed(address)
        with _listing(bucket):
            pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
        while True:
            with _listing(bucket):
                page: Any = next(pages, None)
            if page is None:
                return
            for item in page.get("Contents", ()):
                yield StoredPhoto(f"{SCHEME}{bucket}/{item['Key']}", state_of(item, item["Size"]))

    def state(self, address: str) -> tuple[FileState, str | None]:
        """An object's state, and its sha256 where S3 has made sure of one. Raises UnreadablePhotoError."""
        bucket, key = parsed(address)
        with _reading(address):
            head = self._client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
            return state_of(head, head["ContentLength"]), _checksum(head)

    def read(self, address: str) -> bytes:
        """An object's bytes. Raises UnreadablePhotoError."""
        return self.content(address).data

    def content(self, address: str) -> StoredContent:
        """An object's bytes, and what tells whether they are its bytes still. Raises UnreadablePhotoError."""
        bucket, key = parsed(address)
        with _reading(address):
            answer = self._client.get_object(Bucket=bucket, Key=key)
            size = answer["ContentLength"]
            if size == 0:
                raise UnreadablePhotoError("the object is empty", address)
            if size > MAX_BYTES:
                raise UnreadablePhotoError(
                    f"the object has {size:,} bytes; photos of up to {MAX_BYTES:,} bytes are read", address
                )
            version = answer.get("VersionId")  # "null" is of an object that may be written over
            place = StoredObject(bucket, key, None if version == "null" else version)
            data = answer["Body"].read()
            return StoredContent(data, state_of(answer, size), place if self._is_where_it_looks() else None)

    def _is_where_it_looks(self) -> bool:
        """Whether the service can mean the same objects: one of AWS's does not look into a MinIO."""
        host = urlsplit(self._client.meta.endpoint_url).hostname or ""
        return not self._for_aws or f".{host}".endswith((".amazonaws.com", ".amazonaws.com.cn"))

    def sha256(self, address: str) -> str:
        """64 hex digits, of the object's bytes. Raises UnreadablePhotoError."""
        return hashlib.sha256(self.read(address)).hexdigest()


def parsed(address: str) -> tuple[str, str]:
    """Bucket and key. Raises UsageError."""
    bucket, _, key = address.removeprefix(SCHEME).partition("/")
    if not address.startswith(SCHEME) or not bucket:
        raise UsageError(f"{address!r} is no place in S3: write s3://bucket/prefix")
    return bucket, key


def state_of(item: Any, size: int) -> FileState:
    """The state of an object, by S3's answer about it.

    The ETag stands where a file has its inode: it is another one when the content is.
    """
    etag = str(item.get("ETag", "")).strip('"')
    if len(etag) > 40:
        etag = hashlib.sha256(etag.encode()).hexdigest()[:40]
    return FileState(size, int(item["LastModified"].timestamp()) * 1_000_000_000, etag)


def _checksum(head: Any) -> str | None:
    """The sha256 that S3 checked the whole object against when it was stored."""
    text = head.get("ChecksumSHA256")
    if not text or head.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT" or "-" in text:
        return None
    try:
        digest = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return digest.hex() if len(digest) == hashlib.sha256().digest_size else None


@contextmanager
def _listing(bucket: str) -> Iterator[None]:
    try:
        yield
    except aws.ClientError as exc:
        code, message = said(exc)
        if code in ("NoSuchBucket", "404"):
            raise UsageError(f"there is no bucket {bucket} in S3") from exc
        if code in _DENIED:
            raise AccessDeniedError(
                f"the credentials may not list the bucket {bucket}: their IAM policies must allow s3:ListBucket "
                f"and s3:GetObject (S3 says: {message})"
            ) from exc
        raise of_the_service(exc, f"the bucket {bucket}") from exc
    except aws.ParamValidationError as exc:
        raise UsageError(f"{bucket!r} cannot be the name of a bucket") from exc
    except aws.BotoCoreError as exc:
        raise translated(exc, "ListObjectsV2") from exc


@contextmanager
def _reading(address: str) -> Iterator[None]:
    try:
        yield
    except aws.ClientError as exc:
        code, message = said(exc)
        if code in _MISSING:
            raise UnreadablePhotoError("there is no such object", address) from exc
        if code == "NoSuchBucket":
            raise UnreadablePhotoError("there is no such bucket", address) from exc
        if code in _DENIED:
            raise UnreadablePhotoError(
                f"there are no rights to read it (s3:GetObject), or it is archived ({message})", address
            ) from exc
        error = of_the_service(exc, address)
        if isinstance(error, ServiceUnavailableError):
            raise UnreadablePhotoError(f"S3 did not give it ({message}); try again later", address) from exc
        raise error from exc
    except aws.ParamValidationError as exc:
        raise UnreadablePhotoError("no object can have such an address", address) from exc
    except (aws.HTTPClientError, aws.ResponseStreamingError, aws.IncompleteReadError) as exc:
        raise UnreadablePhotoError("the connection to S3 broke; try again", address) from exc
    except aws.BotoCoreError as exc:
        raise translated(exc, "GetObject") from exc


def said(exc: aws.ClientError) -> tuple[str, str]:
    """The code and the message of S3's answer."""
    error = exc.response.get("Error", {})
    return str(error.get("Code", "")), str(error.get("Message", "")) or str(error.get("Code", ""))


def of_the_service(exc: aws.ClientError, what: str) -> FaceSearchError:
    """Our error for an answer that is about more than the one object."""
    code, message = said(exc)
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500 or code in ("SlowDown", "RequestTimeout", "Throttling"):
        return ServiceUnavailableError(f"S3 does not answer for {what} ({code}: {message}); try again later")
    if code in (
        "PermanentRedirect",
        "AuthorizationHeaderMalformed",
        "301",
        "IllegalLocationConstraintException",
    ):
        return ConfigurationError(f"{what} is in another region: set AWS_REGION to it (S3 says: {message})")
    known = translated(exc, "S3")
    return (
        known
        if isinstance(known, ConfigurationError)
        else ConfigurationError(f"S3 refused {what}: {message}")
    )
