"""Photos that an earlier run decided over and whose files are unchanged: ended by what the records say of them.

Most photos of a run that is repeated are such ones. Nothing of them is read and nothing is written down anew; they
are asked for many at a time, and whatever is not quite clear goes the way that every other photo goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from facesearch.domain import (
    Collection,
    JournalEntry,
    OnMultiple,
    Person,
    PersonSpec,
    PhotoStatus,
    PlannedPhoto,
)
from facesearch.domain.door import AtTheDoor, OnConflict
from facesearch.domain.files import FileState
from facesearch.workflows.enrolling.ports import Database, Records
from facesearch.workflows.enrolling.tally import Tally
from facesearch.workflows.enrolling.work import lasting
from facesearch.workflows.reading import PhotoIds, state_now

LOOKED_UP = 1000  # photos that the records are asked for at once, in one statement


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
        self._ids = PhotoIds()

    def others(self, planned: Iterable[PlannedPhoto]) -> Iterator[PlannedPhoto]:
        """The photos that were not ended, for they are to be sent or something is to be written down of them."""
        rest = iter(planned)
        while batch := list(islice(rest, LOOKED_UP)):
            yield from self._others(batch)

    def _others(self, batch: list[PlannedPhoto]) -> list[PlannedPhoto]:
        ids = [self._ids(photo.path) for photo in batch]
        with self._database.read() as records:
            known = records.journal_of_files(self._arn, ids)
            if not known:
                return batch
            people = _people(records, batch)
            unread = records.unread_among(self._arn, (lasting(photo.path) for photo in batch))
        others: list[PlannedPhoto] = []
        whose: set[str] = set()
        for photo, id_ in zip(batch, ids, strict=True):
            person = photo.known or people.get(id(photo.person))
            found = known.get((id_, person.id)) if person else None
            if person and found and self._ends(photo, *found, unread):
                whose.add(person.id)
            else:
                others.append(photo)
        self._tally.people.update(whose)
        return others

    def _ends(self, photo: PlannedPhoto, state: FileState, entry: JournalEntry, unread: set[str]) -> bool:
        """End a photo whose file is as it was then, and where it was. False for any other."""
        status = remembered(entry, self._on_multiple, self._door)
        if status is None or photo.person is None or photo.problem or photo.was:
            return False
        place = photo.path if photo.path == entry.path else lasting(photo.path)
        if place != entry.path or place in unread or state_now(photo) != state:
            return False
        self._tally.end(photo.path, photo.person.name, status, entry.reason, entry.face_id)
        return True


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


def _people(records: Records, photos: list[PlannedPhoto]) -> dict[int, Person | None]:
    """Who is meant by each spec, by its identity: a folder's photos share one. None if it says something new."""
    specs = {id(photo.person): photo.person for photo in photos if photo.person and not photo.known}
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
    return person.attributes == {name: value for name, value in merged.items() if value is not None}
