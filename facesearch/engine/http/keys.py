"""Access keys: who may call the server. One SQLite file of its own, for its owner's eyes alone (mode 0600).

A signature can only be checked with the secret itself, so secrets are kept as they are; that of a revoked key is
erased. Nothing is remembered between two questions: what one process creates or revokes, all others know at once.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import string
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from facesearch.engine.errors import StoreError

APPLICATION_ID = 0x46534B79
SCHEMA_VERSION = 1

_BUSY_SECONDS = 10.0
_SCHEMA = """
CREATE TABLE access_keys (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    access_key_id TEXT NOT NULL UNIQUE,
    secret_access_key TEXT,
    name TEXT,
    collections TEXT,
    read_only INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT
"""
_COLUMNS = "access_key_id, secret_access_key, name, collections, read_only, created_at, revoked_at"

# AWS's own forms: AKIA and 16 characters of base 32; 40 of base 64, without the + that starts formulas in CSV.
_ID_LETTERS = string.ascii_uppercase + "234567"
_SECRET_LETTERS = string.ascii_letters + string.digits + "/"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key. `collections` None is all of them. The secret of a revoked key is empty."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    name: str | None
    collections: tuple[str, ...] | None
    read_only: bool
    created_at: datetime
    revoked_at: datetime | None = None


class Keys:
    """The keys in one file, which is made with the first key.

    All methods raise StoreError when there is a file that cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, store: Path) -> Keys:
        """Those of a store: `engine-keys.db` beside `engine.db`."""
        return cls(store.with_name(f"{store.stem}-keys.db"))

    def create(
        self, name: str | None = None, collections: Sequence[str] = (), *, read_only: bool = False
    ) -> AccessKey:
        """Make a key; without `collections` it may use all of them."""
        key = AccessKey(
            access_key_id="AKIA" + "".join(secrets.choice(_ID_LETTERS) for _ in range(16)),
            secret_access_key="".join(secrets.choice(_SECRET_LETTERS) for _ in range(40)),
            name=name,
            collections=tuple(dict.fromkeys(collections)) or None,
            read_only=read_only,
            created_at=datetime.now(UTC),
        )
        with self._opened("BEGIN IMMEDIATE", make=True) as connection:
            if not _has_schema(connection, self.path):
                _make_schema(connection)
            connection.execute(
                f"INSERT INTO access_keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, NULL)",  # noqa: S608 - constant
                (
                    key.access_key_id,
                    key.secret_access_key,
                    key.name,
                    None if key.collections is None else json.dumps(key.collections),
                    key.read_only,
                    key.created_at.isoformat(),
                ),
            )
        return key

    def all(self) -> list[AccessKey]:
        """Every key there ever was, oldest first."""
        return self._select("ORDER BY number")

    def find(self, access_key_id: str) -> AccessKey | None:
        """The key of this id, unless it was revoked."""
        found = self._select("WHERE access_key_id = ? AND revoked_at IS NULL", access_key_id)
        return found[0] if found else None

    def revoke(self, access_key_id: str) -> bool:
        """Take a key back for good; False when there is none, or it was taken back before."""
        with self._opened("BEGIN IMMEDIATE") as connection:
            if not _has_schema(connection, self.path):
                return False
            revoked = connection.execute(
                "UPDATE access_keys SET revoked_at = ?, secret_access_key = NULL "
                "WHERE access_key_id = ? AND revoked_at IS NULL",
                (datetime.now(UTC).isoformat(), access_key_id),
            )
            return revoked.rowcount > 0

    def ever_created(self) -> bool:
        """Whether there was a key at any time."""
        return bool(self._select("LIMIT 1"))

    def _select(self, clause: str, *parameters: str) -> list[AccessKey]:
        with self._opened("BEGIN") as connection:
            if not _has_schema(connection, self.path):
                return []
            query = f"SELECT {_COLUMNS} FROM access_keys {clause}"  # noqa: S608 - our own constants
            return [_key(row) for row in connection.execute(query, parameters)]

    @contextmanager
    def _opened(self, begin: str, *, make: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction on the file; on an empty database in memory as long as there is no file."""
        try:
            if make:
                _make_file(self.path)
            # Of these two modes neither makes a file, which would not be for its owner alone.
            uri = f"{self.path.absolute().as_uri()}?mode=rw" if self.path.exists() else "file::memory:"
            connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
            with closing(connection), connection:
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute(begin)
                yield connection
        except (sqlite3.Error, OSError) as exc:
            raise StoreError(f"{self.path} cannot be used as the file of access keys: {exc}") from exc


def _make_file(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _has_schema(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether keys can be in the file; False for an empty one. Raises StoreError for one that is not ours."""
    application, version, tables = (
        connection.execute(question).fetchone()[0]
        for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
    )
    if tables and (application, version) != (APPLICATION_ID, SCHEMA_VERSION):
        raise StoreError(f"{path} is no file of access keys that this version can read")
    return bool(tables)


def _make_schema(connection: sqlite3.Connection) -> None:
    connection.execute(_SCHEMA)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _key(row: tuple[str, str | None, str | None, str | None, int, str, str | None]) -> AccessKey:
    access_key_id, secret, name, collections, read_only, created_at, revoked_at = row
    return AccessKey(
        access_key_id,
        secret or "",
        name,
        None if collections is None else tuple(json.loads(collections)),
        bool(read_only),
        datetime.fromisoformat(created_at),
        datetime.fromisoformat(revoked_at) if revoked_at else None,
    )
