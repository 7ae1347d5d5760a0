"""Tags of collections, in the store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from facesearch.engine import errors
from facesearch.engine.connections import Connections

# AWS' limit for every resource; the service model alone would let 200 through.
MAX_TAGS = 50


class Tags:
    """The tags of the collections in a store, each by the collection's id; all raise ResourceNotFoundException."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def tags_of(self, collection_id: str) -> dict[str, str]:
        """All tags, by key."""
        with self._connections.reading() as connection:
            return dict(
                connection.execute(
                    "SELECT key, value FROM tags WHERE collection = ? ORDER BY key",
                    (_collection(connection, collection_id),),
                )
            )

    def set_tags(self, collection_id: str, tags: Mapping[str, str]) -> None:
        """Set tags; a key that is there gets the new value. Raises ServiceQuotaExceededException."""
        with self._connections.writing() as connection:
            collection = _collection(connection, collection_id)
            connection.executemany(
                "INSERT OR REPLACE INTO tags (collection, key, value) VALUES (?, ?, ?)",
                [(collection, key, value) for key, value in tags.items()],
            )
            (count,) = connection.execute(
                "SELECT count(*) FROM tags WHERE collection = ?", (collection,)
            ).fetchone()
            if count > MAX_TAGS:
                raise errors.too_many_tags(MAX_TAGS)

    def unset_tags(self, collection_id: str, keys: Sequence[str]) -> None:
        """Remove tags; a key that is not there is no error."""
        with self._connections.writing() as connection:
            connection.execute(
                "DELETE FROM tags WHERE collection = ? AND key IN (SELECT value FROM json_each(?))",
                (_collection(connection, collection_id), json.dumps(list(keys))),
            )


def _collection(connection: sqlite3.Connection, collection_id: str) -> int:
    found = connection.execute(
        "SELECT number FROM collections WHERE collection_id = ?", (collection_id,)
    ).fetchone()
    if found is None:
        raise errors.collection_not_found(collection_id)
    return int(found[0])
