"""Importing an export into a collection: people are matched with those on record, and photos enrolled again.

Who is who: a person with the id of the export, else with the same key, else, where neither has a key and both are
the only ones of their name, with the same name. Whoever is on record stays as they are; the others are put on
record with their ids. Somebody who was erased here is not brought back.

No vector is in an export, so each photo is sent again, by the same journal as any enrolment: an import that was
stopped is continued by running it again. A photo comes out of the export, else from where it was, if its content
is the same still.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import sha256
from itertools import count, islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

from facesearch.domain import JournalEntry, Person, PersonSpec, Photo, PhotoOutcome, PlannedPhoto
from facesearch.domain.portability import ImportedPeople
from facesearch.domain.regrouping import Former
from facesearch.errors import PhotoError, UsageError
from facesearch.workflows.packages import Package, photo_name

BATCH = 500
NOT_HERE = "it is not in the export, and not where it was either"
MAX_TEXT = 65_536  # characters of a name, a note or a path

T = TypeVar("T")


class Records(Protocol):
    """What importing asks of the records."""

    def people_alike(
        self, people: Sequence[Person], only_of_their_name: Sequence[bool]
    ) -> list[Person | None]: ...
    def add_people(self, people: Sequence[Person]) -> None: ...
    def add_formers(self, formers: Sequence[tuple[str, Former]]) -> None: ...
    def people_by_id(self, ids: Sequence[str]) -> Mapping[str, Person]: ...
    def erased_people(self, person_ids: Sequence[str]) -> set[str]: ...
    def move_photos(self, photos: Sequence[Photo]) -> None: ...
    def journal(
        self, arn: str, pairs: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], JournalEntry]: ...


class Reader(Protocol):
    """Reads photos from where they are."""

    def sha256(self, path: str) -> str: ...


class Database(Protocol):
    """Gives transactions that write, and ones that only read."""

    def begin(self) -> AbstractContextManager[Records]: ...
    def read(self) -> AbstractContextManager[Records]: ...


class Importing:
    """One import of a package that was verified."""

    def __init__(self, database: Database, package: Package, reader: Reader) -> None:
        self._database = database
        self._reader = reader
        self._package = package
        self._here: dict[str, str] = {}  # the id on record, of those who have another one in the export
        self._erased: set[str] = set()
        self._unpacked = Path()
        self._numbers = count()
        self.people = ImportedPeople()

    def match_people(self, *, write: bool) -> None:
        """Find out who is on record, and with `write` put the others there."""
        once, twice = set[bytes](), set[bytes]()
        for person, _ in self._people():
            if not person.key:
                (twice if _digest(person.name) in once else once).add(_digest(person.name))
        new = known = 0
        for batch in _batches(self._people()):
            with self._database.begin() if write else self._database.read() as records:
                erased = records.erased_people([person.id for person, _ in batch])
                batch = [one for one in batch if one[0].id not in erased]
                people = [person for person, _ in batch]
                alike = records.people_alike(people, [_digest(p.name) not in twice for p in people])
                fresh = [one for one, found in zip(batch, alike, strict=True) if found is None]
                if write:
                    records.add_people([person for person, _ in fresh])
                    merged = [(person.id, one) for person, formers in fresh for one in formers]
                    gone = records.erased_people([one.id for _, one in merged])
                    records.add_formers([pair for pair in merged if pair[1].id not in gone])
            for person, found in zip(people, alike, strict=True):
                if found and found.id != person.id:
                    self._here[person.id] = found.id
            self._erased |= erased
            new, known = new + len(fresh), known + len(batch) - len(fresh)
        self.people = ImportedPeople(new, known, len(self._erased))

    def photos(self) -> Iterator[PlannedPhoto]:
        """What is to be enrolled. A photo of a ZIP file is unpacked when its turn comes, and goes with `done`."""
        for batch in _batches(self._pairs()):
            with self._database.read() as records:
                people = records.people_by_id([person for person, _, _ in batch])
            for person_id, photo, was in batch:
                person = people.get(person_id)
                if person is None:
                    raise UsageError(f"faces.jsonl names a person {person_id} whom people.jsonl lacks")
                spec = PersonSpec(person.name)
                path = self._file(photo, was)
                if path is None:
                    yield PlannedPhoto(was, spec, NOT_HERE, person)
                else:
                    yield PlannedPhoto(path, spec, known=person)

    def states(self, arn: str | None) -> Iterator[str]:
        """What would become of each photo: `already`, `missing` or `new`."""
        for batch in _batches(self._pairs()):
            with self._database.read() as records:
                pairs = [(person, photo) for person, photo, _ in batch]
                entries = records.journal(arn, pairs) if arn else {}
            for person, photo, was in batch:
                entry = entries.get((person, photo))
                if entry is not None and entry.face_id is not None:
                    yield "already"
                elif self._package.has(photo_name(photo)) or self._is_there(was, photo):
                    yield "new"
                else:
                    yield "missing"

    def done(self, outcome: PhotoOutcome) -> None:
        """A photo has come to its end: what was unpacked of it goes."""
        path = Path(outcome.path)
        if self._unpacked in path.parents:
            path.unlink(missing_ok=True)

    def unpacking(self, folder: Path) -> None:
        """Unpack the photos of a ZIP file here."""
        self._unpacked = folder

    def place(self) -> None:
        """Write down of photos that were unpacked where they were in the export: here they are no more."""
        if self._package.file_of("0" * 64) is not None:
            return
        for batch in _batches(self._package.lines("photos.jsonl")):
            with self._database.begin() as records:
                records.move_photos(
                    [Photo(item["sha256"], item["path"]) for item in batch if item.get("file")]
                )

    def _people(self) -> Iterator[tuple[Person, list[Former]]]:
        for item in self._package.lines("people.jsonl"):
            yield _person(item), _merged(item)

    def _pairs(self) -> Iterator[tuple[str, str, str]]:
        """Each person with each photo of theirs, once, and where the photo was."""
        last = None
        for item in self._package.lines("faces.jsonl"):
            pair = _hex(item, "person", 32), _hex(item, "photo", 64)
            if pair != last and pair[0] not in self._erased:
                yield self._here.get(pair[0], pair[0]), pair[1], _text(item, "path")
            last = pair

    def _file(self, photo: str, was: str) -> str | None:
        """A file that holds the photo."""
        name = photo_name(photo)
        if self._package.has(name):
            inside = self._package.file_of(photo)
            if inside is not None:
                return str(inside.absolute())
            target = self._unpacked / str(next(self._numbers))
            with self._package.open(name) as source, target.open("xb") as file:
                shutil.copyfileobj(source, file)
            return str(target)
        return was if self._is_there(was, photo) else None

    def _is_there(self, path: str, photo: str) -> bool:
        """Whether a file, or an object in S3, is there with the photo's content."""
        try:
            return self._reader.sha256(path) == photo
        except PhotoError:
            return False


def unpacked() -> AbstractContextManager[str]:
    """A folder for what is unpacked, which goes with the block."""
    return tempfile.TemporaryDirectory(prefix="facesearch-import-")


def _person(item: Mapping[str, Any]) -> Person:
    attributes, created = item.get("attributes"), item.get("created_at")
    if not isinstance(attributes, dict):
        raise UsageError("people.jsonl: attributes must be an object")
    try:
        moment = datetime.fromisoformat(created) if isinstance(created, str) else None
    except ValueError as exc:
        raise UsageError(f"people.jsonl: created_at is no time: {created!r}") from exc
    return Person(
        id=_hex(item, "id", 32),
        name=_text(item, "name"),
        key=_text(item, "key") if item.get("key") is not None else None,
        attributes=attributes,
        notes=_text(item, "notes") if item.get("notes") is not None else None,
        created_at=moment if moment and moment.tzinfo else None,
    )


def _merged(item: Mapping[str, Any]) -> list[Former]:
    """Who was merged into a person; an export of an older program does not say."""
    merged = item.get("merged", [])
    if not isinstance(merged, list) or not all(isinstance(one, dict) for one in merged):
        raise UsageError("people.jsonl: merged must be a list of objects")
    return [
        Former(
            _hex(one, "id", 32), _text(one, "name"), _text(one, "key") if one.get("key") is not None else None
        )
        for one in merged
    ]


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise UsageError(f"the export has a {name} that is no text of up to {MAX_TEXT:,} characters")
    return value


def _hex(item: Mapping[str, Any], name: str, digits: int) -> str:
    value = item.get(name)
    if not isinstance(value, str) or len(value) != digits or set(value) - set("0123456789abcdef"):
        raise UsageError(f"the export has a {name} that is not {digits} hexadecimal digits")
    return value


def _digest(name: str) -> bytes:
    return sha256(name.encode("utf-8", "surrogatepass")).digest()[:8]


def _batches(items: Iterator[T]) -> Iterator[list[T]]:
    while batch := list(islice(items, BATCH)):
        yield batch
