"""Searching: a photo's face against a collection, and the matches joined to the people in the records."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from facesearch import photos
from facesearch.domain import (
    Collection,
    EnrolledFace,
    FaceMatch,
    PersonMatch,
    PhotoSearch,
    SearchedFace,
    SearchStatus,
)
from facesearch.errors import InvalidRequestError, NoFaceError, PhotoError
from facesearch.workflows.every_face import FoundFace, Gateway, search_each

NO_FACE = "it shows no face"


class Records(Protocol):
    """What searching asks of the records."""

    def faces(self, arn: str, face_ids: Sequence[str]) -> Mapping[str, EnrolledFace]: ...
    def being_erased(self, arn: str, external_ids: Mapping[str, str | None]) -> Set[str]: ...


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
    faces: int | None = 1,
    jobs: int = 1,
) -> Generator[PhotoSearch]:
    """Search the largest face of each photo, or so many of them (None is every one).

    The answers come in the photos' order, as soon as they are there.

    A photo without a match, without a face and one that cannot be read are answers of their own; what concerns
    the service as a whole is raised. No more than a few photos per job are in memory. Closing the generator waits
    for the calls under way.
    """

    def ask(path: Path) -> list[FoundFace] | PhotoSearch:
        try:
            if faces == 1:
                return [_largest(gateway, collection.collection_id, path, threshold)]
            found = search_each(
                gateway, each, path, collection.collection_id, threshold=threshold, most=faces
            )
            return found or PhotoSearch(str(path), SearchStatus.NO_FACE, reason=NO_FACE)
        except NoFaceError as exc:
            return PhotoSearch(str(path), SearchStatus.NO_FACE, reason=exc.reason)
        except PhotoError as exc:
            return PhotoSearch(str(path), SearchStatus.UNREADABLE, reason=exc.reason)
        except InvalidRequestError as exc:
            return PhotoSearch(str(path), SearchStatus.UNREADABLE, reason=str(exc))

    def answer(path: Path, asked: Future[list[FoundFace] | PhotoSearch]) -> PhotoSearch:
        result = asked.result()
        if isinstance(result, PhotoSearch):
            return result
        return _joined(database, collection.arn, path, result, max_matches)

    pool = ThreadPoolExecutor(jobs, thread_name_prefix="search")
    each = ThreadPoolExecutor(jobs, thread_name_prefix="face")
    try:
        under_way: deque[tuple[Path, Future[list[FoundFace] | PhotoSearch]]] = deque()
        for path in paths:
            under_way.append((path, pool.submit(ask, path)))
            if len(under_way) > 2 * jobs:
                yield answer(*under_way.popleft())
        while under_way:
            yield answer(*under_way.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        each.shutdown(wait=True, cancel_futures=True)


def _largest(gateway: Gateway, collection_id: str, path: Path, threshold: float) -> FoundFace:
    image = photos.prepare(path).data
    found = gateway.search_faces_by_image(collection_id, image, threshold=threshold)
    return FoundFace(found.box, found.confidence, found.matches)


def _joined(
    database: Database, arn: str, path: Path, found: list[FoundFace], max_matches: int | None
) -> PhotoSearch:
    with database.read() as records:
        known = records.faces(arn, [match.face.face_id for face in found for match in face.matches])
        ids = {match.face.face_id: match.face.external_image_id for face in found for match in face.matches}
        leaving = records.being_erased(arn, ids)
    faces = tuple(
        SearchedFace(
            face.box,
            face.confidence,
            tuple(by_person(_staying(face.matches, leaving), known)[:max_matches]),
            face.reason,
        )
        for face in found
    )
    matched = any(face.matches for face in faces)
    return PhotoSearch(str(path), SearchStatus.MATCHED if matched else SearchStatus.UNMATCHED, faces)


def _staying(matches: Iterable[FaceMatch], leaving: Set[str]) -> list[FaceMatch]:
    """The matches without faces that are to go with a person who is being erased."""
    return [match for match in matches if match.face.face_id not in leaving]


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
