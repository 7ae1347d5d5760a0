"""Searching more than the largest face of a photo: in one look where the service can, else each cut out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from facesearch import cropping, photos
from facesearch.domain import Box, FaceDetail, FaceMatch, GivenPhoto, ImageSearch
from facesearch.domain.faces import UserMatch
from facesearch.domain.searching import By
from facesearch.errors import InvalidRequestError, NoFaceError

SAME_FACE = 0.3  # intersection over union of the face that was meant and the one that was searched


class Gateway(Protocol):
    """What searching every face asks of Rekognition."""

    def search_each_face(
        self, collection_id: str, image: bytes, *, threshold: float, most: int | None
    ) -> tuple[ImageSearch, ...] | None: ...
    def detect_faces(self, image: bytes) -> tuple[FaceDetail, ...]: ...
    def search_faces_by_image(self, collection_id: str, image: bytes, *, threshold: float) -> ImageSearch: ...
    def search_users_by_image(self, collection_id: str, image: bytes, *, threshold: float) -> ImageSearch: ...


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face of a photo and what the collection holds like it; `reason` says why it could not be searched."""

    box: Box
    confidence: float
    matches: tuple[FaceMatch, ...] = ()
    reason: str | None = None
    users: tuple[UserMatch, ...] = ()


def search_largest(
    gateway: Gateway, by: By, image: bytes, collection_id: str, threshold: float
) -> ImageSearch:
    """The largest face of an image, and the faces or users of the collection that resemble it."""
    search = gateway.search_users_by_image if by is By.USER else gateway.search_faces_by_image
    return search(collection_id, image, threshold=threshold)


def search_each(
    gateway: Gateway,
    pool: ThreadPoolExecutor,
    by: By,
    photo: Path | GivenPhoto,
    image: bytes,
    collection_id: str,
    *,
    threshold: float,
    most: int | None,
) -> list[FoundFace]:
    """The faces of a photo, largest first and at most so many, each with what the collection holds like it.

    A service that searches only the largest face takes one call of DetectFaces, and one of SearchFacesByImage (or
    SearchUsersByImage) for each face, in threads of `pool`. `image` is the photo as it is sent. A photo without
    faces gives none. Raises PhotoError for one that cannot be read, and what the gateway raises.
    """
    if (
        by is By.FACE
        and (seen := gateway.search_each_face(collection_id, image, threshold=threshold, most=most))
        is not None
    ):
        return [FoundFace(face.box, face.confidence, face.matches) for face in seen]
    details = gateway.detect_faces(image)
    if not details:
        return []
    picture = photos.open_upright(photo)
    boxes = [detail.box for detail in details]

    def searched(index: int) -> FoundFace:
        others = [box for place, box in enumerate(boxes) if place != index]
        crop = cropping.cut_out(picture, boxes[index], others)
        return _search(gateway, by, collection_id, details[index], crop, threshold)

    return list(pool.map(searched, range(len(details))[:most]))


def _search(
    gateway: Gateway, by: By, collection_id: str, detail: FaceDetail, crop: cropping.Crop, threshold: float
) -> FoundFace:
    try:
        found = search_largest(gateway, by, crop.data, collection_id, threshold)
    except NoFaceError:
        return _passed_over(detail, "it is too small or too poor to be searched by itself")
    except InvalidRequestError as exc:
        return _passed_over(detail, str(exc))
    if _overlap(crop.in_photo(found.box), detail.box) < SAME_FACE:
        return _passed_over(detail, "another face lies over it")
    return FoundFace(detail.box, detail.confidence, found.matches, users=found.users)


def _passed_over(detail: FaceDetail, reason: str) -> FoundFace:
    return FoundFace(detail.box, detail.confidence, reason=reason)


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0..1."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    common = max(0.0, width) * max(0.0, height)
    return common / (one.area + other.area - common) if common else 0.0
