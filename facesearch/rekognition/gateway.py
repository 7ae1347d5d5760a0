"""Collections, their faces, and photos by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import botocore
from botocore.config import Config

from facesearch import __version__
from facesearch.domain import (
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
    UnindexedFace,
)
from facesearch.domain.faces import FaceListing
from facesearch.errors import InvalidRequestError, NoFaceError
from facesearch.metering import Meter
from facesearch.rekognition import answers
from facesearch.rekognition.calling import MAX_PAGE, as_image, batches
from facesearch.rekognition.labels import Labels
from facesearch.rekognition.users import Users
from facesearch.retries import Retries
from facesearch.service_errors import explained

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_rekognition.literals import QualityFilterType

    from facesearch.domain.labels import StoredObject
    from facesearch.settings import Settings

MAX_INDEXED = 100  # faces that one IndexFaces call can store
MAX_IN_FLIGHT = 256  # calls that may wait for their answers at the same time


def client_config(settings: Settings) -> Config:
    """How calls are repeated and how long they may take, pinned: botocore's defaults differ by its version."""
    return Config(
        retries={"mode": "standard", "total_max_attempts": settings.max_attempts},
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_pool_connections=MAX_IN_FLIGHT,  # each opened when it is first needed
        # All of it: what botocore says of itself it puts together twice for each call, a fifth of its time.
        user_agent=f"facesearch/{__version__} Botocore/{botocore.__version__}",
    )


class EachFace(Protocol):
    """Answers of SearchFacesByImage, one for each of the `most` largest faces of an image, out of one look at it.

    Not part of the API; raises botocore's ClientError like a call of it.
    """

    def __call__(
        self, collection_id: str, image: bytes, threshold: float, most: int | None
    ) -> Sequence[Mapping[str, Any]]: ...


class Rekognition(Users, Labels):
    """Rekognition's face collections, over one boto3 client. Safe to share between threads.

    Every method raises the errors of `facesearch.errors` and no other: CollectionNotFoundError and its siblings
    under ServiceError, and ConfigurationError for credentials, rights and region.
    """

    def __init__(self, client: RekognitionClient, each_face: EachFace | None = None) -> None:
        super().__init__(client)
        self._each_face = each_face
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
        image: bytes | StoredObject,
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
                Image=as_image(image),
                ExternalImageId=external_image_id,
                MaxFaces=min(max_faces, MAX_INDEXED),
                QualityFilter=quality_filter,
            )
            return IndexResult(
                records=tuple(
                    FaceRecord(answers.face(record["Face"]), answers.detail(record["FaceDetail"]))
                    for record in answer["FaceRecords"]
                ),
                unindexed=tuple(
                    UnindexedFace(answers.detail(face["FaceDetail"]), tuple(face["Reasons"]))
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
            [parameters] if face_ids is None else ({**parameters, "FaceIds": b} for b in batches(face_ids))
        )
        for request in asked:
            for page in self._pages("list_faces", "ListFaces", collection_id, request):
                with explained("ListFaces", collection_id):
                    faces = [answers.face(face) for face in page["Faces"]]
                yield faces

    def list_faces(self, collection_id: str, face_ids: Sequence[str]) -> FaceListing:
        """Those of the faces, however many, that the collection holds."""
        found: list[Face] = []
        request_id = None
        for batch in batches(face_ids):
            request = {"CollectionId": collection_id, "FaceIds": batch}
            for page in self._pages("list_faces", "ListFaces", collection_id, request):
                with explained("ListFaces", collection_id):
                    found += map(answers.face, page["Faces"])
                    request_id = answers.request_id(page)
        return FaceListing(tuple(found), request_id)

    def delete_faces(self, collection_id: str, face_ids: Sequence[str]) -> FaceDeletion:
        """Delete faces, however many. What stays is in `refused`; a face that is not there is FACE_NOT_FOUND."""
        deleted: list[str] = []
        refused: dict[str, tuple[str, ...]] = {}
        request_id = None
        for batch in batches(face_ids):
            with explained("DeleteFaces", collection_id):
                answer = self._client.delete_faces(CollectionId=collection_id, FaceIds=batch)
                request_id = answers.request_id(answer)
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
            return tuple(map(answers.match, answer["FaceMatches"]))

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
            return answers.image_search(answer)

    def search_each_face(
        self, collection_id: str, image: bytes, *, threshold: float, most: int | None
    ) -> tuple[ImageSearch, ...] | None:
        """The photo's faces, largest first and at most so many, each with what resembles it.

        None where the service looks at no face but the largest, as the API has it.
        """
        if self._each_face is None:
            return None
        with explained("SearchFacesByImage", collection_id):
            found = self._each_face(collection_id, image, threshold, most)
            return tuple(map(answers.image_search, found))

    # --- photos by themselves

    def detect_faces(self, image: bytes) -> tuple[FaceDetail, ...]:
        """The photo's faces, largest first; none is an empty answer."""
        with explained("DetectFaces"):
            answer = self._client.detect_faces(Image={"Bytes": image})
            details = map(answers.detail, answer["FaceDetails"])
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
                source=answers.detail(answer["SourceImageFace"]),
                matches=tuple(
                    ComparedFace(answers.detail(match["Face"]), match["Similarity"])
                    for match in answer["FaceMatches"]
                ),
                unmatched=tuple(
                    ComparedFace(answers.detail(face), None) for face in answer["UnmatchedFaces"]
                ),
            )
