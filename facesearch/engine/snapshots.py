"""What an index reads of a collection: its vectors, in the order of storing, and which file holds most of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator


class Snapshot:
    """One collection as it was at one moment, however long the reading takes."""

    def __init__(self, connection: sqlite3.Connection, collection: int) -> None:
        self._connection = connection
        self._collection = collection
        row = connection.execute(
            "SELECT face_count, revision FROM collections WHERE number = ?", (collection,)
        ).fetchone()
        self.face_count: int = row[0] if row else 0
        self.revision: int | None = row[1] if row else None

    def vectors_after(self, number: int, batch: int = 4096) -> Iterator[list[tuple[int, bytes]]]:
        """The faces stored after that one, as batches of (number, vector), in the order of storing."""
        cursor = self._connection.execute(
            "SELECT number, vector FROM faces WHERE collection = ? AND number > ? ORDER BY number",
            (self._collection, number),
        )
        while rows := cursor.fetchmany(batch):
            yield rows

    def numbers(self, after: int = 0) -> list[int]:
        """The numbers of all faces stored after that one, in the order of storing."""
        return [
            number
            for (number,) in self._connection.execute(
                "SELECT number FROM faces WHERE collection = ? AND number > ? ORDER BY number",
                (self._collection, after),
            )
        ]

    def count_until(self, number: int) -> int:
        """How many faces are left of those stored up to that one."""
        (count,) = self._connection.execute(
            "SELECT count(*) FROM faces WHERE collection = ? AND number <= ?", (self._collection, number)
        ).fetchone()
        return int(count)

    def file(self) -> tuple[str | None, int]:
        """Which file of vectors is the collection's, and how many of its rows count."""
        if not self._knows_files():
            return None, 0
        found: tuple[str, int] | None = self._connection.execute(
            "SELECT token, rows FROM index_files WHERE collection = ?", (self._collection,)
        ).fetchone()
        return found or (None, 0)

    def file_tokens(self) -> set[str]:
        """The files of vectors of all other collections."""
        if not self._knows_files():
            return set()
        rows = self._connection.execute(
            "SELECT token FROM index_files WHERE collection != ?", (self._collection,)
        )
        return {token for (token,) in rows}

    def name_file(self, token: str | None, rows: int = 0) -> None:
        """Make so many rows of a file of vectors the collection's, or none; for a snapshot that is settled."""
        # Made when first needed: it is no part of what is stored, and a store without it lacks nothing.
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS index_files (collection INTEGER PRIMARY KEY "
            "REFERENCES collections ON DELETE CASCADE, token TEXT NOT NULL, rows INTEGER NOT NULL) STRICT"
        )
        self._connection.execute("DROP TABLE IF EXISTS vector_files")  # its like, before files could grow
        self._connection.execute("DELETE FROM index_files WHERE collection = ?", (self._collection,))
        if token is not None:
            self._connection.execute(
                "INSERT INTO index_files (collection, token, rows) VALUES (?, ?, ?)",
                (self._collection, token, rows),
            )

    def _knows_files(self) -> bool:
        question = "SELECT 1 FROM sqlite_schema WHERE name = 'index_files'"
        return self._connection.execute(question).fetchone() is not None
