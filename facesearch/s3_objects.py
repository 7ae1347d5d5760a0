"""Objects in S3 as a pipeline uses them: what is there now, and small documents that two writers cannot mix up.

A document is read with a mark (its ETag) and written under the condition that it still has that mark, so that
whoever decided by what they read never writes over what came after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore import exceptions as aws

from facesearch.domain.files import Content, Download
from facesearch.errors import (
    AccessDeniedError,
    ConfigurationError,
    ServiceUnavailableError,
    UnreadablePhotoError,
    UsageError,
)
from facesearch.s3 import MAX_BYTES, of_the_service, parsed, said, state_of
from facesearch.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_DOCUMENT = 16_777_216  # bytes; what is larger is none of ours
_MISSING = {"404", "NoSuchKey", "NotFound", "NoSuchVersion", "MethodNotAllowed"}  # the last: a delete marker
_READING = "s3:GetObject and s3:ListBucket"
_DENIED = {"403", "AccessDenied", "AllAccessDisabled"}
_OTHERS_WERE_FASTER = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict", *_MISSING}


class S3Objects:
    """Objects in S3, over one boto3 client, made when it is first needed.

    Every method raises AccessDeniedError, which names the right that is missing, ConfigurationError for the
    bucket, the region and the credentials, ServiceUnavailableError for what is worth repeating, and UsageError for
    an address that is none.
    """

    def __init__(self, open_client: Callable[[], S3Client]) -> None:
        self._open_client = open_client

    @cached_property
    def _client(self) -> S3Client:
        return self._open_client()

    def content(self, address: str) -> Content | None:
        """What the object is now; None where there is none."""
        with _asking(address, _READING):
            head = _there(self._client.head_object, address)
            return _content(head) if head else None

    def download(self, address: str) -> Download | None:
        """A photo and what it is, out of one answer; None where there is none. Raises UnreadablePhotoError."""
        with _asking(address, _READING):
            answer = _there(self._client.get_object, address)
            if answer is None:
                return None
            with answer["Body"] as body:
                size = answer["ContentLength"]
                if size > MAX_BYTES:
                    raise UnreadablePhotoError(
                        f"the object has {size:,} bytes; photos of up to {MAX_BYTES:,} bytes are read",
                        address,
                    )
                return Download(body.read(), _content(answer), state_of(answer, size))

    def read(self, address: str) -> tuple[bytes, str] | None:
        """A document's bytes and its mark; None where there is none."""
        with _asking(address, _READING):
            answer = _there(self._client.get_object, address)
            if answer is None:
                return None
            with answer["Body"] as body:
                return body.read(MAX_DOCUMENT), answer["ETag"]

    def write(self, address: str, content: bytes, mark: str | None) -> bool:
        """Write a document where it still has that mark; None stands for there being none. False: it has not."""
        bucket, key = parsed(address)
        with _asking(address, "s3:PutObject"):
            try:
                self._client.put_object(
                    Bucket=bucket,
                    Key=key,
                    Body=content,
                    ContentType="application/json",
                    **({"IfNoneMatch": "*"} if mark is None else {"IfMatch": mark}),  # type: ignore[arg-type]
                )
            except aws.ClientError as exc:
                if said(exc)[0] in _OTHERS_WERE_FASTER:
                    return False
                raise
            return True


def _there(ask: Callable[..., Any], address: str) -> Any | None:
    """What S3 answers when it is asked about an object; None where there is none."""
    bucket, key = parsed(address)
    try:
        return ask(Bucket=bucket, Key=key)
    except aws.ClientError as exc:
        if said(exc)[0] in _MISSING:
            return None
        raise


def _content(answer: Any) -> Content:
    version = answer.get("VersionId")
    return Content(
        digest=answer["ETag"].strip('"'),
        size=answer["ContentLength"],
        version=None if version == "null" else version,
        modified_at=answer["LastModified"],
    )


@contextmanager
def _asking(address: str, rights: str) -> Iterator[None]:
    try:
        yield
    except aws.ClientError as exc:
        code, message = said(exc)
        if code == "NoSuchBucket":
            raise ConfigurationError(f"{address}: there is no such bucket") from exc
        if code in _DENIED:
            raise AccessDeniedError(
                f"the credentials may not use {address}: their IAM policies must allow {rights} "
                f"(S3 says: {message})"
            ) from exc
        raise of_the_service(exc, address) from exc
    except aws.ParamValidationError as exc:
        raise UsageError(f"{address}: no object can have such an address") from exc
    except (aws.HTTPClientError, aws.ResponseStreamingError, aws.IncompleteReadError) as exc:
        raise ServiceUnavailableError(f"{address}: the connection to S3 broke; try again") from exc
    except aws.BotoCoreError as exc:
        raise translated(exc, "S3") from exc
