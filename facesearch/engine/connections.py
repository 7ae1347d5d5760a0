"""Connections to the store's SQLite file, and the schema in it.

SQLite lets many read while one writes. Each transaction borrows a connection of its own, so any number of
threads may work at once; a child of fork() opens new ones, since a connection must never be used on both sides.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facesearch.engine import errors
from facesearch.engine.errors import RekognitionError, StoreError

# What the file says it is (PRAGMA application_id) and which of these schemas it holds (PRAGMA user_version).
APPLICATION_ID = 0x46536E67
SCHEMA_VERSION = 1

_BUSY_SECONDS = 30.0

_SCHEMA = """
CREATE TABLE store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    account_id TEXT NOT NULL,
    token_key BLOB NOT NULL
) STRICT;
CREATE TABLE collections (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    collection_id TEXT NOT NULL UNIQUE,
    model_version TEXT NOT NULL,
    created_at REAL NOT NULL,
    face_count INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE tags (
    collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (collection, key)
) STRICT;
CREATE TABLE faces (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
    face_id TEXT NOT NULL,
    image_id TEXT NOT NULL,
    external_image_id TEXT,
    left REAL NOT NULL,
    top REAL NOT NULL,
    width REAL NOT NULL,
    height REAL NOT NULL,
    confidence REAL NOT NULL,
    model_version TEXT NOT NULL,
    vector BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX faces_by_id ON faces (collection, face_id);
CREATE INDEX faces_by_image ON faces (collection, image_id);
CREATE INDEX faces_by_collection ON faces (collection); -- and, as in every index, by number
"""


class Connections:
    """A pool over one file; a path of None is a database in memory, used by one thread at a time."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._memory = threading.Lock()
        self._process = os.getpid()
        self._idle: list[sqlite3.Connection] = []
        self._inherited: list[sqlite3.Connection] = []
        self._closed = False
        try:
            if path is not None:
                _make_file(path)
            self._idle.append(self._open())
            with self.reading() as connection:
                version = _schema_version(connection, path)
            if version == 0:
                with self.writing() as connection:
                    _make_schema(connection)
        except StoreError:
            self.close()
            raise
        except (sqlite3.Error, OSError, RekognitionError) as exc:
            self.close()
            raise StoreError(f"{path} cannot be used as the engine's store: {exc}") from exc

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one moment of the store."""
        with self._borrowed() as connection, _transaction(connection, "BEGIN"):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is on disk when the block ends, and undone when it raises."""
        with self._borrowed() as connection, _transaction(connection, "BEGIN IMMEDIATE"):
            yield connection

    @contextmanager
    def erasing(self) -> Iterator[sqlite3.Connection]:
        """A transaction after which nothing of what it deleted is left in the write-ahead log either."""
        with self._borrowed() as connection:
            with _transaction(connection, "BEGIN IMMEDIATE"):
                yield connection
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        """Close what is idle now, and what is borrowed when it comes back."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        if self._process != os.getpid():
            self._start_over()
        with self._memory if self._path is None else contextlib.nullcontext():
            with self._guard:
                if self._closed:
                    raise RuntimeError("the engine is closed")
                connection = self._idle.pop() if self._idle else None
            connection = connection or self._open()
            try:
                yield connection
            finally:
                with self._guard:
                    keep = not self._closed
                    if keep:
                        self._idle.append(connection)
                if not keep:
                    connection.close()

    def _start_over(self) -> None:
        # In a child of fork(): the parent's connections may neither be used nor closed here, and its locks may
        # have been held by threads that do not exist here. A database in memory has no file and stays as it was.
        self._process = os.getpid()
        self._guard, self._memory = threading.Lock(), threading.Lock()
        if self._path is not None:
            self._inherited += self._idle
            self._idle = []

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path or ":memory:", timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _set_up(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    try:
        connection.execute(begin)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            raise errors.throttled() from exc
        raise


def _make_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives its log and its shared memory the mode of the file itself.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA synchronous = FULL")
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as exc:
            # Several processes that make the same file at once: changing its journal does not wait by itself.
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _schema_version(connection: sqlite3.Connection, path: Path | None) -> int:
    """Which schema the file holds, 0 for a new file. Raises StoreError for one that is not ours to use."""
    application, version, tables = (
        connection.execute(question).fetchone()[0]
        for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
    )
    if tables and application != APPLICATION_ID:
        raise StoreError(f"{path} is a database of another program")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer version of the engine: "
            f"its schema is {version}, and this one knows {SCHEMA_VERSION}"
        )
    return int(version)


def _make_schema(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA user_version").fetchone()[0]:
        return  # another process was faster
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute(
        "INSERT INTO store (id, account_id, token_key) VALUES (1, ?, ?)",
        (str(10**11 + secrets.randbelow(9 * 10**11)), secrets.token_bytes(32)),
    )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
