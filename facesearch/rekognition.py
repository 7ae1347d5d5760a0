"""The gateway: the only caller of the boto3 client. AWS's dicts become the domain's values, its errors ours.

It cannot tell AWS from the embedded engine or any other endpoint, and believes none of them: an answer that is not
what the API says is a ServiceError too. Which errors become which is in `facesearch.service_errors`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from facesearch import __version__
from facesearch.domain import (
    Box,
    Collection,
    ComparedFace,
    Comparison,
    Face,
    FaceDeletion,
    FaceDetail,
    FaceMatch,
    FaceRecord,
    ImageSearch,
    IndexResult,
    Landmark,
    Pose,
    Quality,
    UnindexedFace,
)
from facesearch.domain.faces import FaceListing
from facesearch.errors import InvalidRequestError, NoFaceError
from facesearch.metering import Meter
from facesearch.retries import Retries
from facesearch.service_errors import explained, translated

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_rekognition.literals import QualityFilterType
    from mypy_boto3_rekognition.type_defs import (
        BoundingBoxTypeDef,
        ComparedFaceTypeDef,
        FaceDetailTypeDef,
        FaceMatchTypeDef,
        FaceTypeDef,
    )

    from facesearch.settings import Settings

__all__ = ["MAX_PAGE", "Rekognition", "client_config", "translated"]

MAX_PAGE = 4096  # what one page of ListFaces, one DeleteFaces and one search may hold
MAX_INDEXED = 100  # faces that one IndexFaces call can store
MAX_ASSOCIATED = 100  # faces that one DisassociateFaces call takes
MAX_IN_FLIGHT = 256  # calls that may wait for their answers at the same time


def client_config(settings: Settings) -> Config:
    """How calls are repeated and how long they may take, pinned: botocore's defaults differ by its version."""
    return Config(
        retries={"mode": "standard", "total_max_attempts": settings.max_attempts},
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_pool_connections=MAX_IN_FLIGHT,  # each opened when it is first needed
        user_agent_extra=f"facesearch/{__version__}",
    )


class Rekognition:
    """Rekognition's face collections, over one boto3 client. Safe to share between threads.

    Every method raises the errors of `facesearch.errors` and no other: CollectionNotFoundError and its siblings
    under ServiceError, and ConfigurationError for credentials, rights and region.
    """

    def __init__(self, client: RekognitionClient) -> None:
        self._client = client
        self.meter = Meter(client)
        self.retries = Retries(client)

    @property
    def region(self) -> str:
        """The AWS region that is asked."""
        return self._client.meta.region_name

    # --- collections

    def create_collection(self, collection_id: str) -> None:
        """Raises CollectionExistsError. Describe it for its ARN: the one CreateCollection gives is cut short."""
        with explained("CreateCollection", collection_id):
            self._client.create_collection(CollectionId=collection_id)

    def describe_collection(self, collection_id: str) -> Collection:
        with explained("DescribeCollection", collection_id):
            answer = self._client.describe_collection(CollectionId=collection_id)
            return Collection(
                collection_id=collection_id,
                arn=answer["CollectionARN"],
                model_version=answer["FaceModelVersion"],
                created_at=answer["CreationTimestamp"],
                face_count=answer.get("FaceCount", 0),
                user_count=answer.get("UserCount", 0),
            )

    def list_collections(self) -> Iterator[str]:
        """Every CollectionId, in the service's order."""
        for page in self._pages("list_collections", "ListCollections", None, {}):
            with explained("ListCollections"):
                ids = list(page["CollectionIds"])
            yield from ids

    def delete_collection(self, collection_id: str) -> None:
        """Delete it with every face in it."""
        with explained("DeleteCollection", collection_id):
            self._client.delete_collection(CollectionId=collection_id)

    # --- faces in a collection

    def index_faces(
        self,
        collection_id: str,
        image: bytes,
        external_image_id: str,
        *,
        max_faces: int,
        quality_filter: QualityFilterType = "AUTO",
    ) -> IndexResult:
        """Store the photo's faces, at most `max_faces`, largest first. No face is an empty answer.

        A ServiceError raised here says how often the call was tried and how long it took.
        """
        with self.retries.counted(), explained("IndexFaces", collection_id):
            answer = self._client.index_faces(
                CollectionId=collection_id,
                Image={"Bytes": image},
                ExternalImageId=external_image_id,
                MaxFaces=min(max_faces, MAX_INDEXED),
                QualityFilter=quality_filter,
            )
            return IndexResult(
                records=tuple(
                    FaceRecord(_face(record["Face"]), _detail(record["FaceDetail"]))
                    for record in answer["FaceRecords"]
                ),
                unindexed=tuple(
                    UnindexedFace(_detail(face["FaceDetail"]), tuple(face["Reasons"]))
                    for face in answer.get("UnindexedFaces", ())
                ),
                model_version=answer["FaceModelVersion"],
                call=self.retries.last(answer.get("ResponseMetadata", {}).get("RequestId")),
            )

    def pages_of_faces(
        self, collection_id: str, face_ids: Sequence[str] | None = None
    ) -> Iterator[list[Face]]:
        """The collection's faces, or those of them with the given ids, up to MAX_PAGE at a time."""
        parameters: dict[str, Any] = {"CollectionId": collection_id}
        asked = (
            [parameters] if face_ids is None else ({**parameters, "FaceIds": b} for b in _batches(face_ids))
        )
        for request in asked:
            for page in self._pages("list_faces", "ListFaces", collection_id, request):
                with explained("ListFaces", collection_id):
                    faces = [_face(face) for face in page["Faces"]]
                yield faces

    def list_faces(self, collection_id: str, face_ids: Sequence[str]) -> FaceListing:
        """Those of the faces, however many, that the collection holds."""
        found: list[Face] = []
        request_id = None
        for batch in _batches(face_ids):
            request = {"CollectionId": collection_id, "FaceIds": batch}
            for page in self._pages("list_faces", "ListFaces", collection_id, request):
                with explained("ListFaces", collection_id):
                    found += map(_face, page["Faces"])
                    request_id = _request_id(page)
        return FaceListing(tuple(found), request_id)

    def delete_faces(self, collection_id: str, face_ids: Sequence[str]) -> FaceDeletion:
        """Delete faces, however many. What stays is in `refused`; a face that is not there is FACE_NOT_FOUND."""
        deleted: list[str] = []
        refused: dict[str, tuple[str, ...]] = {}
        request_id = None
        for batch in _batches(face_ids):
            with explained("DeleteFaces", collection_id):
                answer = self._client.delete_faces(CollectionId=collection_id, FaceIds=batch)
                request_id = _request_id(answer)
                deleted += answer["DeletedFaces"]
                for face in answer.get("UnsuccessfulFaceDeletions", ()):
                    refused[face["FaceId"]] = tuple(face["Reasons"])
        return FaceDeletion(tuple(deleted), refused, request_id)

    def search_faces(
        self, collection_id: str, face_id: str, *, threshold: float, max_faces: int = MAX_PAGE
    ) -> tuple[FaceMatch, ...]:
        """The other faces of the collection that resemble one of its own, best first."""
        with explained("SearchFaces", collection_id):
            answer = self._client.search_faces(
                CollectionId=collection_id,
                FaceId=face_id,
                FaceMatchThreshold=threshold,
                MaxFaces=max_faces,
            )
            return tuple(map(_match, answer["FaceMatches"]))

    def search_faces_by_image(
        self, collection_id: str, image: bytes, *, threshold: float, max_faces: int = MAX_PAGE
    ) -> ImageSearch:
        """The faces that resemble the photo's largest one, best first. Raises NoFaceError."""
        with explained("SearchFacesByImage", collection_id):
            answer = self._client.search_faces_by_image(
                CollectionId=collection_id,
                Image={"Bytes": image},
                FaceMatchThreshold=threshold,
                MaxFaces=max_faces,
            )
            return ImageSearch(
                box=_box(answer["SearchedFaceBoundingBox"]),
                confidence=answer["SearchedFaceConfidence"],
                matches=tuple(map(_match, answer["FaceMatches"])),
                model_version=answer["FaceModelVersion"],
            )

    # --- users: faces of a collection under one UserId

    def list_users(self, collection_id: str) -> Iterator[str]:
        """Every UserId of a collection, in the service's order."""
        for page in self._pages(
            "list_users", "ListUsers", collection_id, {"CollectionId": collection_id}, 500
        ):
            with explained("ListUsers", collection_id):
                ids = [user["UserId"] for user in page["Users"]]
            yield from ids

    def faces_of_user(self, collection_id: str, user_id: str) -> list[Face]:
        """The faces of a user, 100 at most. A user that is not there raises CollectionNotFoundError."""
        request = {"CollectionId": collection_id, "UserId": user_id}
        faces: list[Face] = []
        for page in self._pages("list_faces", "ListFaces", collection_id, request):
            with explained("ListFaces", collection_id):
                faces += map(_face, page["Faces"])
        return faces

    def delete_user(self, collection_id: str, user_id: str) -> str | None:
        """Delete a user, whose faces stay and are nobody's. Returns the request id.

        A user that is not there raises CollectionNotFoundError: the service says no more than that.
        """
        with explained("DeleteUser", collection_id):
            return _request_id(self._client.delete_user(CollectionId=collection_id, UserId=user_id))

    def disassociate_faces(self, collection_id: str, user_id: str, face_ids: Sequence[str]) -> str | None:
        """Take faces from a user. Returns the request id of the last call. Raises what delete_user raises."""
        request_id = None
        for batch in _batches(face_ids, MAX_ASSOCIATED):
            with explained("DisassociateFaces", collection_id):
                request_id = _request_id(
                    self._client.disassociate_faces(CollectionId=collection_id, UserId=user_id, FaceIds=batch)
                )
        return request_id

    # --- photos by themselves

    def detect_faces(self, image: bytes) -> tuple[FaceDetail, ...]:
        """The photo's faces, largest first; none is an empty answer."""
        with explained("DetectFaces"):
            answer = self._client.detect_faces(Image={"Bytes": image})
            details = map(_detail, answer["FaceDetails"])
            return tuple(sorted(details, key=lambda detail: detail.box.area, reverse=True))

    def compare_faces(self, source: bytes, target: bytes, *, threshold: float) -> Comparison:
        """The source's largest face against every face of the target.

        Raises NoFaceError, whose `photo` is "source" or "target". The service says no more than that a parameter
        is wrong when either shows no face, so that both are looked at again before it is taken at its word.
        """
        try:
            return self._compare_faces(source, target, threshold)
        except InvalidRequestError:
            for name, image in (("source", source), ("target", target)):
                if not self.detect_faces(image):
                    raise NoFaceError("it shows no face", name) from None
            raise

    def _compare_faces(self, source: bytes, target: bytes, threshold: float) -> Comparison:
        with explained("CompareFaces"):
            answer = self._client.compare_faces(
                SourceImage={"Bytes": source}, TargetImage={"Bytes": target}, SimilarityThreshold=threshold
            )
            return Comparison(
                source=_detail(answer["SourceImageFace"]),
                matches=tuple(
                    ComparedFace(_detail(match["Face"]), match["Similarity"])
                    for match in answer["FaceMatches"]
                ),
                unmatched=tuple(ComparedFace(_detail(face), None) for face in answer["UnmatchedFaces"]),
            )

    def _pages(
        self,
        method: str,
        operation: str,
        collection_id: str | None,
        parameters: Mapping[str, Any],
        size: int = MAX_PAGE,
    ) -> Iterator[Any]:
        with explained(operation, collection_id):
            paginator: Any = self._client.get_paginator(method)  # type: ignore[call-overload]
            pages = iter(paginator.paginate(**parameters, PaginationConfig={"PageSize": size}))
        while True:
            with explained(operation, collection_id):
                page = next(pages, None)
            if page is None:
                return
            yield page


def _batches(face_ids: Iterable[str], size: int = MAX_PAGE) -> Iterator[list[str]]:
    rest = iter(dict.fromkeys(face_ids))
    while batch := list(islice(rest, size)):
        yield batch


def _request_id(answer: Mapping[str, Any]) -> str | None:
    """What the service calls the request in its own log."""
    request_id: str | None = answer.get("ResponseMetadata", {}).get("RequestId")
    return request_id


# --- AWS's shapes to the domain's ---------------------------------------------------------------------------


def _box(box: BoundingBoxTypeDef) -> Box:
    return Box(box["Left"], box["Top"], box["Width"], box["Height"])


def _detail(seen: FaceDetailTypeDef | ComparedFaceTypeDef | Any) -> FaceDetail:
    """FaceDetail, ComparedFace and ComparedSourceImageFace: ever fewer members of the same names."""
    pose, quality = seen.get("Pose"), seen.get("Quality")
    return FaceDetail(
        box=_box(seen["BoundingBox"]),
        confidence=seen["Confidence"],
        pose=Pose(pose["Roll"], pose["Yaw"], pose["Pitch"]) if pose else None,
        quality=Quality(quality["Brightness"], quality["Sharpness"]) if quality else None,
        landmarks=tuple(Landmark(mark["Type"], mark["X"], mark["Y"]) for mark in seen.get("Landmarks", ())),
    )


def _face(face: FaceTypeDef) -> Face:
    return Face(
        face_id=face["FaceId"],
        image_id=face["ImageId"],
        box=_box(face["BoundingBox"]),
        confidence=face["Confidence"],
        external_image_id=face.get("ExternalImageId"),
        model_version=face.get("IndexFacesModelVersion"),
        user_id=face.get("UserId"),
    )


def _match(match: FaceMatchTypeDef) -> FaceMatch:
    return FaceMatch(_face(match["Face"]), match["Similarity"])
