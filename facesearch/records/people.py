"""People: who is meant by a name or a key, and what is known of them."""

from __future__ import annotations

import json
import reprlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, bindparam, func, insert, or_, select, update

from facesearch.domain import Collection, Person, PersonSpec, PersonSummary
from facesearch.errors import UsageError
from facesearch.records.collections import DESCRIBED, collection_of
from facesearch.records.columns import storable
from facesearch.records.tables import COLLECTIONS, FACES, MERGED, PEOPLE, now
from facesearch.records.unit import AnyRow, Unit, chunks

# Who somebody is, under names that no column of another table has: what `person` makes a person of.
WHOSE = tuple(
    PEOPLE.c[name].label(f"whose_{name}")
    for name in ("id", "name", "key", "attributes", "notes", "created_at")
)

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
        known = _Known(self._people_like(specs), self._merged_like(specs))
        before = dict(known.people)
        meant = []
        for spec in specs:
            one = known.find(spec)
            if one is None and (into := known.merged(spec)):
                meant.append(into.id)
                continue
            one = one or Person(uuid4().hex, spec.name, created_at=now())
            known.add(_written_over(one, spec.name, spec.key, spec.attributes, spec.notes))
            meant.append(one.id)
        self._add([one for id_, one in known.people.items() if id_ not in before])
        self._change([one for id_, one in known.people.items() if id_ in before and one != before[id_]])
        return [known.people[id_] for id_ in meant]

    def known_people(self, specs: Sequence[PersonSpec]) -> list[Person | None]:
        """The person each spec means, None for somebody new. Writes nothing.

        Raises UsageError when several people have the name.
        """
        known = _Known(self._people_like(specs), self._merged_like(specs))
        return [known.find(spec) or known.merged(spec) for spec in specs]

    def _people_like(self, specs: Sequence[PersonSpec]) -> Iterator[Person]:
        """Every person with a name or a key of the specs, oldest first; some may come twice."""
        statement = select(*WHOSE).order_by(PEOPLE.c.created_at, PEOPLE.c.id)
        for keys in chunks(spec.key for spec in specs if spec.key):
            yield from map(person, self._connection.execute(statement.where(PEOPLE.c.key.in_(keys))))
        for names in chunks(spec.name for spec in specs):
            yield from map(person, self._connection.execute(statement.where(PEOPLE.c.name.in_(names))))

    def _merged_like(self, specs: Sequence[PersonSpec]) -> Iterator[AnyRow]:
        """Everybody with a name or a key of the specs who was merged, and into whom; some may come twice."""
        statement = merged_into().order_by(MERGED.c.merged_at, MERGED.c.id)
        for keys in chunks(spec.key for spec in specs if spec.key):
            yield from self._connection.execute(statement.where(MERGED.c.key.in_(keys)))
        for names in chunks(spec.name for spec in specs):
            yield from self._connection.execute(statement.where(MERGED.c.name.in_(names)))

    def person(self, person_id: str) -> Person:
        """The person with that id. Raises UsageError when there is none."""
        chosen = select(*WHOSE).where(PEOPLE.c.id == person_id)
        row = self._connection.execute(chosen).first() if storable(person_id) else None
        if row is None:
            raise UsageError(f"nobody in the records has the id {person_id!r}; see `facesearch person list`")
        return person(row)

    def find_people(self, ref: str) -> list[Person]:
        """The person with that id, else the one with that key, else everyone of that name, oldest first.

        Where there is nobody, the same of people who were merged: whom they were merged into.
        """
        if not storable(ref):
            return []
        meant = or_(PEOPLE.c.id == ref, PEOPLE.c.key == ref, PEOPLE.c.name == ref)
        statement = select(*WHOSE).where(meant).order_by(PEOPLE.c.created_at, PEOPLE.c.id)
        found = [person(row) for row in self._connection.execute(statement)]
        by_id = [one for one in found if one.id == ref]
        by_key = [one for one in found if one.key == ref]
        return by_id or by_key or found or self._found_merged(ref)

    def _found_merged(self, ref: str) -> list[Person]:
        meant = or_(MERGED.c.id == ref, MERGED.c.key == ref, MERGED.c.name == ref)
        statement = merged_into().where(meant).order_by(MERGED.c.merged_at, MERGED.c.id)
        found = self._connection.execute(statement).all()
        by_id = [row for row in found if row.id == ref]
        by_key = [row for row in found if row.key == ref]
        people = {row.whose_id: person(row) for row in by_id or by_key or found}
        return list(people.values())

    def people(self, arn: str | None = None) -> Iterator[PersonSummary]:
        """Everyone by name, or with an ARN everyone with a face in that collection and these faces alone.

        Rows are read as they are asked for, so the transaction must stay open as long as the iteration runs.
        """
        statement = _with_faces(arn).order_by(
            PEOPLE.c.name, PEOPLE.c.key.nulls_first(), PEOPLE.c.id, COLLECTIONS.c.collection_id
        )
        yield from self._summaries(statement)

    def summary(self, person_id: str) -> PersonSummary:
        """A person with their faces counted by CollectionId. Raises UsageError when there is none of that id."""
        self.person(person_id)
        return next(self._summaries(_with_faces().where(PEOPLE.c.id == person_id)))

    def _summaries(self, statement: Select[*tuple[Any, ...]]) -> Iterator[PersonSummary]:
        with self._connection.execute(statement.execution_options(yield_per=1000)) as rows:
            for _, group in groupby(rows, key=lambda row: row.whose_id):
                some = list(group)
                counts = {row.collection_id: row.faces for row in some if row.collection_id is not None}
                yield PersonSummary(person(some[0]), counts)

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
        before = self.person(person_id)
        if key:
            owner = self._connection.execute(select(*WHOSE).where(PEOPLE.c.key == key)).first()
            if owner is not None and owner.whose_id != person_id:
                raise UsageError(
                    f"the key {key!r} belongs to {owner.whose_name!r} ({owner.whose_id}) already"
                )
        after = _written_over(before, name, key, attributes, notes)
        if after != before:
            self._change([after])
        return after

    def face_ids_of(self, person_id: str) -> dict[Collection, list[str]]:
        """The FaceIds of a person by the collection that holds them, as it was when last seen (uncounted)."""
        statement = (
            select(*DESCRIBED, FACES.c.face_id)
            .select_from(COLLECTIONS)
            .join(FACES, FACES.c.collection == COLLECTIONS.c.id)
            .where(FACES.c.person == person_id)
            .order_by(COLLECTIONS.c.id, FACES.c.id)
        )
        held: defaultdict[Collection, list[str]] = defaultdict(list)
        for row in self._connection.execute(statement):
            held[collection_of(row)].append(row.face_id)
        return dict(held)

    def _add(self, people: Iterable[Person]) -> None:
        """Put people on record who are not there."""
        rows = [{"id": one.id, "created_at": one.created_at or now(), **_facts(one)} for one in people]
        if rows:
            self._connection.execute(insert(PEOPLE), rows)

    def _change(self, people: Iterable[Person]) -> None:
        """Write down what people are now who are on record."""
        rows = [{"whose": one.id, **_facts(one)} for one in people]
        if rows:
            self._connection.execute(update(PEOPLE).where(PEOPLE.c.id == bindparam("whose")), rows)


class _Known:
    """The people that specs may mean, found by key and by name while specs change both.

    `merged` are those who were merged, each with whom into.
    """

    def __init__(self, people: Iterable[Person], merged: Iterable[AnyRow]) -> None:
        self._by_key: dict[str, str] = {}
        self._by_name: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._merged = {row.id: row for row in merged}
        self.people = {row.whose_id: person(row) for row in self._merged.values()}
        for one in people:
            self.add(one)

    def add(self, one: Person) -> None:
        """Know a person under the name and key they have now."""
        self.people[one.id] = one
        self._by_name[one.name][one.id] = None
        if one.key:
            self._by_key[one.key] = one.id

    def find(self, spec: PersonSpec) -> Person | None:
        """The person a spec means; None for somebody new."""
        once = [self.people[id_] for id_ in self._by_name[spec.name]]
        namesakes = [one for one in once if one.name == spec.name]
        only = namesakes[0] if len(namesakes) == 1 else None
        if spec.key:
            owner = self.people.get(self._by_key.get(spec.key, ""))
            return owner or (only if only and not only.key else None)
        if len(namesakes) > 1:
            known = ", ".join(f"{one.id} (key {one.key!r})" for one in namesakes[:5])
            more = f" and {len(namesakes) - 5} more" if len(namesakes) > 5 else ""
            raise UsageError(
                f"{len(namesakes)} people are called {_short(spec.name)}: {known}{more}. "
                "Say which with a key in the folder's person.toml"
            )
        return only

    def merged(self, spec: PersonSpec) -> Person | None:
        """Whom somebody was merged into whom a spec means that means nobody on record; None if there is none."""
        rows = self._merged.values()
        of_key = [row for row in rows if spec.key and row.key == spec.key]
        of_name = [row for row in rows if row.name == spec.name and not (spec.key and row.key)]
        people = {row.whose_id: self.people[row.whose_id] for row in of_key or of_name}
        if len(people) > 1:
            known = ", ".join(f"{one.id} ({_short(one.name)})" for one in people.values())
            raise UsageError(
                f"several people called {_short(spec.name)} were merged, into {known}. "
                "Say which is meant with the key of that person in the folder's person.toml"
            )
        return next(iter(people.values()), None)


def person(row: AnyRow) -> Person:
    """A row of WHOSE as the domain knows it."""
    return Person(
        row.whose_id,
        row.whose_name,
        row.whose_key,
        row.whose_attributes,
        row.whose_notes,
        row.whose_created_at,
    )


def _facts(one: Person) -> dict[str, Any]:
    """The columns of a person that may change."""
    return {"name": one.name, "key": one.key, "attributes": dict(one.attributes), "notes": one.notes}


def merged_into() -> Select[*tuple[Any, ...]]:
    """Everybody who was merged into a person, each with that person."""
    return select(MERGED, *WHOSE).select_from(MERGED).join(PEOPLE, PEOPLE.c.id == MERGED.c.person)


def _with_faces(arn: str | None = None) -> Select[*tuple[Any, ...]]:
    """People, each with a row for every CollectionId they have faces under, and how many."""
    statement = (
        select(*WHOSE, COLLECTIONS.c.collection_id, func.count(FACES.c.id).label("faces"))
        .select_from(PEOPLE)
        .group_by(PEOPLE.c.id, COLLECTIONS.c.collection_id)
    )
    if arn is None:
        return statement.outerjoin(FACES, FACES.c.person == PEOPLE.c.id).outerjoin(
            COLLECTIONS, COLLECTIONS.c.id == FACES.c.collection
        )
    return (
        statement.join(FACES, FACES.c.person == PEOPLE.c.id)
        .join(COLLECTIONS, COLLECTIONS.c.id == FACES.c.collection)
        .where(COLLECTIONS.c.arn == arn)
    )


def _written_over(
    one: Person,
    name: str | None,
    key: str | None,
    attributes: Mapping[str, object] | None,
    notes: str | None,
) -> Person:
    merged = {**one.attributes, **(attributes or {})}
    return replace(
        one,
        name=one.name if name is None else name,
        key=one.key if key is None else key or None,
        attributes={k: value for k, value in merged.items() if value is not None},
        notes=one.notes if notes is None else notes or None,
    )


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
