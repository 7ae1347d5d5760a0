"""Searching: a photo's face against a collection, and the matches joined to the people in the records."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from facesearch import photos
from facesearch.domain import (
    Collection,
    EnrolledFace,
    FaceMatch,
    ImageSearch,
    PersonMatch,
    PhotoSearch,
    SearchedFace,
    SearchStatus,
)
from facesearch.errors import InvalidRequestError, NoFaceError, PhotoError


class Gateway(Protocol):
    """What searching asks of Rekognition."""

    def search_faces_by_image(self, collection_id: str, image: bytes, *, threshold: float) -> ImageSearch: ...


class Records(Protocol):
    """What searching asks of the records."""

    def faces(self, arn: str, face_ids: Sequence[str]) -> Mapping[str, EnrolledFace]: ...


class Database(Protocol):
    """Gives transactions that only read."""

    def read(self) -> AbstractContextManager[Records]: ...


def search(
    gateway: Gateway,
    database: Database,
    paths: Iterable[Path],
    collection: Collection,
    *,
    threshold: float,
    max_matches: int | None = None,
    jobs: int = 1,
) -> Generator[PhotoSearch]:
    """Search the largest face of each photo; the answers come in the photos' order, as soon as they are there.

    A photo without a match, without a face and one that cannot be read are answers of their own; what concerns
    the service as a whole is raised. No more than a few photos per job are in memory. Closing the generator waits
    for the calls under way.
    """

    def ask(path: Path) -> ImageSearch | PhotoSearch:
        try:
            image = photos.prepare(path).data
            return gateway.search_faces_by_image(collection.collection_id, image, threshold=threshold)
        except NoFaceError as exc:
            return PhotoSearch(str(path), SearchStatus.NO_FACE, reason=exc.reason)
        except PhotoError as exc:
            return PhotoSearch(str(path), SearchStatus.UNREADABLE, reason=exc.reason)
        except InvalidRequestError as exc:
            return PhotoSearch(str(path), SearchStatus.UNREADABLE, reason=str(exc))

    def answer(path: Path, asked: Future[ImageSearch | PhotoSearch]) -> PhotoSearch:
        result = asked.result()
        if isinstance(result, PhotoSearch):
            return result
        return _joined(database, collection.arn, path, result, max_matches)

    pool = ThreadPoolExecutor(jobs, thread_name_prefix="search")
    try:
        under_way: deque[tuple[Path, Future[ImageSearch | PhotoSearch]]] = deque()
        for path in paths:
            under_way.append((path, pool.submit(ask, path)))
            if len(under_way) > 2 * jobs:
                yield answer(*under_way.popleft())
        while under_way:
            yield answer(*under_way.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _joined(
    database: Database, arn: str, path: Path, found: ImageSearch, max_matches: int | None
) -> PhotoSearch:
    with database.read() as records:
        known = records.faces(arn, [match.face.face_id for match in found.matches])
    matches = by_person(found.matches, known)[:max_matches]
    face = SearchedFace(found.box, found.confidence, tuple(matches))
    return PhotoSearch(str(path), SearchStatus.MATCHED if matches else SearchStatus.UNMATCHED, (face,))


def by_person(matches: Iterable[FaceMatch], known: Mapping[str, EnrolledFace]) -> list[PersonMatch]:
    """One match per person, by the best of their faces; faces nobody knows stand for themselves. Best first."""
    best: dict[str, PersonMatch] = {}
    for match in sorted(matches, key=lambda match: match.similarity, reverse=True):
        face = match.face
        enrolled = known.get(face.face_id)
        best.setdefault(
            enrolled.person.id if enrolled else face.face_id,
            PersonMatch(
                person=enrolled.person if enrolled else None,
                similarity=match.similarity,
                face_id=face.face_id,
                photo=enrolled.photo if enrolled else None,
                external_image_id=face.external_image_id,
            ),
        )
    return list(best.values())
