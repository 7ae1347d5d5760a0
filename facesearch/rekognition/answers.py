"""AWS's shapes to the domain's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from facesearch.domain import Box, Face, FaceDetail, FaceMatch, ImageSearch, Landmark, Pose, Quality
from facesearch.domain.faces import UserMatch

if TYPE_CHECKING:
    from mypy_boto3_rekognition.type_defs import (
        BoundingBoxTypeDef,
        ComparedFaceTypeDef,
        FaceDetailTypeDef,
        FaceMatchTypeDef,
        FaceTypeDef,
    )


def box(given: BoundingBoxTypeDef) -> Box:
    return Box(given["Left"], given["Top"], given["Width"], given["Height"])


def detail(seen: FaceDetailTypeDef | ComparedFaceTypeDef | Any) -> FaceDetail:
    """FaceDetail, ComparedFace and ComparedSourceImageFace: ever fewer members of the same names."""
    pose, quality = seen.get("Pose"), seen.get("Quality")
    return FaceDetail(
        box=box(seen["BoundingBox"]),
        confidence=seen["Confidence"],
        pose=Pose(pose["Roll"], pose["Yaw"], pose["Pitch"]) if pose else None,
        quality=Quality(quality["Brightness"], quality["Sharpness"]) if quality else None,
        landmarks=tuple(Landmark(mark["Type"], mark["X"], mark["Y"]) for mark in seen.get("Landmarks", ())),
    )


def face(held: FaceTypeDef) -> Face:
    return Face(
        face_id=held["FaceId"],
        image_id=held["ImageId"],
        box=box(held["BoundingBox"]),
        confidence=held["Confidence"],
        external_image_id=held.get("ExternalImageId"),
        model_version=held.get("IndexFacesModelVersion"),
        user_id=held.get("UserId"),
    )


def match(found: FaceMatchTypeDef) -> FaceMatch:
    return FaceMatch(face(found["Face"]), found["Similarity"])


def image_search(answer: Mapping[str, Any]) -> ImageSearch:
    return ImageSearch(
        box=box(answer["SearchedFaceBoundingBox"]),
        confidence=answer["SearchedFaceConfidence"],
        matches=tuple(map(match, answer["FaceMatches"])),
        model_version=answer["FaceModelVersion"],
    )


def user_search(answer: Mapping[str, Any]) -> ImageSearch:
    searched = answer["SearchedFace"]["FaceDetail"]
    return ImageSearch(
        box=box(searched["BoundingBox"]),
        confidence=searched["Confidence"],
        matches=(),
        model_version=answer["FaceModelVersion"],
        users=tuple(UserMatch(one["User"]["UserId"], one["Similarity"]) for one in answer["UserMatches"]),
    )


def request_id(answer: Mapping[str, Any]) -> str | None:
    """What the service calls the request in its own log."""
    found: str | None = answer.get("ResponseMetadata", {}).get("RequestId")
    return found
