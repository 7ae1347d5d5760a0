"""Searching with an object in S3: who is in it, kept as a document about the photo as it was then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from facesearch.domain import Box, GivenPhoto, PersonMatch, PhotoSearch, SearchStatus
from facesearch.domain.files import Content, Download
from facesearch.errors import ServiceUnavailableError, UnreadablePhotoError
from facesearch.workflows import documents
from facesearch.workflows.documents import Documents
from facesearch.workflows.reading import SCHEME

TRIES = 5  # looks at a photo that others replace, or search with, all the while


class Objects(Protocol):
    """What is asked of S3."""

    def content(self, address: str) -> Content | None: ...
    def download(self, address: str) -> Download | None: ...


Search = Callable[[GivenPhoto], PhotoSearch]


def match(
    objects: Objects, kept: Documents, search: Search, address: str, document: str, asked: Mapping[str, Any]
) -> str | None:
    """Search with the object as it is now, and write who is in it; say how that ended, None where there is none.

    `asked` is what was searched for, as the document says it. The same photo is not searched with twice for the
    same. Raises UnreadablePhotoError for what is no photo, and what concerns the service, S3 and the records.
    """
    for _ in range(TRIES):
        found = kept.read(document)  # before the photo, so that whoever looked first cannot write last
        content = objects.content(address)
        if content is None:
            return None
        written = documents.parsed(found[0]) if found else None
        if written and {**written, **asked, **_identity(address, content)} == written:
            return "already"
        photo = objects.download(address)
        if photo is None or photo.content != content:
            continue
        result = search(GivenPhoto(address, photo.data))
        if result.status is SearchStatus.UNREADABLE:
            raise UnreadablePhotoError(result.reason or "it cannot be read", address)
        whole = documents.written({**_identity(address, content), **asked, **_shape(result)})
        if kept.write(document, whole, found[1] if found else None):
            return result.status.value
    raise ServiceUnavailableError(f"{address} was replaced or searched with all the while; try again")


def _identity(address: str, content: Content) -> dict[str, Any]:
    bucket, _, key = address.removeprefix(SCHEME).partition("/")
    return {
        "photo": address,
        "bucket": bucket,
        "key": key,
        "version": content.version,
        "etag": content.digest,
        "size": content.size,
    }


def _shape(result: PhotoSearch) -> dict[str, Any]:
    return {
        "searched_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "status": result.status.value,
        "reason": result.reason,
        "faces": [
            {
                "box": _box(face.box),
                "confidence": face.confidence,
                "matches": [_match(one) for one in face.matches],
                "reason": face.reason,
            }
            for face in result.faces
        ],
    }


def _match(one: PersonMatch) -> dict[str, Any]:
    who = one.person
    named = (
        {"id": who.id, "key": who.key, "name": who.name, "attributes": dict(who.attributes)} if who else None
    )
    return {
        "person": named,
        "similarity": one.similarity,
        "face_id": one.face_id,
        "photo": (one.photo.path or None) if one.photo else None,
    }


def _box(box: Box) -> dict[str, float]:
    return {"left": box.left, "top": box.top, "width": box.width, "height": box.height}
