"""People: who is meant by a name or a key, and what is known of them."""

from __future__ import annotations

import json
import reprlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, func, or_, select

from facesearch.domain import Collection, Person, PersonSpec, PersonSummary
from facesearch.errors import UsageError
from facesearch.records.columns import storable
from facesearch.records.tables import CollectionRow, FaceRow, MergedRow, PersonRow
from facesearch.records.unit import Unit, chunks

MAX_KEY = 512  # characters; a unique index of Postgres holds no more than some 2,700 bytes


class PeopleRecords(Unit):
    """People. A person is known by their key, if they have one, else by their name."""

    def resolve_people(self, specs: Sequence[PersonSpec]) -> list[Person]:
        """The person each spec means, made if there is none, with what the spec says of them written down.

        A spec with a key means the person with that key, else the only person of that name if they have no key
        yet (they get it), else a new person. A spec without a key means the person of that name. What a spec
        says replaces what was known; attributes are merged, one of None is taken away. Names are compared as
        they are: bring them into one Unicode form before. Two processes that resolve one name get one person.

        What means nobody on record may mean somebody who was merged into a person: it means that person then, of
        whom everything stays as it is.

        Raises UsageError when several people have the name, for text that cannot be stored, and for attributes
        that are not JSON; nothing is then written.
        """
        for spec in specs:
            check_person(spec.name, spec.key, spec.attributes, spec.notes)
        known = _Known(self._rows_like(specs), self._merged_like(specs))
        rows = []
        for spec in specs:
            row = known.find(spec)
            if row is None and (into := known.merged(spec)):
                rows.append(into)
                continue
            if row is None:
                row = PersonRow(id=uuid4().hex, attributes={})
                self._session.add(row)
            _write_over(row, spec.name, spec.key, spec.attributes, spec.notes)
            known.add(row)
            rows.append(row)
        self._session.flush()
        return [person(row) for row in rows]

    def known_people(self, specs: Sequence[PersonSpec]) -> list[Person | None]:
        """The person each spec means, None for somebody new. Writes nothing.

        Raises UsageError when several people have the name.
        """
        known = _Known(self._rows_like(specs), self._merged_like(specs))
        rows = [known.find(spec) or known.merged(spec) for spec in specs]
        return [None if row is None else person(row) for row in rows]

    def _rows_like(self, specs: Sequence[PersonSpec]) -> Iterator[PersonRow]:
        """Every person with a name or a key of the specs, oldest first; some may come twice."""
        statement = select(PersonRow).order_by(PersonRow.created_at, PersonRow.id)
        for keys in chunks(spec.key for spec in specs if spec.key):
            yield from self._session.scalars(statement.where(PersonRow.key.in_(keys)))
        for names in chunks(spec.name for spec in specs):
            yield from self._session.scalars(statement.where(PersonRow.name.in_(names)))

    def _merged_like(self, specs: Sequence[PersonSpec]) -> Iterator[tuple[MergedRow, PersonRow]]:
        """Everybody with a name or a key of the specs who was merged, and into whom; some may come twice."""
        statement = _merged_into().order_by(MergedRow.merged_at, MergedRow.id)
        for keys in chunks(spec.key for spec in specs if spec.key):
            yield from map(tuple, self._session.execute(statement.where(MergedRow.key.in_(keys))))
        for names in chunks(spec.name for spec in specs):
            yield from map(tuple, self._session.execute(statement.where(MergedRow.name.in_(names))))

    def person(self, person_id: str) -> Person:
        """The person with that id. Raises UsageError when there is none."""
        return person(self._row(person_id))

    def find_people(self, ref: str) -> list[Person]:
        """The person with that id, else the one with that key, else everyone of that name, oldest first.

        Where there is nobody, the same of people who were merged: whom they were merged into.
        """
        if not storable(ref):
            return []
        meant = or_(PersonRow.id == ref, PersonRow.key == ref, PersonRow.name == ref)
        found = self._session.scalars(
            select(PersonRow).where(meant).order_by(PersonRow.created_at, PersonRow.id)
        ).all()
        by_id = [row for row in found if row.id == ref]
        by_key = [row for row in found if row.key == ref]
        return [person(row) for row in by_id or by_key or found or self._found_merged(ref)]

    def _found_merged(self, ref: str) -> list[PersonRow]:
        meant = or_(MergedRow.id == ref, MergedRow.key == ref, MergedRow.name == ref)
        statement = _merged_into().where(meant).order_by(MergedRow.merged_at, MergedRow.id)
        found = self._session.execute(statement).all()
        by_id = [row for merged, row in found if merged.id == ref]
        by_key = [row for merged, row in found if merged.key == ref]
        return list(dict.fromkeys(by_id or by_key or [row for _, row in found]))

    def people(self, arn: str | None = None) -> Iterator[PersonSummary]:
        """Everyone by name, or with an ARN everyone with a face in that collection and these faces alone.

        Rows are read as they are asked for, so the transaction must stay open as long as the iteration runs.
        """
        statement = _with_faces(arn).order_by(
            PersonRow.name, PersonRow.key.nulls_first(), PersonRow.id, CollectionRow.collection_id
        )
        yield from self._summaries(statement)

    def summary(self, person_id: str) -> PersonSummary:
        """A person with their faces counted by CollectionId. Raises UsageError when there is none of that id."""
        self._row(person_id)
        return next(self._summaries(_with_faces().where(PersonRow.id == person_id)))

    def _summaries(self, statement: Select[*tuple[Any, ...]]) -> Iterator[PersonSummary]:
        with self._session.execute(statement.execution_options(yield_per=1000)) as rows:
            for row, group in groupby(rows, key=lambda row: row[0]):
                yield PersonSummary(
                    person(row), {name: count for _, name, count in group if name is not None}
                )

    def edit_person(
        self,
        person_id: str,
        name: str | None = None,
        key: str | None = None,
        attributes: Mapping[str, object] | None = None,
        notes: str | None = None,
    ) -> Person:
        """Write over what is given: None leaves a thing as it is, an empty key or note takes it away.

        Attributes are merged into those known; one of None is taken away. Raises UsageError for an unknown
        person, a key that is somebody else's, and what cannot be stored.
        """
        check_person(name, key, attributes, notes)
        row = self._row(person_id)
        if key:
            owner = self._session.scalar(select(PersonRow).where(PersonRow.key == key))
            if owner is not None and owner.id != person_id:
                raise UsageError(f"the key {key!r} belongs to {owner.name!r} ({owner.id}) already")
        _write_over(row, name, key, attributes, notes)
        self._session.flush()
        return person(row)

    def face_ids_of(self, person_id: str) -> dict[Collection, list[str]]:
        """The FaceIds of a person by the collection that holds them, as it was when last seen (uncounted)."""
        statement = (
            select(CollectionRow, FaceRow.face_id)
            .join(FaceRow, FaceRow.collection == CollectionRow.id)
            .where(FaceRow.person == person_id)
            .order_by(CollectionRow.id, FaceRow.id)
        )
        held: defaultdict[Collection, list[str]] = defaultdict(list)
        for row, face_id in self._session.execute(statement):
            held[Collection(row.collection_id, row.arn, row.model_version, row.created_at)].append(face_id)
        return dict(held)

    def _row(self, person_id: str) -> PersonRow:
        row = self._session.get(PersonRow, person_id) if storable(person_id) else None
        if row is None:
            raise UsageError(f"nobody in the records has the id {person_id!r}; see `facesearch person list`")
        return row


class _Known:
    """The people that specs may mean, found by key and by name while specs change both.

    `merged` are those who were merged, each with whom into.
    """

    def __init__(self, rows: Iterable[PersonRow], merged: Iterable[tuple[MergedRow, PersonRow]]) -> None:
        self._by_key: dict[str, PersonRow] = {}
        self._by_name: defaultdict[str, dict[str, PersonRow]] = defaultdict(dict)
        self._merged = {one.id: (one, row) for one, row in merged}
        for row in rows:
            self.add(row)

    def add(self, row: PersonRow) -> None:
        """Know a person under the name and key they have now."""
        self._by_name[row.name][row.id] = row
        if row.key:
            self._by_key[row.key] = row

    def find(self, spec: PersonSpec) -> PersonRow | None:
        """The person a spec means; None for somebody new."""
        namesakes = [row for row in self._by_name[spec.name].values() if row.name == spec.name]
        only = namesakes[0] if len(namesakes) == 1 else None
        if spec.key:
            return self._by_key.get(spec.key) or (only if only and not only.key else None)
        if len(namesakes) > 1:
            known = ", ".join(f"{row.id} (key {row.key!r})" for row in namesakes[:5])
            more = f" and {len(namesakes) - 5} more" if len(namesakes) > 5 else ""
            raise UsageError(
                f"{len(namesakes)} people are called {_short(spec.name)}: {known}{more}. "
                "Say which with a key in the folder's person.toml"
            )
        return only

    def merged(self, spec: PersonSpec) -> PersonRow | None:
        """Whom somebody was merged into whom a spec means that means nobody on record; None if there is none."""
        of_key = [row for one, row in self._merged.values() if spec.key and one.key == spec.key]
        of_name = [
            row for one, row in self._merged.values() if one.name == spec.name and not (spec.key and one.key)
        ]
        people = {row.id: row for row in of_key or of_name}
        if len(people) > 1:
            known = ", ".join(f"{row.id} ({_short(row.name)})" for row in people.values())
            raise UsageError(
                f"several people called {_short(spec.name)} were merged, into {known}. "
                "Say which is meant with the key of that person in the folder's person.toml"
            )
        return next(iter(people.values()), None)


def person(row: PersonRow) -> Person:
    """A row as the domain knows it."""
    return Person(row.id, row.name, row.key, dict(row.attributes), row.notes, row.created_at)


def _merged_into() -> Select[*tuple[Any, ...]]:
    return select(MergedRow, PersonRow).join(PersonRow, PersonRow.id == MergedRow.person)


def _with_faces(arn: str | None = None) -> Select[*tuple[Any, ...]]:
    """People, each with a row for every CollectionId they have faces under, and how many."""
    statement = select(PersonRow, CollectionRow.collection_id, func.count(FaceRow.id)).group_by(
        PersonRow.id, CollectionRow.collection_id
    )
    if arn is None:
        return statement.outerjoin(FaceRow, FaceRow.person == PersonRow.id).outerjoin(
            CollectionRow, CollectionRow.id == FaceRow.collection
        )
    return (
        statement.join(FaceRow, FaceRow.person == PersonRow.id)
        .join(CollectionRow, CollectionRow.id == FaceRow.collection)
        .where(CollectionRow.arn == arn)
    )


def _write_over(
    row: PersonRow,
    name: str | None,
    key: str | None,
    attributes: Mapping[str, object] | None,
    notes: str | None,
) -> None:
    if name is not None:
        row.name = name
    if key is not None:
        row.key = key or None
    if attributes is not None:
        merged = {**row.attributes, **attributes}
        row.attributes = {k: value for k, value in merged.items() if value is not None}
    if notes is not None:
        row.notes = notes or None


def check_person(
    name: str | None, key: str | None, attributes: Mapping[str, object] | None, notes: str | None
) -> None:
    """Raise UsageError for what the databases cannot store, before anything is written."""
    if name == "":
        raise UsageError("a person needs a name")
    for what, text in (("name", name), ("key", key), ("notes", notes)):
        if text is not None and not storable(text):
            raise UsageError(f"the {what} {_short(text)} holds a NUL or is not valid Unicode: write it anew")
    if key is not None and len(key) > MAX_KEY:
        raise UsageError(f"the key {_short(key)} has {len(key)} characters; {MAX_KEY} is the most")
    if attributes is None:
        return
    try:
        json.dumps(dict(attributes), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise UsageError(f"the attributes of {_short(name or 'a person')} are not JSON: {exc}") from exc
    if not storable(dict(attributes)):
        raise UsageError(f"an attribute of {_short(name or 'a person')} holds a NUL or is not valid Unicode")


def _short(text: str) -> str:
    """Text as it may stand in a message: quoted, and its middle left out when it is long."""
    shortener = reprlib.Repr()
    shortener.maxstring = 80
    return shortener.repr(text)
