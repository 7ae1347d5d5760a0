"""Asking: faces of a collection are searched for in it, and whose each face is says which answers are right."""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import islice, zip_longest
from typing import NamedTuple, Protocol

from facesearch.domain import Collection, EnrolledFace, FaceMatch
from facesearch.domain.calibration import RULE_OF_THREE, Calibration, Measured, NearPair, pairs, people_for
from facesearch.errors import InvalidRequestError, UsageError
from facesearch.workflows.calibrating.counting import Answer, Counting
from facesearch.workflows.pacing import Pace
from facesearch.workflows.threads import in_order

LEAST_PEOPLE = 4  # fewer make no more than three pairs, in which nothing can be told
MOST_MATCHES = 4096  # that one search answers
SHOWN_PAIRS = 3

_Asked = tuple[FaceMatch, ...] | InvalidRequestError


class Gateway(Protocol):
    """What calibrating asks of Rekognition."""

    def search_faces(
        self, collection_id: str, face_id: str, *, threshold: float, max_faces: int
    ) -> tuple[FaceMatch, ...]: ...


class Records(Protocol):
    """What calibrating asks of the records."""

    def whose_faces(self, arn: str) -> Iterator[tuple[str, str]]: ...
    def faces(self, arn: str, face_ids: Sequence[str]) -> Mapping[str, EnrolledFace]: ...
    def save_calibration(self, arn: str, calibration: Calibration) -> None: ...


class Database(Protocol):
    """Gives transactions that write, and ones that only read."""

    def begin(self) -> AbstractContextManager[Records]: ...
    def read(self) -> AbstractContextManager[Records]: ...


class _Near(NamedTuple):
    """A face and the most similar one of another person."""

    similarity: float
    people: tuple[int, int]
    faces: tuple[str, str]


def chosen(database: Database, collection: Collection, most: int) -> list[str]:
    """The faces to ask about: of every person one, at random, then of every person another, at most so many.

    The same collection gives the same faces. Raises UsageError for one with too few people on record.
    """
    with database.read() as records:
        by_person: defaultdict[str, list[str]] = defaultdict(list)
        for face_id, person_id in records.whose_faces(collection.arn):
            by_person[person_id].append(face_id)
    check_people(collection, len(by_person))
    chance = random.Random(0)  # noqa: S311 - a fair sample, and no secret
    people = [chance.sample(faces, min(len(faces), most)) for faces in by_person.values()]
    chance.shuffle(people)
    turns = zip_longest(*people)
    return list(islice((face for turn in turns for face in turn if face is not None), most))


def calibrate(
    gateway: Gateway,
    database: Database,
    collection: Collection,
    *,
    most: int,
    jobs: int,
    pace: Pace,
    on_face: Callable[[], None] | None = None,
) -> Measured:
    """Search for at most `most` faces of the collection in it, and keep what that says of similarities.

    One call of SearchFaces for each. Raises UsageError for a collection with too few people.
    """
    faces = chosen(database, collection, most)
    with database.read() as records:
        names: dict[str, int] = {}
        whose = {
            face_id: names.setdefault(person_id, len(names))
            for face_id, person_id in records.whose_faces(collection.arn)
        }
    counting = Counting(Counter(whose.values()))
    near: list[_Near] = []
    refused: list[InvalidRequestError] = []
    for face_id, matches in _asked(gateway, collection.collection_id, faces, jobs, pace):
        if isinstance(matches, InvalidRequestError):
            refused.append(matches)
        else:
            counting.add(_answer(face_id, matches, whose))
            near += _nearest(face_id, matches, whose)
        if on_face:
            on_face()
    if refused and not counting.faces:
        raise refused[0]
    check_people(collection, counting.people)
    calibration = Calibration(
        model_version=collection.model_version,
        made_at=datetime.now(UTC),
        faces=counting.faces,
        people=counting.people,
        comparisons=counting.comparisons,
        own=counting.own,
        own_people=counting.own_people,
        points=tuple(counting.points()),
    )
    with database.begin() as records:
        records.save_calibration(collection.arn, calibration)
        return Measured(calibration, tuple(_shown(records, collection.arn, near)), len(refused))


def check_people(collection: Collection, people: int) -> None:
    """Raise UsageError for a collection in which nothing can be told."""
    if people < LEAST_PEOPLE:
        raise UsageError(
            f"collection {collection.collection_id} has faces of {people} people on record, and it takes "
            f"{LEAST_PEOPLE} to tell anything: enrol more people. {too_few(1e-3, people)}"
        )


def too_few(rate: float, people: int) -> str:
    """Why so many people cannot tell of so low a rate, in plain words."""
    return (
        f"A false-match rate of {rate:g} takes {people_for(rate):,} people: {people:,} make {pairs(people):,} "
        f"pairs, and where none of n pairs is wrong there is still room for {RULE_OF_THREE:g} in n"
    )


def _asked(
    gateway: Gateway, collection_id: str, faces: Iterable[str], jobs: int, pace: Pace
) -> Iterator[tuple[str, _Asked]]:
    """Each face with what the collection answers; for one that it does not hold that is a refusal."""

    def ask(face_id: str) -> _Asked:
        pace.turn()
        try:
            return gateway.search_faces(collection_id, face_id, threshold=0, max_faces=MOST_MATCHES)
        except InvalidRequestError as exc:
            return exc

    return in_order(ask, faces, jobs, "calibrate", pace.stop)


def _answer(face_id: str, matches: Sequence[FaceMatch], whose: Mapping[str, int]) -> Answer:
    """The best similarity of each person on record; faces that nobody knows say nothing."""
    best: dict[int, float] = {}
    for match in matches:
        person = whose.get(match.face.face_id)
        if person is not None:
            best[person] = max(match.similarity, best.get(person, 0.0))
    cut_off = len(matches) >= MOST_MATCHES
    return Answer(whose[face_id], best, min(match.similarity for match in matches) if cut_off else None)


def _nearest(face_id: str, matches: Iterable[FaceMatch], whose: Mapping[str, int]) -> list[_Near]:
    """The face of another person that is most like this one, if there is any."""
    person = whose[face_id]
    for match in matches:
        other = whose.get(match.face.face_id)
        if other is not None and other != person:
            both = (min(person, other), max(person, other))
            return [_Near(match.similarity, both, (face_id, match.face.face_id))]
    return []


def _shown(records: Records, arn: str, near: Iterable[_Near]) -> Iterator[NearPair]:
    """The pairs of people most alike, each once, with who they are and the photos."""
    best: dict[tuple[int, int], _Near] = {}
    for one in near:
        if one.people not in best or one.similarity > best[one.people].similarity:
            best[one.people] = one
    shown = heapq.nlargest(SHOWN_PAIRS, best.values())
    known = records.faces(arn, [face_id for one in shown for face_id in one.faces])
    for one in shown:
        first, second = (known.get(face_id) for face_id in one.faces)
        if first and second:
            yield NearPair(one.similarity, (first.person, second.person), (first.photo, second.photo))
