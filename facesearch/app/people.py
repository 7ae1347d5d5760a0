"""The people on record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from facesearch.app.bound import Bound
from facesearch.domain import Deletion, Person, PersonSummary
from facesearch.workflows import people, planning


class People(Bound):
    """List, show, edit and delete people."""

    def people(self, collection_id: str | None = None) -> Iterator[PersonSummary]:
        """Everyone in the records, or everyone with a face in one collection, by name."""
        arn = self._gateway.describe_collection(collection_id).arn if collection_id else None
        with self._database.read() as records:
            yield from records.people(arn)

    def person(self, ref: str) -> PersonSummary:
        """A person by id, key or name. Raises UsageError when there is none, or more than one."""
        return people.show(self._database, ref)

    def edit_person(
        self,
        ref: str,
        *,
        name: str | None = None,
        key: str | None = None,
        attributes: Mapping[str, object] | None = None,
        notes: str | None = None,
    ) -> Person:
        """Change what is given; None leaves a field as it is."""
        with self._database.begin() as records:
            person = people.find(records, ref)
            name = None if name is None else planning.person_name(name)
            return records.edit_person(person.id, name=name, key=key, attributes=attributes, notes=notes)

    def delete_person(self, ref: str) -> Deletion:
        """Delete a person's faces from every collection of the engine, and only then their records."""
        return people.delete(self._gateway, self._database, ref)
