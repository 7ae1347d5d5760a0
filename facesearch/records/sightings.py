"""Sightings: which people were seen in which searched photos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from facesearch.domain import Box, Photo, SearchedFace
from facesearch.domain.sightings import Sighting
from facesearch.records.people import WHOSE, person
from facesearch.records.tables import COLLECTIONS, PEOPLE, SIGHTINGS, now
from facesearch.records.unit import AnyRow, Unit, chunks


class SightingRecords(Unit):
    """Sightings, by person and by photo. They go with the person and with the collection."""

    def replace_sightings(
        self, arn: str, photo: Photo, faces: Sequence[SearchedFace], threshold: float
    ) -> int:
        """Write down whom the faces of a searched photo are most like, in place of what was known of the photo.

        People who are not on record (any more) are left out. Returns how many sightings there are.
        """
        collection = self._collection(arn)
        best = [(face.box, face.matches[0]) for face in faces if face.matches]
        there = self._held({match.person.id for _, match in best if match.person})
        rows: list[dict[str, Any]] = [
            {
                "collection": collection,
                "person": match.person.id,
                "sha256": photo.sha256,
                "path": photo.path,
                "left": box.left,
                "top": box.top,
                "width": box.width,
                "height": box.height,
                "similarity": match.similarity,
                "threshold": threshold,
                "margin": match.margin,
                "agreeing": match.agreeing,
                "enrolled": match.enrolled,
                "face_id": match.face_id,
                "seen_at": now(),
            }
            for box, match in best
            if match.person and match.person.id in there
        ]
        self._delete(SIGHTINGS, SIGHTINGS.c.collection == collection, SIGHTINGS.c.sha256 == photo.sha256)
        if rows:
            self._connection.execute(insert(SIGHTINGS), rows)
        return len(rows)

    def sightings(
        self,
        person_id: str | None = None,
        *,
        sha256: str | None = None,
        path: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[Sighting]:
        """Sightings, the newest first: of a person, of a photo by its content or by its path, since a moment.

        Rows are read as they are asked for, so the transaction must stay open as long as the iteration runs.
        """
        statement = (
            select(SIGHTINGS, COLLECTIONS.c.collection_id, *WHOSE)
            .select_from(SIGHTINGS)
            .join(COLLECTIONS, COLLECTIONS.c.id == SIGHTINGS.c.collection)
            .join(PEOPLE, PEOPLE.c.id == SIGHTINGS.c.person)
            .order_by(SIGHTINGS.c.seen_at.desc(), SIGHTINGS.c.id.desc())
            .limit(limit)
        )
        if person_id is not None:
            statement = statement.where(SIGHTINGS.c.person == person_id)
        if sha256 is not None:
            statement = statement.where(SIGHTINGS.c.sha256 == sha256)
        if path is not None:
            statement = statement.where(SIGHTINGS.c.path == path)
        if since is not None:
            statement = statement.where(SIGHTINGS.c.seen_at >= since)
        with self._connection.execute(statement.execution_options(yield_per=1000)) as rows:
            for row in rows:
                yield _sighting(row)

    def _held(self, person_ids: set[str]) -> set[str]:
        """Those of the people who are on record, and stay so until the end of this transaction."""
        return {
            person_id
            for some in chunks(person_ids)
            for person_id in self._connection.scalars(
                select(PEOPLE.c.id).where(PEOPLE.c.id.in_(some)).with_for_update(read=True, key_share=True)
            )
        }


def _sighting(row: AnyRow) -> Sighting:
    return Sighting(
        person=person(row),
        collection_id=row.collection_id,
        photo=Photo(row.sha256, row.path),
        box=Box(row.left, row.top, row.width, row.height),
        similarity=row.similarity,
        threshold=row.threshold,
        margin=row.margin,
        agreeing=row.agreeing,
        enrolled=row.enrolled,
        face_id=row.face_id,
        seen_at=row.seen_at,
    )
