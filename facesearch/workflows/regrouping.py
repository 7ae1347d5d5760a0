"""Merging people who are one, and splitting off photos that are somebody else's.

In one transaction everything on record moves, and what the collections must do about it is written down as
changes: faces leave users, faces that would stand twice for a photo go, emptied users go. Then the changes are
made and the faces are given to the users of their people, as after an enrolment. Whoever dies in between has lost
nothing: the next enrolment or repair of the collection makes what is left, and so does merging once more.

A collection keeps saying whose a photo was when it was sent; whoever reads that asks the records who it is by now.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

from facesearch import photos
from facesearch.domain import Collection, Person
from facesearch.domain.adoption import is_person_id
from facesearch.domain.calibration import Calibration
from facesearch.domain.regrouping import Dropped, Former, MergePlan, Moved, Regrouping
from facesearch.errors import PhotoError, ServiceError, UsageError
from facesearch.workflows import collections, people
from facesearch.workflows.enrolling.work import lasting
from facesearch.workflows.person_files import person_name
from facesearch.workflows.reading import is_stored
from facesearch.workflows.reconciling import ports, users

_FACE_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Records(people.Records, ports.Records, Protocol):
    """What is asked of the records."""

    def merge_person(self, kept_id: str, other_id: str) -> Moved: ...
    def split_faces(self, person_id: str, numbers: Sequence[int], to_id: str) -> Moved: ...
    def face_numbers(
        self, person_id: str, *, face_id: str | None = ..., sha256: str | None = ..., path: str | None = ...
    ) -> list[int]: ...
    def face_total(self, person_id: str) -> int: ...
    def add_person(self, name: str) -> Person: ...
    def formerly(self, person_ids: Sequence[str]) -> Mapping[str, Sequence[Former]]: ...
    def edit_person(
        self,
        person_id: str,
        name: str | None = ...,
        key: str | None = ...,
        attributes: Mapping[str, object] | None = ...,
        notes: str | None = ...,
    ) -> Person: ...
    def collections_of(self, person_id: str) -> list[Collection]: ...
    def calibrations(self, arn: str) -> list[Calibration]: ...


class Database(Protocol):
    """Gives transactions that write, and ones that only read."""

    def begin(self) -> AbstractContextManager[Records]: ...
    def read(self) -> AbstractContextManager[Records]: ...


class _Photo(NamedTuple):
    """A photo as it was asked for: by FaceId, or by its content and by where it was."""

    said: str
    face_id: str | None = None
    sha256: str | None = None
    path: str | None = None


def plan_merge(database: Database, kept: str, others: Sequence[str]) -> MergePlan:
    """Whom a merge would join, and what would give way. Raises UsageError."""
    with database.read() as records:
        person, rest = _who(records, kept, others)
        _, dropped = _united(person, rest)
        return MergePlan(records.summary(person.id), tuple(records.summary(one.id) for one in rest), dropped)


def merge(gateway: ports.Gateway, database: Database, kept: str, others: Sequence[str]) -> Regrouping:
    """Make everything of the others the kept person's. Raises UsageError, before anything is changed.

    Somebody who was merged into the kept person before is passed over, and what was left of that is done.
    """
    with database.begin() as records:
        person, rest = _who(records, kept, others)
        united, dropped = _united(person, rest)
        moved = _sum([records.merge_person(person.id, one.id) for one in rest])
        records.edit_person(person.id, key=united.key, attributes=united.attributes, notes=united.notes)
    waiting, calibrated = _followed(gateway, database, [person.id])
    with database.read() as records:
        summary = records.summary(person.id)
    merged = tuple(Former(one.id, one.name, one.key) for one in rest)
    return Regrouping(summary, moved, merged, None, dropped, waiting, calibrated if rest else ())


def split(
    gateway: ports.Gateway, database: Database, ref: str, asked: Sequence[Path | str], to: str
) -> Regrouping:
    """Make photos of a person somebody else's. Raises UsageError, before anything is changed."""
    wanted = [_asked(str(one)) for one in asked]
    with database.begin() as records:
        person = people.find(records, ref)
        numbers = {number for one in wanted for number in _numbers(records, person, one)}
        if len(numbers) == records.face_total(person.id):
            raise UsageError(
                f"nothing would be left of {person.name}: to give everything to somebody on record use "
                "`facesearch person merge`, and to call them otherwise `facesearch person edit --name`"
            )
        other = _target(records, to)
        if other.id == person.id:
            raise UsageError(f"the photos are those of {person.name} already: name somebody else with --to")
        moved = records.split_faces(person.id, sorted(numbers), other.id)
    waiting, calibrated = _followed(gateway, database, [person.id, other.id])
    with database.read() as records:
        after, left = records.summary(other.id), records.summary(person.id)
    return Regrouping(after, moved, (), left, (), waiting, calibrated)


def _who(records: Records, kept: str, others: Sequence[str]) -> tuple[Person, list[Person]]:
    """The person who is kept, and those who are not merged into them yet."""
    person = people.find(records, kept)
    rest: dict[str, Person] = {}
    for ref in others:
        other = people.find(records, ref)
        if other.id in rest or (other.id == person.id and _is_called(other, ref)):
            raise UsageError(
                f"{ref!r} is {rest.get(other.id, person).name}, who is named twice: name each once"
            )
        if other.id != person.id:
            rest[other.id] = other
    return person, list(rest.values())


def _is_called(person: Person, ref: str) -> bool:
    """Whether a reference is the person's own, and not that of somebody who was merged into them."""
    return not {ref, unicodedata.normalize("NFC", ref)}.isdisjoint({person.id, person.key, person.name})


def _united(kept: Person, others: Sequence[Person]) -> tuple[Person, tuple[Dropped, ...]]:
    """What is on record of the kept person after a merge, and what is not any more."""
    key, notes, attributes = kept.key, kept.notes, dict(kept.attributes)
    dropped: list[Dropped] = []
    for one in others:
        key = key or one.key
        for name, value in one.attributes.items():
            if attributes.setdefault(name, value) != value:
                dropped.append(Dropped(one.id, f"attribute {name}", value))
        notes = notes or one.notes
        if one.notes and one.notes != notes:
            dropped.append(Dropped(one.id, "notes", one.notes))
    return replace(kept, key=key, notes=notes, attributes=attributes), tuple(dropped)


def _sum(moves: Sequence[Moved]) -> Moved:
    faces: Counter[str] = Counter()
    for one in moves:
        faces.update(one.faces)
    return Moved(
        dict(faces),
        sum(one.photos for one in moves),
        sum(one.sightings for one in moves),
        sum(one.doubled for one in moves),
    )


def _asked(said: str) -> _Photo:
    if _FACE_ID.fullmatch(said.lower()):
        return _Photo(said, face_id=said.lower())
    if is_stored(said):
        return _Photo(said, path=said)
    try:
        return _Photo(said, sha256=photos.sha256_of(Path(said)), path=lasting(said))
    except PhotoError:
        return _Photo(said, path=lasting(said))


def _numbers(records: Records, person: Person, photo: _Photo) -> list[int]:
    """The faces of a photo of the person: a file is known by its content, else by where it was."""
    numbers: list[int] = []
    if photo.face_id or photo.sha256:
        numbers = records.face_numbers(person.id, face_id=photo.face_id, sha256=photo.sha256)
    if not numbers and photo.path:
        numbers = records.face_numbers(person.id, path=photo.path)
    if not numbers:
        what = "face" if photo.face_id else "photo with a face"
        raise UsageError(
            f"{photo.said} is no {what} of {person.name} on record: see `facesearch face list -c ID --person "
            f"{person.key or person.id}`"
        )
    return numbers


def _target(records: Records, to: str) -> Person:
    """Who is on record by that id, key or name, else somebody new, or merged, of that name."""
    name = person_name(to)
    found = records.find_people(to) or records.find_people(name)
    if any(_is_called(one, to) for one in found):
        return people.find(records, to)
    formers = records.formerly([one.id for one in found])
    if is_person_id(to) or (found and name not in {f.name for some in formers.values() for f in some}):
        raise UsageError(f"nobody has the id or key {to!r}: say the name of whose the photos are with --to")
    return records.add_person(name)


def _followed(
    gateway: ports.Gateway, database: Database, person_ids: Sequence[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Let the collections follow. Gives what they have not done yet, and which of them were calibrated before."""
    waiting: dict[str, str] = {}
    with database.read() as records:
        places = {one.arn: one for id_ in person_ids for one in records.collections_of(id_)}
        busy = [
            one for one in places.values() if records.open_changes(one.arn) or records.keeps_users(one.arn)
        ]
        calibrated = tuple(one.collection_id for one in places.values() if records.calibrations(one.arn))
    for collection in busy:
        try:
            if not collections.is_here(gateway, collection):
                waiting[collection.collection_id] = "it is not on this engine"
                continue
            waiting |= users.take_up(gateway, database, collection, deleting=True)
            waiting |= users.keep_up(gateway, database, collection).refused
        except ServiceError as exc:
            waiting[collection.collection_id] = str(exc)
    return waiting, calibrated
