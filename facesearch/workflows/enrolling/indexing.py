"""One photo to the service, and what becomes of it by the answer. Called in threads; touches no records."""

from __future__ import annotations

from pathlib import Path

from facesearch import photos
from facesearch.domain import OnMultiple, PhotoStatus, Settlement
from facesearch.errors import PhotoError, ServiceError, UnreadablePhotoError
from facesearch.workflows.choosing import Choice, choose
from facesearch.workflows.enrolling.ports import Gateway
from facesearch.workflows.enrolling.work import Work, external_image_id


def index(gateway: Gateway, collection_id: str, work: Work, on_multiple: OnMultiple) -> Settlement:
    """Send one photo and keep one face of it. Raises PhotoError, and what the gateway raises."""
    person_id, sha256 = work.key
    prepared = photos.prepare(Path(work.path))
    if prepared.sha256 != sha256:
        raise UnreadablePhotoError("it changed while it was being read; run the same again", work.path)
    choice = _index_one_face(
        gateway, collection_id, prepared.data, external_image_id(person_id, sha256), on_multiple
    )
    if choice.superfluous:
        gateway.delete_faces(collection_id, choice.superfluous)
    return Settlement(person_id, sha256, choice.status, choice.reason, choice.kept)


def failure(work: Work, exc: Exception) -> Settlement:
    """How a photo ended that could not be read, or that the service gave no answer for."""
    person_id, sha256 = work.key
    if isinstance(exc, PhotoError):
        return Settlement(person_id, sha256, PhotoStatus.UNREADABLE, exc.reason)
    return Settlement(person_id, sha256, PhotoStatus.FAILED, str(exc))


def _index_one_face(
    gateway: Gateway, collection_id: str, image: bytes, external_id: str, on_multiple: OnMultiple
) -> Choice:
    result = gateway.index_faces(collection_id, image, external_id, max_faces=1)
    choice = choose(result, on_multiple)
    if choice is None:
        room = len(result.records) + len(result.unindexed)
        result = gateway.index_faces(collection_id, image, external_id, max_faces=room)
        choice = choose(result, on_multiple)
    if choice is None:
        raise ServiceError("the service left out the largest face for want of room, and gave it none")
    return choice
