"""The state of every collection, by counts alone: quick, and changes nothing on either side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from facesearch.domain import Collection
from facesearch.domain.reconciliation import CollectionStatus, RecordedCollection
from facesearch.errors import CollectionNotFoundError
from facesearch.workflows import collections


class Records(Protocol):
    """What this asks of the records."""

    def recorded_collections(self) -> list[RecordedCollection]: ...


class Database(Protocol):
    """Gives transactions that only read."""

    def read(self) -> AbstractContextManager[Records]: ...


def status(gateway: collections.Gateway, database: Database) -> Iterator[CollectionStatus]:
    """Every collection of the engine, and those of it that the records know and the engine has no more.

    Which of the records' collections are the engine's is told by their ARN. An engine without any collection tells
    none, and so what was deleted from it is not in the answer.
    """
    with database.read() as records:
        known = {one.collection.arn: one for one in records.recorded_collections()}
    owners = set()
    for there in collections.listed(gateway):
        owners.add(_owner(there))
        yield CollectionStatus(there, known.pop(there.arn, None))
    yield from (CollectionStatus(None, here) for here in known.values() if _owner(here.collection) in owners)


def status_of(gateway: collections.Gateway, database: Database, collection_id: str) -> CollectionStatus:
    """One collection. Raises CollectionNotFoundError for one that the service does not have, nor the records."""
    with database.read() as records:
        known = [
            one for one in records.recorded_collections() if one.collection.collection_id == collection_id
        ]
    try:
        there = gateway.describe_collection(collection_id)
    except CollectionNotFoundError:
        others = {_owner(other) for other in collections.listed(gateway)}
        ours = [here for here in known if not others or _owner(here.collection) in others]
        if len(ours) != 1:  # none, or of several engines, and which of them this one is cannot be told
            raise
        return CollectionStatus(None, ours[0])
    return CollectionStatus(there, next((one for one in known if one.collection.arn == there.arn), None))


def _owner(collection: Collection) -> str:
    """Partition, region and account of a collection: whose it is."""
    return collection.arn.rpartition(":collection/")[0]
