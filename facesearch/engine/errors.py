"""What an operation can answer instead of a result, with the codes and texts that Rekognition uses.

A code is either among the errors that the service model lists for the operation, or one of FRAMEWORK_CODES, which
every AWS service sends from in front of its operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FRAMEWORK_CODES = frozenset(
    {
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "RequestEntityTooLargeException",
        "RequestTimeoutException",
        "SerializationException",
        "UnknownOperationException",
        "UnrecognizedClientException",
        "ValidationException",
    }
)

# Rekognition answers every fault of the caller with 400, a missing collection too.
_STATUS: Mapping[str, int] = MappingProxyType(
    {"InternalServerError": 500, "RequestEntityTooLargeException": 413, "RequestTimeoutException": 408},
)


class RekognitionError(Exception):
    """An error answer: a code of the service model (or of the framework) and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return _STATUS.get(self.code, 400)


class StoreError(Exception):
    """The file cannot be used as a store: it is of a newer version, of another program, or out of reach."""


class ModelError(Exception):
    """A face model cannot be used; the text is a sentence for whoever looks after this machine."""


class ModelMissingError(ModelError):
    """No face model of that version or name is on this machine."""


def serialization(message: str) -> RekognitionError:
    """The body is not JSON, or a value is not of its member's type."""
    return RekognitionError("SerializationException", message)


def internal() -> RekognitionError:
    """A fault of our own; what it was is in the log and never in the answer."""
    return RekognitionError("InternalServerError", "Internal server error")


def throttled() -> RekognitionError:
    """Others kept the store busy for longer than a call waits."""
    return RekognitionError("ThrottlingException", "Slow down; the store is busy with other calls.")


def collection_not_found(collection_id: str) -> RekognitionError:
    """No collection has this id."""
    return RekognitionError("ResourceNotFoundException", f"The collection id: {collection_id} does not exist")


def collection_exists(collection_id: str) -> RekognitionError:
    """A collection has this id already."""
    return RekognitionError(
        "ResourceAlreadyExistsException", f"The collection id: {collection_id} already exists"
    )


def user_not_found(user_id: str) -> RekognitionError:
    """No user of the collection has this id."""
    return RekognitionError("ResourceNotFoundException", f"The user id: {user_id} does not exist")


def user_exists(user_id: str) -> RekognitionError:
    """A user of the collection has this id already."""
    return RekognitionError("ConflictException", f"The user id: {user_id} already exists")


def too_many_user_faces(user_id: str, limit: int) -> RekognitionError:
    """The faces asked for would take a user over what it may have."""
    return RekognitionError(
        "ServiceQuotaExceededException", f"The user id: {user_id} cannot have more than {limit} faces"
    )


def user_or_face() -> RekognitionError:
    """SearchUsers was given both a UserId and a FaceId, or neither."""
    return RekognitionError(
        "InvalidParameterException", "Request has invalid parameters: give either a UserId or a FaceId"
    )


def token_in_use(token: str) -> RekognitionError:
    """A ClientRequestToken that came with other parameters before."""
    return RekognitionError(
        "IdempotentParameterMismatchException",
        f"The ClientRequestToken: {token} you have supplied is already in use.",
    )


def resource_not_found(arn: str) -> RekognitionError:
    """An ARN that is not that of a collection of this engine."""
    return RekognitionError("ResourceNotFoundException", f"The resource: {arn} does not exist")


def too_many_tags(limit: int) -> RekognitionError:
    """A resource would have more tags than AWS lets it have."""
    return RekognitionError("ServiceQuotaExceededException", f"A resource cannot have more than {limit} tags")


def other_model(collection_id: str, theirs: str, ours: str) -> RekognitionError:
    """The collection holds vectors of another face model, which cannot be compared with this one's."""
    return RekognitionError(
        "InvalidParameterException",
        f"The collection id: {collection_id} was made with face model version {theirs}, and this engine runs "
        f"{ours}. Create a new collection and index the images again.",
    )


def model_missing(collection_id: str | None, model: str, reason: str) -> RekognitionError:
    """The face model of a collection, or of new collections, is not on this machine or cannot be used."""
    whose = f"The collection id: {collection_id} was made with" if collection_id else "New collections get"
    return RekognitionError("InvalidParameterException", f"{whose} the face model {model}. {reason}")


def face_not_found() -> RekognitionError:
    """SearchFaces was asked for a face that the collection does not hold."""
    return RekognitionError("InvalidParameterException", "faceId was not found in the collection.")


def no_faces() -> RekognitionError:
    """SearchFacesByImage was given a picture without a face."""
    return RekognitionError(
        "InvalidParameterException", "There are no faces in the image. Should be at least 1."
    )


def invalid_parameters() -> RekognitionError:
    """CompareFaces was given a picture without a face."""
    return RekognitionError("InvalidParameterException", "Request has invalid parameters")


def invalid_pagination_token() -> RekognitionError:
    """A NextToken that this operation did not give out for this collection."""
    return RekognitionError("InvalidPaginationTokenException", "Invalid Pagination Token")


def image_source() -> RekognitionError:
    """An Image with both Bytes and S3Object, or with neither."""
    return RekognitionError(
        "InvalidParameterException",
        "Request has invalid parameters: an Image has either Bytes or an S3Object",
    )


def image_format() -> RekognitionError:
    """The bytes are no JPEG or PNG, or a damaged one."""
    return RekognitionError("InvalidImageFormatException", "Request has invalid image format")


def image_too_small() -> RekognitionError:
    """A side of the image is under the minimum; Rekognition's text does not say so."""
    return RekognitionError("InvalidParameterException", "Request has Invalid Parameters")


def image_too_large(width: int, height: int, limit: int) -> RekognitionError:
    """A side of the image is over `limit` pixels."""
    return RekognitionError(
        "ImageTooLargeException",
        f"Input image dimensions {width} x {height} exceed maximum dimension size of {limit} pixels",
    )


def image_unpacks_too_large(size: int, ratio: int) -> RekognitionError:
    """A small file that would unpack to a very large image."""
    return RekognitionError(
        "ImageTooLargeException",
        f"Input image would unpack to {size} bytes, more than {ratio} times its size",
    )


def needs_rekognition(what: str) -> RekognitionError:
    """Something that an operation can do at AWS alone."""
    return RekognitionError(
        "InvalidParameterException", f"{what} is not part of this engine; it needs Amazon Rekognition itself."
    )


def s3_object() -> RekognitionError:
    """An S3 object that cannot be read, whatever the reason: Rekognition says no more, and neither does this."""
    return RekognitionError(
        "InvalidS3ObjectException",
        "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
    )


def s3_unreachable() -> RekognitionError:
    """This engine was given no way to S3."""
    return RekognitionError(
        "InvalidS3ObjectException",
        "Unable to get object from S3: this engine reads no S3 objects. Send the image as Bytes.",
    )


def s3_object_too_large(limit: int) -> RekognitionError:
    """An S3 object of more than `limit` bytes."""
    return RekognitionError(
        "ImageTooLargeException", f"Image size is too large. An S3 object may have {limit} bytes at most."
    )


def s3_throttled() -> RekognitionError:
    """S3 asks for fewer requests."""
    return RekognitionError("ProvisionedThroughputExceededException", "S3 download limit exceeded.")
