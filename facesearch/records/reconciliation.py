"""What the records say of collections, for holding it against what the service says."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from facesearch.domain import Collection
from facesearch.domain.changes import ChangeState
from facesearch.domain.reconciliation import LastRun, RecordedCollection
from facesearch.records.tables import INTENT, ChangeRow, CollectionRow, FaceRow, JournalRow, RunRow
from facesearch.records.unit import Unit


class ReconciliationRecords(Unit):
    """Collections as the records know them."""

    def recorded_collections(self) -> list[RecordedCollection]:
        """Every collection of every engine that the records know, in numbers; by CollectionId."""
        faces = self._by_collection(
            select(
                FaceRow.collection,
                func.count(),
                func.count(FaceRow.person.distinct()),
                func.count(FaceRow.photo.distinct()),
            ).group_by(FaceRow.collection)
        )
        photos = self._by_collection(
            select(JournalRow.collection, func.count())
            .where(JournalRow.state == INTENT)
            .group_by(JournalRow.collection)
        )
        changes = self._by_collection(
            select(ChangeRow.collection, func.count())
            .where(ChangeRow.state == ChangeState.INTENT.value)
            .group_by(ChangeRow.collection)
        )
        known = []
        for row in self._session.scalars(
            select(CollectionRow).order_by(CollectionRow.collection_id, CollectionRow.id)
        ):
            face_count, people, photo_count = faces.get(row.id, (0, 0, 0))
            [open_photos], [open_changes] = photos.get(row.id, (0,)), changes.get(row.id, (0,))
            run = self._last_run(row.id)
            collection = _collection(row)
            known.append(
                RecordedCollection(
                    collection, face_count, people, photo_count, open_photos, open_changes, run
                )
            )
        return known

    def _by_collection(self, statement: Select[*tuple[Any, ...]]) -> dict[int, tuple[Any, ...]]:
        return {row[0]: tuple(row[1:]) for row in self._session.execute(statement)}

    def _last_run(self, collection: int) -> LastRun | None:
        newest = select(RunRow).where(RunRow.collection == collection)
        row = self._session.scalar(newest.order_by(RunRow.started_at.desc(), RunRow.id).limit(1))
        return LastRun(row.id, row.started_at, row.finished_at, row.outcome) if row else None


def _collection(row: CollectionRow) -> Collection:
    return Collection(row.collection_id, row.arn, row.model_version, row.created_at)
