"""The nouns as JSON: the documented, stable shapes. A key is never left out; what is not known is null."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from facesearch.cli import rates

if TYPE_CHECKING:
    from facesearch.domain import (
        Box,
        Collection,
        FaceDetail,
        ListedFace,
        Person,
        PersonMatch,
        PersonSummary,
        Photo,
        PhotoSearch,
        Pose,
        Quality,
    )


def box(value: Box) -> dict[str, float]:
    return {"left": value.left, "top": value.top, "width": value.width, "height": value.height}


def pose(value: Pose | None) -> dict[str, float] | None:
    return {"roll": value.roll, "yaw": value.yaw, "pitch": value.pitch} if value else None


def quality(value: Quality | None) -> dict[str, float] | None:
    return {"brightness": value.brightness, "sharpness": value.sharpness} if value else None


def moment(value: datetime | None) -> str | None:
    """ISO 8601, in UTC."""
    return value.isoformat() if value else None


def person(value: Person) -> dict[str, Any]:
    """Who it is, as it stands beside a face or a match."""
    return {"id": value.id, "key": value.key, "name": value.name, "attributes": dict(value.attributes)}


def person_summary(value: PersonSummary) -> dict[str, Any]:
    """All that is on record of a person, with their number of faces in each collection."""
    return {
        **person(value.person),
        "notes": value.person.notes,
        "created_at": moment(value.person.created_at),
        "faces": dict(value.faces),
    }


def collection(value: Collection) -> dict[str, Any]:
    return {
        "collection_id": value.collection_id,
        "arn": value.arn,
        "face_model_version": value.model_version,
        "face_count": value.face_count,
        "user_count": value.user_count,
        "created_at": moment(value.created_at),
    }


def face_detail(value: FaceDetail) -> dict[str, Any]:
    """What was seen of a face."""
    return {
        "box": box(value.box),
        "confidence": value.confidence,
        "pose": pose(value.pose),
        "quality": quality(value.quality),
        "landmarks": [{"type": point.type, "x": point.x, "y": point.y} for point in value.landmarks],
    }


def _photo(value: Photo) -> dict[str, str] | None:
    """A file; None for a photo that was never seen here, which comes from a collection that was adopted."""
    return {"path": value.path, "sha256": value.sha256} if value.path else None


def listed_face(value: ListedFace) -> dict[str, Any]:
    """A face of a collection; person, photo and the rest of our record are null for one we have no record of."""
    face, known = value.face, value.enrolled
    return {
        "face_id": face.face_id,
        "person": person(known.person) if known else None,
        "photo": _photo(known.photo) if known else None,
        "box": box(face.box),
        "confidence": face.confidence,
        "pose": pose(known.pose) if known else None,
        "quality": quality(known.quality) if known else None,
        "image_id": face.image_id,
        "external_image_id": face.external_image_id,
        "face_model_version": face.model_version,
        "enrolled_at": moment(known.enrolled_at) if known else None,
    }


def photo_search(value: PhotoSearch) -> dict[str, Any]:
    """The answer for one photo that was searched with."""
    return {
        "photo": value.path,
        "status": value.status.value,
        "reason": value.reason,
        "faces": [
            {
                "box": box(face.box),
                "confidence": face.confidence,
                "matches": [match(m) for m in face.matches],
                "reason": face.reason,
            }
            for face in value.faces
        ],
    }


def match(value: PersonMatch) -> dict[str, Any]:
    """A person found; person and photo are null for a face that our records do not know."""
    return {
        "person": person(value.person) if value.person else None,
        "similarity": value.similarity,
        "face_id": value.face_id,
        "photo": (value.photo.path or None) if value.photo else None,
        "agreeing_faces": value.agreeing,
        "enrolled_faces": value.enrolled,
        "margin": value.margin,
        "user_id": value.user_id,
        "false_match_rate": rates.shape(value.false_match_rate),
    }
