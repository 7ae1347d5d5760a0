"""Searching: a photo's face against a collection, and the matches joined to the people in the records."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import zip_longest
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
    def face_counts(self, arn: str, person_ids: Iterable[str]) -> Mapping[str, int]: ...
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
        enrolled = records.face_counts(arn, {face.person.id for face in known.values()})
    faces = tuple(
        SearchedFace(
            face.box,
            face.confidence,
            tuple(by_person(_staying(face.matches, leaving), known, enrolled)[:max_matches]),
            face.reason,
        )
        for face in found
    )
    matched = any(face.matches for face in faces)
    return PhotoSearch(str(path), SearchStatus.MATCHED if matched else SearchStatus.UNMATCHED, faces)


def _staying(matches: Iterable[FaceMatch], leaving: Set[str]) -> list[FaceMatch]:
    """The matches without faces that are to go with a person who is being erased."""
    return [match for match in matches if match.face.face_id not in leaving]


def by_person(
    matches: Iterable[FaceMatch], known: Mapping[str, EnrolledFace], enrolled: Mapping[str, int]
) -> list[PersonMatch]:
    """One match per person, by the best of their faces; faces nobody knows stand for themselves. Best first.

    `enrolled` counts the faces of each known person, by person id.
    """
    groups: dict[str, list[FaceMatch]] = {}
    for match in sorted(matches, key=lambda match: match.similarity, reverse=True):
        whose = known.get(match.face.face_id)
        groups.setdefault(whose.person.id if whose else match.face.face_id, []).append(match)
    ranked = list(groups.values())
    return [
        _one_match(theirs, runner_up[0] if runner_up else None, known, enrolled)
        for theirs, runner_up in zip_longest(ranked, ranked[1:])
    ]


def _one_match(
    theirs: Sequence[FaceMatch],
    runner_up: FaceMatch | None,
    known: Mapping[str, EnrolledFace],
    enrolled: Mapping[str, int],
) -> PersonMatch:
    best = theirs[0]
    whose = known.get(best.face.face_id)
    return PersonMatch(
        person=whose.person if whose else None,
        similarity=best.similarity,
        face_id=best.face.face_id,
        photo=whose.photo if whose else None,
        external_image_id=best.face.external_image_id,
        agreeing=len(theirs),
        enrolled=enrolled.get(whose.person.id) if whose else None,
        margin=best.similarity - runner_up.similarity if runner_up else None,
        box=best.face.box,
    )
