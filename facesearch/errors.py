"""Every exception facesearch raises on purpose, under one root.

    FaceSearchError                     what happened, to which thing, and what to do next
    |-- UsageError                      the call itself is wrong (an unknown person, two people of one name)
    |-- PhotoError                      one photo; a run over many photos goes on
    |   |-- UnreadablePhotoError        missing, no rights, empty, truncated, not an image, too small, a bomb
    |   `-- NoFaceError                 the photo is fine and shows no face
    |-- BudgetError                     the next call would cost more than was allowed; nothing is lost
    |-- ConfigurationError              settings, credentials, rights or a database that is not ready
    |   |-- CredentialsError            no credentials, or the service refuses them
    |   |-- AccessDeniedError           the credentials lack a right; the message names the action
    |   `-- DatabaseError               the database cannot be reached or its schema is not up to date
    `-- ServiceError                    Rekognition (or the engine) answered with an error, or did not answer
        |-- CollectionNotFoundError
        |-- CollectionExistsError
        |-- InvalidRequestError         the service refused the request's parameters or image
        |-- ThrottledError              too many calls; worth repeating later
        |-- NotOfferedError             the service (one that only resembles AWS's) does not know the call
        `-- ServiceUnavailableError     no answer, or an internal error; worth repeating later

A command maps the root once to its exit code; nothing else catches by message.
"""

from __future__ import annotations


class FaceSearchError(Exception):
    """The root: its text is one sentence for the person who ran the command."""


class UsageError(FaceSearchError):
    """The call itself is wrong; repeating it unchanged cannot help."""


class PhotoError(FaceSearchError):
    """One photo cannot be used. `reason` is the text without the photo's name."""

    def __init__(self, reason: str, photo: str | None = None) -> None:
        super().__init__(f"{photo}: {reason}" if photo else reason)
        self.reason = reason
        self.photo = photo


class UnreadablePhotoError(PhotoError):
    """The file cannot be opened as a photo that Rekognition takes."""


class NoFaceError(PhotoError):
    """The photo shows no face."""


class BudgetError(FaceSearchError):
    """The next call would cost more than the caller allowed; it was not made."""


class ConfigurationError(FaceSearchError):
    """Something around the call is not set up."""


class CredentialsError(ConfigurationError):
    """There are no AWS credentials, or the service does not know them."""


class AccessDeniedError(ConfigurationError):
    """The credentials are known and lack a right."""


class DatabaseError(ConfigurationError):
    """The records cannot be reached, or their schema is not up to date."""


class ServiceError(FaceSearchError):
    """The service answered with an error. `code` is AWS's own, `request_id` names the call in AWS's logs.

    `attempts` is how often the call was tried, and `milliseconds` how long that took, where it is known.
    """

    def __init__(self, message: str, *, code: str | None = None, request_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.request_id = request_id
        self.attempts: int | None = None
        self.milliseconds: int | None = None


class CollectionNotFoundError(ServiceError):
    """No collection of that name on this engine."""


class CollectionExistsError(ServiceError):
    """A collection of that name is there already."""


class InvalidRequestError(ServiceError):
    """The service refused the request: a parameter, an image format or an image size."""


class ThrottledError(ServiceError):
    """Too many calls in too little time, after every retry."""


class NotOfferedError(ServiceError):
    """The service, one that only resembles AWS's, does not know the call."""


class ServiceUnavailableError(ServiceError):
    """No answer, or an internal error of the service, after every retry."""
