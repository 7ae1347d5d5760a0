"""Which collections the records know, and what becomes of their faces when one is deleted or made anew."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from facesearch.domain import Collection
from facesearch.records.tables import (
    CalibrationRow,
    ChangeRow,
    CollectionRow,
    FaceRow,
    JournalRow,
    SightingRow,
)
from facesearch.records.unit import Unit

_SAME_MOMENT = timedelta(seconds=1)  # a service may round CreationTimestamp differently from call to call


class CollectionRecords(Unit):
    """Collections, by ARN."""

    def knows_collection(self, collection: Collection) -> bool:
        """Whether it is remembered as it is now, and has not been deleted and made anew since."""
        created = self._session.scalar(
            select(CollectionRow.created_at).where(CollectionRow.arn == collection.arn)
        )
        return created is not None and abs(created - collection.created_at) <= _SAME_MOMENT

    def remember_collection(self, collection: Collection) -> bool:
        """Know the collection from now on.

        True when the one known under this ARN was created at another time: that one is gone, and the records
        of its faces, its journal, its changes, its sightings and its calibration are deleted here, with its
        threshold.
        """
        facts: dict[str, object] = {
            "collection_id": collection.collection_id,
            "model_version": collection.model_version,
            "created_at": collection.created_at,
        }
        insert = self._insert(CollectionRow).on_conflict_do_nothing(index_elements=["arn"])
        self._session.connection().execute(insert, {"arn": collection.arn, **facts})
        statement = select(CollectionRow.id, CollectionRow.model_version, CollectionRow.created_at)
        known = self._session.execute(statement.where(CollectionRow.arn == collection.arn)).one()
        anew = bool(abs(known.created_at - collection.created_at) > _SAME_MOMENT)
        if anew:
            self._erase(FaceRow.collection == known.id, JournalRow.collection == known.id)
            self._delete(ChangeRow, ChangeRow.collection == known.id)
            self._delete(CalibrationRow, CalibrationRow.collection == known.id)
            self._delete(SightingRow, SightingRow.collection == known.id)
            facts["threshold"] = None
            facts["users"] = False
        if anew or known.model_version != collection.model_version:
            self._session.execute(update(CollectionRow).where(CollectionRow.id == known.id).values(facts))
        return anew

    def forget_collection(self, arn: str) -> int:
        """Delete everything about a collection but its people. Returns how many face records went."""
        number = self._session.scalar(select(CollectionRow.id).where(CollectionRow.arn == arn))
        if number is None:
            return 0
        erased = self._erase(FaceRow.collection == number, JournalRow.collection == number)
        self._delete(CollectionRow, CollectionRow.id == number)
        return erased
