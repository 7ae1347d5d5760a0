"""Connections to the store's SQLite file.

SQLite lets many read while one writes. Each transaction borrows a connection of its own, so any number of
threads may work at once; a child of fork() opens new ones, since a connection must never be used on both sides.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facesearch.engine import errors, schema
from facesearch.engine.errors import RekognitionError, StoreError

_BUSY_SECONDS = 30.0


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
                version = schema.version_of(connection, path)
            if version < schema.SCHEMA_VERSION:
                with self.writing() as connection:
                    schema.bring_up_to_date(connection)
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
