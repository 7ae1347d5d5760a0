"""People, faces and photos on their way out of the records and into others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import exists, select

from facesearch.domain import EnrolledFace, Person, Photo
from facesearch.records.erasure import ErasureRecords
from facesearch.records.faces import enrolled_face, joined_faces
from facesearch.records.people import WHOSE, check_person, merged_into, person
from facesearch.records.regrouping import RegroupingRecords
from facesearch.records.tables import COLLECTIONS, FACES, MERGED, PEOPLE, PHOTOS
from facesearch.records.unit import chunks

if TYPE_CHECKING:
    from facesearch.domain.regrouping import Former


class PortabilityRecords(ErasureRecords, RegroupingRecords):
    """What an export reads and an import writes.

    What is iterated over is read as it is asked for, so the transaction must stay open as long.
    """

    def exported_people(self, arn: str | None = None) -> Iterator[tuple[Person, list[Former]]]:
        """Everyone, or everyone with a face in a collection, by id, each with who was merged into them."""
        statement = select(*WHOSE).order_by(PEOPLE.c.id)
        if arn is not None:
            statement = statement.where(
                exists().where(
                    FACES.c.person == PEOPLE.c.id,
                    FACES.c.collection == COLLECTIONS.c.id,
                    COLLECTIONS.c.arn == arn,
                )
            )
        with self._connection.execute(statement.execution_options(yield_per=1000)) as rows:
            for some in rows.partitions():
                formers = self.formerly([row.whose_id for row in some])
                for row in some:
                    yield person(row), formers.get(row.whose_id, [])

    def exported_faces(self, arn: str | None = None) -> Iterator[EnrolledFace]:
        """Every face, or those of a collection, by person and photo."""
        statement = joined_faces(arn).order_by(FACES.c.person, FACES.c.photo, FACES.c.id)
        with self._connection.execute(statement.execution_options(yield_per=1000)) as rows:
            for row in rows:
                yield enrolled_face(row)

    def exported_photos(self, arn: str | None = None) -> Iterator[Photo]:
        """Every photo of a face, or of a face in a collection, once."""
        of_a_face = exists().where(FACES.c.photo == PHOTOS.c.id)
        if arn is not None:
            of_a_face = exists().where(
                FACES.c.photo == PHOTOS.c.id,
                FACES.c.collection == COLLECTIONS.c.id,
                COLLECTIONS.c.arn == arn,
            )
        statement = select(PHOTOS.c.sha256, PHOTOS.c.path).where(of_a_face).order_by(PHOTOS.c.id)
        with self._connection.execute(statement.execution_options(yield_per=1000)) as rows:
            for sha256, path in rows:
                yield Photo(sha256, path)

    def people_alike(
        self, people: Sequence[Person], only_of_their_name: Sequence[bool]
    ) -> list[Person | None]:
        """Who on record each of these people of another database is; None for nobody.

        Somebody with the same id; else with the same key; else, where neither has a key and both are the only ones
        of their name, with the same name. Somebody whose id was merged into a person is that person.
        """
        merged = self._merged_people([one.id for one in people])
        by_id = self._alike(people)
        known = by_id.values()
        by_key = {one.key: one for one in known if one.key}
        namesakes = Counter(one.name for one in known)
        by_name = {one.name: one for one in known if not one.key and namesakes[one.name] == 1}
        found = []
        for one, only in zip(people, only_of_their_name, strict=True):
            same = by_id.get(one.id) or merged.get(one.id) or (by_key.get(one.key) if one.key else None)
            if same is None and not one.key and only:
                same = by_name.get(one.name)
            found.append(same)
        return found

    def add_people(self, people: Sequence[Person]) -> None:
        """Put people on record as they are, with their ids. Raises UsageError for what cannot be stored."""
        for one in people:
            check_person(one.name, one.key, one.attributes, one.notes)
        self._add(people)

    def people_by_id(self, ids: Sequence[str]) -> dict[str, Person]:
        """Those of the people who are on record, by the id that is asked for; for a merged one the kept person."""
        found = {
            row.whose_id: person(row)
            for some in chunks(ids)
            for row in self._connection.execute(select(*WHOSE).where(PEOPLE.c.id.in_(some)))
        }
        return found | self._merged_people(id_ for id_ in ids if id_ not in found)

    def _merged_people(self, ids: Iterable[str]) -> dict[str, Person]:
        """Whom people were merged into, by the ids they had."""
        return {
            row.id: person(row)
            for some in chunks(ids)
            for row in self._connection.execute(merged_into().where(MERGED.c.id.in_(some)))
        }

    def _alike(self, people: Sequence[Person]) -> dict[str, Person]:
        """Everyone with an id, a key or a name of these people, by id."""
        asked = {
            "id": [one.id for one in people],
            "key": [one.key for one in people if one.key],
            "name": [one.name for one in people],
        }
        return {
            row.whose_id: person(row)
            for column, values in asked.items()
            for some in chunks(values)
            for row in self._connection.execute(select(*WHOSE).where(PEOPLE.c[column].in_(some)))
        }
