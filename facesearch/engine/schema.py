"""The tables of the store's file, version by version.

A new file goes through all versions, an old one through those it lacks: what the two end with cannot differ.
"""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path

from facesearch.engine.errors import StoreError

# What the file says it is (PRAGMA application_id) and which of these versions it holds (PRAGMA user_version).
APPLICATION_ID = 0x46536E67

_VERSIONS = (
    # 1: collections and their faces.
    """
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
    """,
    # 2: users. A face is of one user or of none. A user's vector is the mean of its faces', NULL without any;
    # its revision is the one of the collection's users at which it last changed.
    """
    ALTER TABLE collections ADD COLUMN user_count INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE collections ADD COLUMN user_revision INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE users (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
        user_id TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'CREATED',
        revision INTEGER NOT NULL,
        vector BLOB
    ) STRICT;
    CREATE UNIQUE INDEX users_by_id ON users (collection, user_id);
    CREATE INDEX users_by_revision ON users (collection, revision);
    ALTER TABLE faces ADD COLUMN user INTEGER REFERENCES users ON DELETE SET NULL;
    CREATE INDEX faces_by_user ON faces (user) WHERE user IS NOT NULL;
    CREATE TABLE requests (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
        operation TEXT NOT NULL,
        token TEXT NOT NULL,
        digest BLOB NOT NULL,
        answer TEXT NOT NULL,
        made_at REAL NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX requests_by_token ON requests (operation, token);
    CREATE INDEX requests_by_collection ON requests (collection);
    CREATE INDEX requests_by_time ON requests (made_at);
    """,
    # 3: face models beside the default one. `models` says what the versions stand for that were ever chosen, and
    # `model` which of them new collections get, NULL being the default.
    """
    CREATE TABLE models (
        version TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        sha256 TEXT
    ) STRICT;
    ALTER TABLE store ADD COLUMN model TEXT REFERENCES models;
    """,
    # 4: users are compared by the vectors of their faces themselves.
    """
    ALTER TABLE users DROP COLUMN vector;
    """,
)
SCHEMA_VERSION = len(_VERSIONS)


def version_of(connection: sqlite3.Connection, path: Path | None) -> int:
    """Which version the file holds, 0 for a new file. Raises StoreError for one that is not ours to use."""
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


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Make what the file lacks; inside a transaction that writes, so that it is done whole or not at all."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]  # another process may have been faster
    for statements in _VERSIONS[version:]:
        for statement in statements.split(";\n"):
            connection.execute(statement)
    if version == 0:
        connection.execute(
            "INSERT INTO store (id, account_id, token_key) VALUES (1, ?, ?)",
            (str(10**11 + secrets.randbelow(9 * 10**11)), secrets.token_bytes(32)),
        )
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {max(version, SCHEMA_VERSION)}")
