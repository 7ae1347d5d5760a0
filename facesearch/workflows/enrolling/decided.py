"""Photos that an earlier run decided over and whose files are unchanged: ended by what the records say of them.

Most photos of a run that is repeated are such ones. Nothing of them is read and nothing is written down anew; they
are asked for many at a time, and whatever is not quite clear goes the way that every other photo goes.
"""

from __future__ import annotations

import json

from facesearch.domain import Collection, JournalEntry, OnMultiple, Person, PersonSpec, PhotoStatus
from facesearch.domain.door import AtTheDoor, OnConflict
from facesearch.workflows.enrolling.ports import Database, Records
from facesearch.workflows.enrolling.tally import Tally
from facesearch.workflows.enrolling.work import Work, lasting


class Decided:
    """Ends the photos that need nothing."""

    def __init__(
        self,
        database: Database,
        collection: Collection,
        on_multiple: OnMultiple,
        door: AtTheDoor,
        tally: Tally,
    ) -> None:
        self._database = database
        self._arn = collection.arn
        self._on_multiple = on_multiple
        self._door = door
        self._tally = tally

    def others(self, batch: list[Work]) -> list[Work]:
        """Those of a batch that were not ended, for they are to be sent or something is to be written of them."""
        unchanged = [work for work in batch if work.file is None and work.was is None]
        if not unchanged:
            return batch
        with self._database.read() as records:
            people = _people(records, unchanged)
            entries = records.journal_of_photos(self._arn, [work.sha256 for work in unchanged])
            unread = records.unread_among(self._arn, (lasting(work.path) for work in unchanged))
        others = [work for work in batch if work.file is not None or work.was is not None]
        whose: set[str] = set()
        for work in unchanged:
            person = work.person or people[id(work.spec)]
            entry = entries[work.sha256].get(person.id) if person and work.sha256 in entries else None
            status = remembered(entry, self._on_multiple, self._door) if entry else None
            if (
                person
                and entry
                and status
                and _is_at(work.path, entry.path)
                and not _is_in(unread, work.path)
            ):
                self._tally.end(work.path, work.spec.name, status, entry.reason, entry.face_id)
                whose.add(person.id)
            else:
                others.append(work)
        self._tally.people.update(whose)
        return others


def remembered(entry: JournalEntry, on_multiple: OnMultiple, door: AtTheDoor) -> PhotoStatus | None:
    """The status of a photo that need not be sent again; None for one that must."""
    if entry.status in (PhotoStatus.ENROLLED, PhotoStatus.ALREADY):  # the latter: moved to somebody else
        return PhotoStatus.ALREADY
    if entry.status is PhotoStatus.CONFLICT:
        return entry.status if door.on_conflict is OnConflict.SKIP else None
    decided_alike = entry.on_multiple is on_multiple and entry.bars in (None, door.bars)
    if entry.status is PhotoStatus.NO_FACE or (
        entry.status in (PhotoStatus.FILTERED, PhotoStatus.SEVERAL_FACES) and decided_alike
    ):
        return entry.status
    return None


def _is_at(path: str, recorded: str) -> bool:
    return path == recorded or lasting(path) == recorded


def _is_in(paths: set[str], path: str) -> bool:
    return bool(paths) and lasting(path) in paths


def _people(records: Records, works: list[Work]) -> dict[int, Person | None]:
    """Who is meant by each spec, by its identity: a folder's photos share one. None if it says something new."""
    specs = {id(work.spec): work.spec for work in works if work.person is None}
    known = records.known_people(list(specs.values()))
    return {
        identity: person if person and _says_nothing_new(spec, person) else None
        for (identity, spec), person in zip(specs.items(), known, strict=True)
    }


def _says_nothing_new(spec: PersonSpec, person: Person) -> bool:
    """Whether what is said of a person is on record; nothing is said by None, and taken away by an empty text.

    Of a person whom the spec has neither the name nor the key of it says nothing: it is of somebody who was merged
    into them.
    """
    if spec.name != person.name and (not spec.key or spec.key != person.key):
        return True
    said = {"name": spec.name, "key": spec.key, "notes": spec.notes}
    if any(text is not None and (text or None) != getattr(person, field) for field, text in said.items()):
        return False
    if not spec.attributes:
        return True
    merged = {**person.attributes, **spec.attributes}
    left = {name: value for name, value in merged.items() if value is not None}
    return json.dumps(left, sort_keys=True) == json.dumps(person.attributes, sort_keys=True)  # 1 is not True
