"""What every call stands on: the client, pages of a listing, and requests of so many faces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from facesearch.service_errors import explained

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_rekognition.type_defs import ImageTypeDef, S3ObjectTypeDef

    from facesearch.domain.labels import StoredObject

MAX_PAGE = 4096  # what one page of ListFaces, one DeleteFaces and one search may hold


class Calling:
    """One boto3 client, safe to share between threads."""

    def __init__(self, client: RekognitionClient) -> None:
        self._client = client

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


def as_image(image: bytes | StoredObject) -> ImageTypeDef:
    """An image as a call takes it: with the call, or in S3, where the service reads it itself."""
    if isinstance(image, bytes):
        return {"Bytes": image}
    place: S3ObjectTypeDef = {"Bucket": image.bucket, "Name": image.key}
    if image.version:
        place["Version"] = image.version
    return {"S3Object": place}


def batches(face_ids: Iterable[str], size: int = MAX_PAGE) -> Iterator[list[str]]:
    rest = iter(dict.fromkeys(face_ids))
    while batch := list(islice(rest, size)):
        yield batch
