"""Faces in the words of Rekognition's answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facesearch.engine.drafted import Picture
    from facesearch.engine.storage import StoredFace
    from facesearch.engine.vision.recognizer import SeenFace

# Rekognition names eyes by the side of the picture that they are on when the head is upright. The recognizer's
# points are the outer and inner corner of one eye, the same of the eye left of it, and the base of the nose.
_LANDMARKS = {"eyeLeft": (2, 3), "eyeRight": (0, 1), "nose": (4,)}
_EYE_CORNERS = {"leftEyeLeft": (2,), "leftEyeRight": (3,), "rightEyeLeft": (1,), "rightEyeRight": (0,)}


def face_detail(face: SeenFace, image: Picture, attributes: Sequence[str] = ()) -> dict[str, Any]:
    """FaceDetail: everything that was computed of a face. ALL adds the corners of the eyes."""
    landmarks = _LANDMARKS | _EYE_CORNERS if "ALL" in attributes else _LANDMARKS
    return {
        "BoundingBox": seen_box(face, image),
        "Confidence": float(face.confidence),
        "Landmarks": [_landmark(name, face, points, image) for name, points in landmarks.items()],
        "Pose": {"Roll": float(face.roll), "Yaw": float(face.yaw), "Pitch": float(face.pitch)},
        "Quality": {"Brightness": float(face.brightness), "Sharpness": float(face.sharpness)},
    }


def seen_box(face: SeenFace, image: Picture) -> dict[str, float]:
    """BoundingBox of a face just seen, in ratios of the upright image."""
    return _box(
        float(face.left) / image.width,
        float(face.top) / image.height,
        float(face.width) / image.width,
        float(face.height) / image.height,
    )


def stored_face(face: StoredFace) -> dict[str, Any]:
    """Face: what a collection keeps of a face, but for its vector."""
    return {
        "FaceId": face.face_id,
        "BoundingBox": _box(face.left, face.top, face.width, face.height),
        "ImageId": face.image_id,
        "ExternalImageId": face.external_image_id,
        "Confidence": face.confidence,
        "IndexFacesModelVersion": face.model_version,
        "UserId": face.user_id,
    }


def _box(left: float, top: float, width: float, height: float) -> dict[str, float]:
    return {"Width": width, "Height": height, "Left": left, "Top": top}


def _landmark(name: str, face: SeenFace, points: tuple[int, ...], image: Picture) -> dict[str, Any]:
    x, y = face.points[list(points)].mean(axis=0)
    return {"Type": name, "X": float(x) / image.width, "Y": float(y) / image.height}
