"""What AWS and botocore raise, told as facesearch's own errors: one table for answers, one for silence.

Each sentence says what happened, to what, and what to do next. AWS's own message is quoted where it knows more.
Codes and exception classes decide, never the text of a message, but for the one answer that has no code of its
own: a photo without a face.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from facesearch.errors import (
    AccessDeniedError,
    CollectionExistsError,
    CollectionNotFoundError,
    ConfigurationError,
    CredentialsError,
    FaceSearchError,
    InvalidRequestError,
    NoFaceError,
    ServiceError,
    ServiceUnavailableError,
    ThrottledError,
)

_NO_FACE = "There are no faces in the image"

_UNKNOWN_CREDENTIALS = (
    CredentialsError,
    "AWS does not know the credentials it was given ({code}); `aws sts get-caller-identity` shows whose they are",
)
_EXPIRED_CREDENTIALS = (
    CredentialsError,
    "the AWS credentials have expired ({code}); sign in again (`aws sso login`), or fetch a new session token",
)
_TOO_MANY_CALLS = (
    ThrottledError,
    "the service takes no more calls of {operation} at this rate ({code}, after every retry); "
    "run the same more slowly (enroll --rate, search --jobs) or later, or ask AWS for a higher quota",
)
_REFUSED = (InvalidRequestError, "the service refused the parameters of {operation}{there}: {message}")
_BROKEN = (
    ServiceUnavailableError,
    "the service failed in {operation}{there}, after every retry ({code}: {message}); try again later",
)
_NOT_REKOGNITION = (
    ServiceError,
    "what answered {operation} does not speak Rekognition's API ({code}); check the URL that --engine names",
)

_BY_CODE: Mapping[str, tuple[type[FaceSearchError], str]] = {
    "AccessDeniedException": (
        AccessDeniedError,
        "the credentials may not call {operation}{there}: their IAM policies must allow rekognition:{operation} "
        "(AWS says: {message})",
    ),
    "UnrecognizedClientException": _UNKNOWN_CREDENTIALS,
    "InvalidClientTokenId": _UNKNOWN_CREDENTIALS,
    "InvalidSignatureException": _UNKNOWN_CREDENTIALS,
    "SignatureDoesNotMatch": _UNKNOWN_CREDENTIALS,
    "MissingAuthenticationToken": _UNKNOWN_CREDENTIALS,
    "MissingAuthenticationTokenException": _UNKNOWN_CREDENTIALS,
    "IncompleteSignature": _UNKNOWN_CREDENTIALS,
    "IncompleteSignatureException": _UNKNOWN_CREDENTIALS,
    "ExpiredToken": _EXPIRED_CREDENTIALS,
    "ExpiredTokenException": _EXPIRED_CREDENTIALS,
    "RequestExpired": _EXPIRED_CREDENTIALS,
    "UnauthorizedException": _EXPIRED_CREDENTIALS,  # of SSO, when it is asked for new credentials
    "RequestTimeTooSkewed": (
        CredentialsError,
        "AWS refused {operation} because this computer's clock is wrong; set it",
    ),
    "OptInRequired": (CredentialsError, "the AWS account is not signed up for Rekognition: {message}"),
    "SubscriptionRequiredException": (
        CredentialsError,
        "the AWS account is not signed up for Rekognition: {message}",
    ),
    "ResourceNotFoundException": (
        CollectionNotFoundError,
        "there is no collection {collection}; `facesearch collection list` shows those there are",
    ),
    "ResourceAlreadyExistsException": (CollectionExistsError, "there is a collection {collection} already"),
    "ThrottlingException": _TOO_MANY_CALLS,
    "Throttling": _TOO_MANY_CALLS,
    "ProvisionedThroughputExceededException": _TOO_MANY_CALLS,
    "LimitExceededException": _TOO_MANY_CALLS,
    "RequestLimitExceeded": _TOO_MANY_CALLS,
    "TooManyRequestsException": _TOO_MANY_CALLS,
    "ServiceQuotaExceededException": (
        ServiceError,
        "{operation}{there} would go beyond a quota of the service: {message}; delete what is not needed, "
        "or ask AWS for a higher quota",
    ),
    "InvalidParameterException": _REFUSED,
    "ValidationException": _REFUSED,
    "SerializationException": _REFUSED,
    "ImageTooLargeException": (InvalidRequestError, "the service takes no image of that size: {message}"),
    "InvalidImageFormatException": (InvalidRequestError, "the service cannot read the image: {message}"),
    "InvalidS3ObjectException": (
        InvalidRequestError,
        "the service cannot get the object from S3: {message} (it must be there, the bucket in the region of the "
        "call, and the credentials need s3:GetObject)",
    ),
    "ResourceNotReadyException": (
        ServiceUnavailableError,
        "the model that {operation} asks is not running ({message}); start it "
        "(`aws rekognition start-project-version`) and run the same again",
    ),
    "InvalidPaginationTokenException": (
        ServiceError,
        "the service lost its place while listing{there}: {message}; run the same again",
    ),
    "InternalServerError": _BROKEN,
    "InternalFailure": _BROKEN,
    "ServiceUnavailable": _BROKEN,
    "ServiceUnavailableException": _BROKEN,
    "UnknownOperationException": _NOT_REKOGNITION,
}

# botocore's own, the most specific first
_BY_CLASS: tuple[tuple[type[Exception], type[FaceSearchError], str], ...] = (
    (
        aws.NoCredentialsError,
        CredentialsError,
        "there are no AWS credentials; run `aws configure` or `aws sso login`, set AWS_PROFILE, "
        "or use --engine embedded, which needs none",
    ),
    (aws.PartialCredentialsError, CredentialsError, "the AWS credentials are incomplete: {message}"),
    (aws.SSOError, CredentialsError, "AWS single sign-on has to be renewed: {message}; run `aws sso login`"),
    *(  # `aws login` is younger than the oldest botocore we run with
        (login, CredentialsError, "the AWS sign-in has to be renewed: {message}; run `aws login`")
        for login in (getattr(aws, "LoginError", None),)
        if login is not None
    ),
    (aws.CredentialRetrievalError, CredentialsError, "the AWS credentials could not be fetched: {message}"),
    (aws.TokenRetrievalError, CredentialsError, "the AWS credentials could not be fetched: {message}"),
    (aws.MetadataRetrievalError, CredentialsError, "the AWS credentials could not be fetched: {message}"),
    (
        aws.RefreshWithMFAUnsupportedError,
        CredentialsError,
        "the AWS credentials could not be renewed: {message}",
    ),
    (
        aws.ProfileNotFound,
        ConfigurationError,
        "{message}; `aws configure list-profiles` shows those there are",
    ),
    (
        aws.NoRegionError,
        ConfigurationError,
        "no AWS region is set; set AWS_REGION, or the profile's region, to one with Rekognition (us-east-1 is)",
    ),
    (
        aws.SSLError,
        ServiceUnavailableError,
        "no secure connection for {operation}: {message}; check the clock, the proxy and AWS_CA_BUNDLE",
    ),
    (
        aws.ReadTimeoutError,
        ServiceUnavailableError,
        "the service did not answer {operation}{there} in time, after every retry ({message}); try again later, "
        "or give it longer with FACESEARCH_READ_TIMEOUT",
    ),
    (
        aws.ConnectionError,
        ServiceUnavailableError,
        "the service cannot be reached for {operation} ({message}); check the network, and that the region "
        "or the URL that --engine names is right",
    ),
    (
        aws.HTTPClientError,
        ServiceUnavailableError,
        "the connection broke during {operation}{there} ({message}); try again",
    ),
    (aws.ParamValidationError, InvalidRequestError, "{operation}{there} cannot be called so: {message}"),
    (aws.PaginationError, ServiceError, "the service repeats itself while listing{there}: {message}"),
    (aws.BotoCoreError, ConfigurationError, "{operation} could not be called: {message}"),
)

# An answer without the members that the API promises, or with other things in their place
_MALFORMED = (ResponseParserError, AttributeError, KeyError, TypeError, ValueError)


@contextmanager
def explained(operation: str, collection_id: str | None = None) -> Iterator[None]:
    """Turn what goes wrong inside into our errors. `operation` is Rekognition's name of it."""
    try:
        yield
    except (aws.ClientError, aws.BotoCoreError) as exc:
        raise translated(exc, operation, collection_id) from exc
    except _MALFORMED as exc:
        detail = f"{type(exc).__name__}: {exc}"
        raise ServiceError(_NOT_REKOGNITION[1].format(operation=operation, code=detail)) from exc


def translated(
    exc: aws.ClientError | aws.BotoCoreError, operation: str = "Rekognition", collection_id: str | None = None
) -> FaceSearchError:
    """Our error for one of botocore's, to be raised from it."""
    named = {
        "operation": operation,
        "collection": "of that name" if collection_id is None else repr(collection_id),
        "there": "" if collection_id is None else f" (collection {collection_id!r})",
    }
    if isinstance(exc, aws.ClientError):
        return _answered(exc, named)
    error, text = next((error, text) for kind, error, text in _BY_CLASS if isinstance(exc, kind))
    return error(text.format(**named, message=" ".join(str(exc).split()).rstrip(".")))


def is_throttle(answer: Mapping[str, Any]) -> bool:
    """Whether a parsed answer says that there were too many calls."""
    code = str(answer.get("Error", {}).get("Code", ""))
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 400 and (_BY_CODE.get(code) or _by_status(status, code))[0] is ThrottledError


def _answered(exc: aws.ClientError, named: Mapping[str, str]) -> FaceSearchError:
    answer = exc.response.get("Error", {})
    code, message = str(answer.get("Code", "")), str(answer.get("Message", "")).strip().rstrip(".")
    metadata = exc.response.get("ResponseMetadata", {})
    if code == "InvalidParameterException" and message.startswith(_NO_FACE):
        return NoFaceError("it shows no face")
    kind, template = _BY_CODE.get(code) or _by_status(metadata.get("HTTPStatusCode", 0), code)
    text = template.format(**named, code=code, message=message or code)
    if issubclass(kind, ServiceError):
        return kind(text, code=code, request_id=metadata.get("RequestId"))
    return kind(text)


def _by_status(status: int, code: str) -> tuple[type[FaceSearchError], str]:
    """For codes that nobody has heard of."""
    if status == 429:
        return _TOO_MANY_CALLS
    if status == 413:
        return _REFUSED
    if status >= 500:
        return _BROKEN
    if code.isdigit() or not code:  # botocore puts the HTTP status where an answer names no error
        return _NOT_REKOGNITION
    return ServiceError, "{operation}{there} failed: {code}: {message}"
