"""People, faces and photos on their way out of the records and into others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import exists, select, update

from facesearch.domain import EnrolledFace, Person, Photo
from facesearch.records.erasure import ErasureRecords
from facesearch.records.faces import enrolled_face, joined_faces
from facesearch.records.people import check_person, person
from facesearch.records.regrouping import RegroupingRecords
from facesearch.records.tables import CollectionRow, FaceRow, MergedRow, PersonRow, PhotoRow
from facesearch.records.unit import chunks

if TYPE_CHECKING:
    from facesearch.domain.regrouping import Former


class PortabilityRecords(ErasureRecords, RegroupingRecords):
    """What an export reads and an import writes.

    What is iterated over is read as it is asked for, so the transaction must stay open as long.
    """

    def exported_people(self, arn: str | None = None) -> Iterator[tuple[Person, list[Former]]]:
        """Everyone, or everyone with a face in a collection, by id, each with who was merged into them."""
        statement = select(PersonRow).order_by(PersonRow.id)
        if arn is not None:
            statement = statement.where(
                exists().where(
                    FaceRow.person == PersonRow.id,
                    FaceRow.collection == CollectionRow.id,
                    CollectionRow.arn == arn,
                )
            )
        with self._session.scalars(statement.execution_options(yield_per=1000)) as rows:
            for some in rows.partitions():
                formers = self.formerly([row.id for row in some])
                for row in some:
                    yield person(row), formers.get(row.id, [])

    def exported_faces(self, arn: str | None = None) -> Iterator[EnrolledFace]:
        """Every face, or those of a collection, by person and photo."""
        statement = joined_faces(arn).order_by(FaceRow.person, FaceRow.photo, FaceRow.id)
        with self._session.execute(statement.execution_options(yield_per=1000)) as rows:
            for row in rows:
                yield enrolled_face(*row)

    def exported_photos(self, arn: str | None = None) -> Iterator[Photo]:
        """Every photo of a face, or of a face in a collection, once."""
        of_a_face = exists().where(FaceRow.photo == PhotoRow.id)
        if arn is not None:
            of_a_face = exists().where(
                FaceRow.photo == PhotoRow.id,
                FaceRow.collection == CollectionRow.id,
                CollectionRow.arn == arn,
            )
        statement = select(PhotoRow.sha256, PhotoRow.path).where(of_a_face).order_by(PhotoRow.id)
        with self._session.execute(statement.execution_options(yield_per=1000)) as rows:
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
        rows = self._alike(people)
        by_id = {row.id: row for row in rows}
        by_key = {row.key: row for row in rows if row.key}
        namesakes = Counter(row.name for row in rows)
        by_name = {row.name: row for row in rows if not row.key and namesakes[row.name] == 1}
        found = []
        for one, only in zip(people, only_of_their_name, strict=True):
            row = by_id.get(one.id) or merged.get(one.id) or (by_key.get(one.key) if one.key else None)
            if row is None and not one.key and only:
                row = by_name.get(one.name)
            found.append(person(row) if row else None)
        return found

    def add_people(self, people: Sequence[Person]) -> None:
        """Put people on record as they are, with their ids. Raises UsageError for what cannot be stored."""
        for one in people:
            check_person(one.name, one.key, one.attributes, one.notes)
            self._session.add(
                PersonRow(
                    id=one.id, name=one.name, key=one.key, attributes=dict(one.attributes), notes=one.notes,
                    **({"created_at": one.created_at} if one.created_at else {}),
                )
            )  # fmt: skip
        self._session.flush()

    def people_by_id(self, ids: Sequence[str]) -> dict[str, Person]:
        """Those of the people who are on record, by the id that is asked for; for a merged one the kept person."""
        rows = {
            row.id: row
            for some in chunks(ids)
            for row in self._session.scalars(select(PersonRow).where(PersonRow.id.in_(some)))
        }
        rows |= self._merged_people(id_ for id_ in ids if id_ not in rows)
        return {id_: person(row) for id_, row in rows.items()}

    def _merged_people(self, ids: Iterable[str]) -> dict[str, PersonRow]:
        """Whom people were merged into, by the ids they had."""
        statement = select(MergedRow.id, PersonRow).join(PersonRow, PersonRow.id == MergedRow.person)
        return {
            id_: row
            for some in chunks(ids)
            for id_, row in self._session.execute(statement.where(MergedRow.id.in_(some)))
        }

    def place_photos(self, paths: Mapping[str, str]) -> None:
        """Write down where photos (by sha256) are, of those that are known."""
        for sha256, path in paths.items():
            self._session.execute(
                update(PhotoRow)
                .where(PhotoRow.sha256 == sha256)
                .values(path=path)
                .execution_options(synchronize_session=False)
            )

    def _alike(self, people: Sequence[Person]) -> list[PersonRow]:
        """Everyone with an id, a key or a name of these people, once each."""
        statement = select(PersonRow)
        rows: dict[str, PersonRow] = {}
        for some in chunks(one.id for one in people):
            rows.update(
                (row.id, row) for row in self._session.scalars(statement.where(PersonRow.id.in_(some)))
            )
        for some in chunks(one.key for one in people if one.key):
            rows.update(
                (row.id, row) for row in self._session.scalars(statement.where(PersonRow.key.in_(some)))
            )
        for some in chunks(one.name for one in people):
            rows.update(
                (row.id, row) for row in self._session.scalars(statement.where(PersonRow.name.in_(some)))
            )
        return list(rows.values())
