"""Which collections the records know, and what becomes of their faces when one is deleted or made anew."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from facesearch.domain import Collection
from facesearch.records.tables import (
    CALIBRATIONS,
    CHANGES,
    COLLECTIONS,
    FACES,
    JOURNAL,
    SIGHTINGS,
)
from facesearch.records.unit import AnyRow, Unit

# What `collection_of` makes a collection of, beside columns of other tables.
DESCRIBED = (
    COLLECTIONS.c.collection_id,
    COLLECTIONS.c.arn,
    COLLECTIONS.c.model_version,
    COLLECTIONS.c.created_at,
)

_SAME_MOMENT = timedelta(seconds=1)  # a service may round CreationTimestamp differently from call to call


class CollectionRecords(Unit):
    """Collections, by ARN."""

    def knows_collection(self, collection: Collection) -> bool:
        """Whether it is remembered as it is now, and has not been deleted and made anew since."""
        created = self._connection.scalar(
            select(COLLECTIONS.c.created_at).where(COLLECTIONS.c.arn == collection.arn)
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
        insert = self._insert(COLLECTIONS).on_conflict_do_nothing(index_elements=["arn"])
        self._connection.execute(insert, {"arn": collection.arn, **facts})
        statement = select(COLLECTIONS.c.id, COLLECTIONS.c.model_version, COLLECTIONS.c.created_at)
        known = self._connection.execute(statement.where(COLLECTIONS.c.arn == collection.arn)).one()
        anew = bool(abs(known.created_at - collection.created_at) > _SAME_MOMENT)
        if anew:
            self._erase(FACES.c.collection == known.id, JOURNAL.c.collection == known.id)
            self._delete(CHANGES, CHANGES.c.collection == known.id)
            self._delete(CALIBRATIONS, CALIBRATIONS.c.collection == known.id)
            self._delete(SIGHTINGS, SIGHTINGS.c.collection == known.id)
            facts["threshold"] = None
            facts["users"] = False
        if anew or known.model_version != collection.model_version:
            self._connection.execute(update(COLLECTIONS).where(COLLECTIONS.c.id == known.id).values(facts))
        return anew

    def forget_collection(self, arn: str) -> int:
        """Delete everything about a collection but its people. Returns how many face records went."""
        number = self._connection.scalar(select(COLLECTIONS.c.id).where(COLLECTIONS.c.arn == arn))
        if number is None:
            return 0
        erased = self._erase(FACES.c.collection == number, JOURNAL.c.collection == number)
        self._delete(COLLECTIONS, COLLECTIONS.c.id == number)
        return erased


def collection_of(row: AnyRow) -> Collection:
    """A row of DESCRIBED as the domain knows it."""
    return Collection(row.collection_id, row.arn, row.model_version, row.created_at)
