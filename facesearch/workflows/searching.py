"""Searching: a photo's face against a collection, and the matches joined to the people in the records."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Protocol

from facesearch import photos
from facesearch.domain import (
    Collection,
    EnrolledFace,
    FaceMatch,
    GivenPhoto,
    PersonMatch,
    PhotoSearch,
    SearchedFace,
    SearchStatus,
)
from facesearch.errors import InvalidRequestError, NoFaceError, PhotoError
from facesearch.workflows.every_face import FoundFace, Gateway, search_each

NO_FACE = "it shows no face"

_Asked = tuple[PhotoSearch, list[FoundFace]]  # a photo without faces, and those that the service found in it


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
    given: Iterable[Path | GivenPhoto],
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

    def ask(photo: Path | GivenPhoto) -> _Asked:
        """What the service says of a photo; no face of it where there is a reason."""
        empty = PhotoSearch(
            str(photo), SearchStatus.NO_FACE, given=photo if isinstance(photo, GivenPhoto) else None
        )
        try:
            prepared = photos.prepare(photo)
            empty = replace(empty, sha256=prepared.sha256)
            if faces == 1:
                return empty, [_largest(gateway, collection.collection_id, prepared.data, threshold)]
            found = search_each(
                gateway,
                each,
                photo,
                prepared.data,
                collection.collection_id,
                threshold=threshold,
                most=faces,
            )
            return (empty if found else replace(empty, reason=NO_FACE)), found
        except NoFaceError as exc:
            return replace(empty, reason=exc.reason), []
        except PhotoError as exc:
            return replace(empty, status=SearchStatus.UNREADABLE, reason=exc.reason), []
        except InvalidRequestError as exc:
            return replace(empty, status=SearchStatus.UNREADABLE, reason=str(exc)), []

    def answer(asked: Future[_Asked]) -> PhotoSearch:
        empty, found = asked.result()
        return _joined(database, collection.arn, empty, found, max_matches) if found else empty

    pool = ThreadPoolExecutor(jobs, thread_name_prefix="search")
    each = ThreadPoolExecutor(jobs, thread_name_prefix="face")
    try:
        under_way: deque[Future[_Asked]] = deque()
        for photo in given:
            under_way.append(pool.submit(ask, photo))
            if len(under_way) > 2 * jobs:
                yield answer(under_way.popleft())
        while under_way:
            yield answer(under_way.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        each.shutdown(wait=True, cancel_futures=True)


def _largest(gateway: Gateway, collection_id: str, image: bytes, threshold: float) -> FoundFace:
    found = gateway.search_faces_by_image(collection_id, image, threshold=threshold)
    return FoundFace(found.box, found.confidence, found.matches)


def _joined(
    database: Database, arn: str, photo: PhotoSearch, found: list[FoundFace], max_matches: int | None
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
    return replace(photo, status=SearchStatus.MATCHED if matched else SearchStatus.UNMATCHED, faces=faces)


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
