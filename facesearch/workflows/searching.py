"""Searching: a photo's face against a collection, and the matches joined to the people in the records."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
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
    Person,
    PersonMatch,
    PhotoSearch,
    SearchedFace,
    SearchStatus,
)
from facesearch.domain.adoption import user_person
from facesearch.domain.faces import UserMatch
from facesearch.domain.searching import By
from facesearch.errors import InvalidRequestError, NoFaceError, PhotoError
from facesearch.workflows.every_face import FoundFace, Gateway, search_each, search_largest
from facesearch.workflows.threads import in_order

NO_FACE = "it shows no face"

_Asked = tuple[PhotoSearch, list[FoundFace]]  # a photo without faces, and those that the service found in it


class Records(Protocol):
    """What searching asks of the records."""

    def faces(self, arn: str, face_ids: Sequence[str]) -> Mapping[str, EnrolledFace]: ...
    def people_by_id(self, ids: Sequence[str]) -> Mapping[str, Person]: ...
    def erased_people(self, person_ids: Sequence[str]) -> Set[str]: ...
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
    by: By = By.FACE,
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
                one = search_largest(gateway, by, prepared.data, collection.collection_id, threshold)
                return empty, [FoundFace(one.box, one.confidence, one.matches, users=one.users)]
            found = search_each(
                gateway,
                each,
                by,
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

    with (
        ThreadPoolExecutor(jobs, thread_name_prefix="face") as each,
        closing(in_order(ask, given, jobs, "search")) as answers,
    ):
        for _, (empty, found) in answers:
            yield _joined(database, collection.arn, empty, found, max_matches) if found else empty


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
    if any(face.users for face in found):
        faces = _as_users(database, arn, found, max_matches)
    matched = any(face.matches for face in faces)
    return replace(photo, status=SearchStatus.MATCHED if matched else SearchStatus.UNMATCHED, faces=faces)


def _as_users(
    database: Database, arn: str, found: list[FoundFace], max_matches: int | None
) -> tuple[SearchedFace, ...]:
    """Whom the users are: the person with that id, or who was adopted from a user of another program."""
    ids = {user.user_id: user_person(arn, user.user_id) for face in found for user in face.users}
    with database.read() as records:
        known = records.people_by_id([*ids, *ids.values()])
        leaving = records.erased_people(list(ids))
        enrolled = records.face_counts(arn, {person.id for person in known.values()})
    people = {user_id: known.get(user_id) or known.get(adopted) for user_id, adopted in ids.items()}

    def matches(users: Sequence[UserMatch]) -> Iterator[PersonMatch]:
        for user, runner_up in zip_longest(users, users[1:]):
            person = people[user.user_id]
            yield PersonMatch(
                person=person,
                similarity=user.similarity,
                face_id=None,
                photo=None,
                agreeing=None,
                enrolled=enrolled.get(person.id) if person else None,
                margin=user.similarity - runner_up.similarity if runner_up else None,
                user_id=user.user_id,
            )

    return tuple(
        SearchedFace(
            face.box,
            face.confidence,
            tuple(matches([user for user in face.users if user.user_id not in leaving]))[:max_matches],
            face.reason,
        )
        for face in found
    )


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
