"""Tagging: what a photo shows, asked of Rekognition once, and kept as a document about the photo as it is now.

Whoever tags reads the document first, then looks at the photo, asks, and writes where the document is still the
one that was read. Of two who tag one photo at the same time the one who looked at it first therefore cannot write
last, in whatever order they were called: a document may be behind the photo while the next call is on its way, and
never stays so.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from facesearch import photos
from facesearch.domain.files import Content
from facesearch.domain.labels import (
    DetectedLabels,
    Label,
    LabelRequest,
    PhotoLabels,
    StoredObject,
    TaggedPhoto,
    TagStatus,
)
from facesearch.errors import ServiceUnavailableError
from facesearch.workflows import tagging_documents
from facesearch.workflows.documents import Documents
from facesearch.workflows.reading import SCHEME, is_stored
from facesearch.workflows.unchanged import state_of

TRIES = 5  # looks at a photo that others replace, or tag, all the while
GONE = "it was deleted meanwhile"


class Gateway(Protocol):
    """What tagging asks of Rekognition."""

    def detect_labels(
        self, image: bytes | StoredObject, *, min_confidence: float, max_labels: int | None = None
    ) -> DetectedLabels: ...
    def detect_custom_labels(
        self, image: bytes | StoredObject, model: str, *, min_confidence: float
    ) -> tuple[Label, ...]: ...


class Stored(Protocol):
    """What is asked of S3."""

    def content(self, address: str) -> Content | None: ...


class Tagger:
    """Tags one photo at a time under one request. Safe to share between threads."""

    def __init__(self, gateway: Gateway, stored: Stored, documents: Documents, request: LabelRequest) -> None:
        self._gateway = gateway
        self._stored = stored
        self._documents = documents
        self._request = request

    def __call__(
        self, photo: str, document: str | None = None, known: PhotoLabels | None = None
    ) -> TaggedPhoto:
        """The labels of a photo: a file's path, or an object that is not downloaded.

        With `document` they are written there. Labels that are `known`, or written there, of the same content and
        by the same request are not asked for again.

        Raises PhotoError and InvalidRequestError for what is wrong with this photo, ServiceUnavailableError when
        it is replaced over and over, and what the gateway and S3 raise.
        """
        status = TagStatus.ALREADY
        for _ in range(TRIES):
            found = self._documents.read(document) if document else None
            content = self._content(photo)
            if content is None:
                return TaggedPhoto(photo, TagStatus.GONE, reason=GONE)
            written = tagging_documents.read(found[0]) if found else None
            if written and self._fits(written, photo, content):
                return TaggedPhoto(photo, status, written, document=document)
            if not (known and self._fits(known, photo, content)):
                known = self._asked(photo, content)
                status = TagStatus.TAGGED
            if known is None:
                continue
            mark = found[1] if found else None
            if document is None or self._documents.write(document, tagging_documents.written(known), mark):
                return TaggedPhoto(photo, status, known, document=document)
        raise ServiceUnavailableError(f"{photo} was replaced or tagged by others all the while; try again")

    def _content(self, photo: str) -> Content | None:
        if is_stored(photo):
            return self._stored.content(photo)
        digest = photos.sha256_of(Path(photo))
        state = state_of(photo)
        return Content(digest, state.size) if state else None

    def _fits(self, labels: PhotoLabels, photo: str, content: Content) -> bool:
        """Whether these labels would be the answer."""
        return (
            labels.photo == photo
            and labels.request == self._request
            and (labels.content.digest, labels.content.version) == (content.digest, content.version)
        )

    def _asked(self, photo: str, content: Content) -> PhotoLabels | None:
        """The labels of that content; None when another took its place meanwhile."""
        image: bytes | StoredObject
        if is_stored(photo):
            bucket, _, key = photo.removeprefix(SCHEME).partition("/")
            image = StoredObject(bucket, key, content.version)
        else:
            prepared = photos.prepare(Path(photo))
            if prepared.sha256 != content.digest:
                return None
            image = prepared.data
        request = self._request
        detected = self._gateway.detect_labels(
            image, min_confidence=request.min_confidence, max_labels=request.max_labels
        )
        custom: tuple[Label, ...] = ()
        if request.custom_model:
            custom = self._gateway.detect_custom_labels(
                image, request.custom_model, min_confidence=request.min_confidence
            )
        if is_stored(photo) and content.version is None and self._stored.content(photo) != content:
            return None
        return PhotoLabels(
            photo=photo,
            content=content,
            request=request,
            model_version=detected.model_version,
            labels=(*detected.labels, *custom),
            tagged_at=datetime.now(UTC).replace(microsecond=0),
        )
