"""Buckets: the only caller of S3 for them. S3's dicts become the domain's values, its errors ours.

A service that is not AWS's but speaks S3's API (AWS_ENDPOINT_URL_S3) answers the same calls; what it does not know
is NotOfferedError.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from facesearch.aws.actions import needed
from facesearch.domain.buckets import Bucket, KeptVersion, ObjectVersion
from facesearch.errors import (
    AccessDeniedError,
    ConfigurationError,
    CredentialsError,
    FaceSearchError,
    NotOfferedError,
    ServiceError,
    ServiceUnavailableError,
    UsageError,
)
from facesearch.service_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BATCH = 1000  # buckets on one page; what one DeleteObjects takes is also what a page of versions holds
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_FIRST_REGION = (
    "us-east-1"  # the region that CreateBucket must not be told, and that a location of None means
)
_OLD_NAMES = {None: _FIRST_REGION, "": _FIRST_REGION, "EU": "eu-west-1"}

# What XML 1.0 cannot hold, and so no list of keys for DeleteObjects
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class S3Buckets:
    """The buckets of an account, over one boto3 client. Every method raises the errors of `facesearch.errors`."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    @property
    def region(self) -> str:
        """The region in which buckets are made."""
        return self._client.meta.region_name

    @property
    def endpoint(self) -> str:
        """Where S3 is asked."""
        return self._client.meta.endpoint_url

    def listed(self) -> Iterator[Bucket]:
        """Every bucket of the account, in the order of their names."""
        with _asking("ListBuckets"):
            pages = iter(  # S3 tells the regions only where a page's size is asked for
                self._client.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": BATCH})
            )
        while True:
            with _asking("ListBuckets"):
                page: Any = next(pages, None)
                buckets = [
                    Bucket(one["Name"], one.get("BucketRegion"), one.get("CreationDate"))
                    for one in (page or {}).get("Buckets", ())
                ]
            if page is None:
                return
            yield from buckets

    def exists(self, name: str) -> bool:
        """Whether a bucket of that name is there and ours to look at. Raises AccessDeniedError for another's."""
        try:
            self.region_of(name)
        except UsageError:
            return False
        return True

    def create(self, name: str) -> None:
        """Make a bucket in the client's region. Raises UsageError for a name that is taken."""
        made: dict[str, Any] = {"Bucket": name}
        if self.region != _FIRST_REGION:
            made["CreateBucketConfiguration"] = {"LocationConstraint": self.region}
        with _asking("CreateBucket", name):
            self._client.create_bucket(**made)

    def block_public_access(self, name: str) -> None:
        with _asking("PutPublicAccessBlock", name):
            self._client.put_public_access_block(
                Bucket=name,
                PublicAccessBlockConfiguration={
                    "BlockPublicAcls": True,
                    "IgnorePublicAcls": True,
                    "BlockPublicPolicy": True,
                    "RestrictPublicBuckets": True,
                },
            )

    def encrypt(self, name: str) -> None:
        """Have S3 encrypt what is stored from now on, with keys of its own."""
        with _asking("PutBucketEncryption", name):
            self._client.put_bucket_encryption(
                Bucket=name,
                ServerSideEncryptionConfiguration={
                    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
                },
            )

    def region_of(self, name: str) -> str:
        """The region a bucket is in. Raises UsageError where there is none, AccessDeniedError for another's."""
        with _asking("HeadBucket", name):
            answer = self._client.head_bucket(Bucket=name)
        if region := answer.get("BucketRegion"):
            return region
        with _asking("GetBucketLocation", name):
            location = self._client.get_bucket_location(Bucket=name).get("LocationConstraint")
        return _OLD_NAMES.get(location, location or _FIRST_REGION)

    def unblocked(self, name: str) -> tuple[str, ...]:
        """S3's names of the kinds of public access that are not blocked; none when all are."""
        try:
            with _asking("GetPublicAccessBlock", name):
                answer = self._client.get_public_access_block(Bucket=name)
                blocked: Any = answer["PublicAccessBlockConfiguration"]
        except _NotSetError:
            return BLOCKS
        return tuple(block for block in BLOCKS if not blocked.get(block))

    def encryption(self, name: str) -> str:
        """What is used where an upload asks for nothing: `AES256`, or `aws:kms` with its key; `none`."""
        try:
            with _asking("GetBucketEncryption", name):
                answer = self._client.get_bucket_encryption(Bucket=name)
                for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
                    if default := rule.get("ApplyServerSideEncryptionByDefault"):
                        return " ".join(
                            filter(None, [default["SSEAlgorithm"], default.get("KMSMasterKeyID")])
                        )
        except _NotSetError:
            pass
        return "none"

    def versioning(self, name: str) -> str:
        """`on`, `off` or `suspended`."""
        with _asking("GetBucketVersioning", name):
            status = self._client.get_bucket_versioning(Bucket=name).get("Status")
        return {"Enabled": "on", "Suspended": "suspended"}.get(status or "", "off")

    def versions(self, name: str) -> Iterator[list[ObjectVersion]]:
        """Every version and delete marker, up to 1,000 at a time, in the order of their keys."""
        with _asking("ListObjectVersions", name):
            pages = iter(self._client.get_paginator("list_object_versions").paginate(Bucket=name))
        while True:
            with _asking("ListObjectVersions", name):
                page: Any = next(pages, None)
                both = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())] if page else []
                versions = [ObjectVersion(one["Key"], one.get("VersionId") or "null") for one in both]
            if page is None:
                return
            if versions:
                yield versions

    def delete_versions(self, name: str, versions: Sequence[ObjectVersion]) -> list[KeptVersion]:
        """Delete up to 1,000 versions for good, and tell which of them S3 kept."""
        told = [one for one in versions if not _NOT_IN_XML.search(one.key)]
        kept = self._delete_batch(name, told) if told else []
        for one in versions:
            if _NOT_IN_XML.search(one.key):
                kept += self._delete_one(name, one)
        return kept

    def delete(self, name: str) -> None:
        """Delete an empty bucket. Raises UsageError for one that is not empty."""
        with _asking("DeleteBucket", name):
            self._client.delete_bucket(Bucket=name)

    def _delete_batch(self, name: str, versions: Sequence[ObjectVersion]) -> list[KeptVersion]:
        with _asking("DeleteObjects", name):
            answer = self._client.delete_objects(
                Bucket=name,
                Delete={
                    "Objects": [{"Key": one.key, "VersionId": one.version_id} for one in versions],
                    "Quiet": True,
                },
            )
        return [
            KeptVersion(
                ObjectVersion(error.get("Key", ""), error.get("VersionId", "")),
                error.get("Code", ""),
                error.get("Message", "") or error.get("Code", ""),
            )
            for error in answer.get("Errors", ())
        ]

    def _delete_one(self, name: str, version: ObjectVersion) -> list[KeptVersion]:
        try:
            with _asking("DeleteObject", name):
                self._client.delete_object(Bucket=name, Key=version.key, VersionId=version.version_id)
        except AccessDeniedError as exc:
            return [KeptVersion(version, "AccessDenied", str(exc))]
        return []


# An answer without what the API promises; of XML that is none Python says SyntaxError
_MALFORMED = (ResponseParserError, AttributeError, KeyError, TypeError, ValueError, SyntaxError)


class _NotSetError(Exception):
    """The bucket is there, and what was asked for was never set for it."""


_NEVER_SET = {"NoSuchPublicAccessBlockConfiguration", "ServerSideEncryptionConfigurationNotFoundError"}
_DENIED = {"403", "AccessDenied", "AllAccessDisabled", "Forbidden"}
_ELSEWHERE = {
    "301",
    "PermanentRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
}
_BUSY = {"OperationAborted", "RequestTimeout", "SlowDown", "Throttling"}
_IN_WORDS = {
    "404": "there is no bucket {name}; `facesearch bucket list` shows those there are",
    "NoSuchBucket": "there is no bucket {name}; `facesearch bucket list` shows those there are",
    "BucketAlreadyExists": "somebody else has a bucket {name}: one name is there for all accounts together; "
    "choose another, for example with your organisation's name in it",
    "BucketAlreadyOwnedByYou": "there is a bucket {name} already, and it is yours; "
    "`facesearch bucket show {name}` tells how it is set",
    "BucketNotEmpty": "the bucket {name} is not empty: something was put into it meanwhile, or not everything may "
    "be deleted; run the same again",
    "InvalidBucketName": "S3 takes no bucket called {name}: {message}",
}


@contextmanager
def _asking(operation: str, name: str = "") -> Iterator[None]:
    """Turn what goes wrong inside into our errors. `operation` is S3's name of it."""
    try:
        yield
    except aws.ClientError as exc:
        raise _answered(exc, operation, name) from exc
    except aws.ParamValidationError as exc:
        raise UsageError(f"{name!r} cannot be the name of a bucket") from exc
    except aws.NoCredentialsError as exc:
        raise CredentialsError(
            "there are no AWS credentials; run `aws configure` or `aws sso login`, or set AWS_PROFILE"
        ) from exc
    except aws.ConnectionError as exc:
        raise ServiceUnavailableError(
            f"S3 cannot be reached ({exc}); check the network, the region and AWS_ENDPOINT_URL_S3"
        ) from exc
    except aws.BotoCoreError as exc:
        raise translated(exc, operation) from exc
    except _MALFORMED as exc:
        raise ServiceError(
            f"what answered {operation} does not speak S3's API ({type(exc).__name__}: {exc}); "
            "check AWS_ENDPOINT_URL_S3"
        ) from exc


def _answered(exc: aws.ClientError, operation: str, name: str) -> Exception:
    error = exc.response.get("Error", {})
    metadata = exc.response.get("ResponseMetadata", {})
    code, status = str(error.get("Code", "")), metadata.get("HTTPStatusCode", 0)
    message = str(error.get("Message", "")).strip().rstrip(".") or code
    if code in _NEVER_SET:
        return _NotSetError()
    if code in _IN_WORDS:
        return UsageError(_IN_WORDS[code].format(name=name, message=message))
    if code in _DENIED:
        return AccessDeniedError(_denied(operation, name, message))
    if code == "InvalidAccessKeyId":
        return CredentialsError(f"S3 does not know the credentials it was given (S3 says: {message})")
    if code in _ELSEWHERE:
        return ConfigurationError(
            f"S3 does not take {operation} for {name} in this region: set AWS_REGION to the bucket's, or for a "
            f"new bucket to one that the account may use (S3 says: {message})"
        )
    if code in ("NotImplemented", "MethodNotAllowed", "XNotImplemented") or status == 501:
        return NotOfferedError(f"this S3 service does not know {operation}", code=code)
    if status >= 500 or code in _BUSY:
        return ServiceUnavailableError(
            f"S3 does not do {operation} now ({code}: {message}); try again later",
            code=code,
            request_id=metadata.get("RequestId"),
        )
    known: FaceSearchError = translated(exc, f"S3's {operation}")
    return known


def _denied(operation: str, name: str, message: str) -> str:
    actions = " and ".join(needed("s3", operation))
    if operation == "HeadBucket":
        return (
            f"the bucket {name} belongs to another account, or the credentials lack {actions} for it "
            f"(S3 says: {message})"
        )
    there = f" for the bucket {name}" if name else ""
    return f"the credentials may not do that{there}: their policies must allow {actions} (S3 says: {message})"
