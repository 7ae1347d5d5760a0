"""From a database's URL to an SQLAlchemy engine that behaves, and from its errors to ours."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError

from facesearch.errors import ConfigurationError, DatabaseError

BEGIN = "facesearch_begin"  # the execution option that holds SQLite's words for beginning a transaction
BUSY_SECONDS = 30.0  # how long a SQLite transaction waits for another one to end
CONNECT_SECONDS = 10  # how long to wait for a Postgres server to answer

_FORMS = (
    "sqlite:///path/to/file.db and postgresql+psycopg://user:password@host/database are understood "
    "(FACESEARCH_DATABASE_URL, or database_url in facesearch.toml)"
)
_SQLITE = ("sqlite", "sqlite+pysqlite")
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")

# What SQLite's own error names mean for the person who has to do something about it; longest prefix first.
_SQLITE_ADVICE = (
    ("SQLITE_NOTADB", "it is not a SQLite database: name another file in FACESEARCH_DATABASE_URL"),
    ("SQLITE_CORRUPT", "it is damaged: restore it from a backup"),
    ("SQLITE_FULL", "the disk is full: free some space and run the same command again"),
    ("SQLITE_IOERR", "the disk cannot be read or written: check it, and how much space is left"),
    ("SQLITE_CANTOPEN", "it cannot be opened: check the rights of the file and of its folder"),
    ("SQLITE_READONLY", "it cannot be written: check the rights of the file and of its folder"),
    (
        "SQLITE_BUSY",
        "another program has been writing for too long: try again when it is done",
    ),
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the records are. `path` is the file of a SQLite database; `shown` names the place without secrets."""

    url: URL
    path: Path | None
    shown: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read a URL. Raises ConfigurationError, which never repeats the URL: a password may be in it."""
        scheme, _, rest = text.partition("://")
        if scheme in _SQLITE and rest.startswith("/"):
            return cls._sqlite(rest[1:])
        if scheme in _POSTGRES:
            return cls._postgres("postgresql+psycopg://" + rest)
        if scheme in _SQLITE or scheme.split("+")[0] in _POSTGRES:
            raise ConfigurationError(f"the database URL begins with {scheme}:// and cannot be used; {_FORMS}")
        raise ConfigurationError(f"no database of this kind can hold the records; {_FORMS}")

    @classmethod
    def _sqlite(cls, file: str) -> Address:
        # The rest is the path as it is: a folder's name may hold a question mark or a percent sign.
        if not file or file.startswith((":memory:", "file:")) or "\0" in file:
            raise ConfigurationError(f"the database URL names no file; {_FORMS}")
        path = Path(file).expanduser().absolute()
        return cls(URL.create("sqlite+pysqlite", database=str(path)), path, str(path))

    @classmethod
    def _postgres(cls, text: str) -> Address:
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            raise ConfigurationError(f"the database URL cannot be understood; {_FORMS}") from None
        host = url.host or url.query.get("host") or "localhost"
        return cls(url, None, f"Postgres database {url.database or ''} on {host}")


def make_engine(address: Address, *, migrating: bool = False) -> Engine:
    """An engine whose transactions begin as they should; nothing is connected yet.

    A migrating engine begins SQLite's exclusively, and lets it rebuild tables that others refer to.
    Raises DatabaseError when the folder cannot be made or the driver is not installed.
    """
    if address.path is not None:
        _prepare(address.path)
        engine = create_engine(address.url, connect_args={"timeout": BUSY_SECONDS})
        _tame_sqlite(engine, migrating)
        return engine
    try:
        patience = {"connect_timeout": CONNECT_SECONDS} if "connect_timeout" not in address.url.query else {}
        return create_engine(address.url, connect_args=patience, pool_pre_ping=True)
    except ImportError as exc:
        raise DatabaseError(
            "the driver for Postgres is not installed: run pip install 'facesearch[postgres]'"
        ) from exc


def _prepare(path: Path) -> None:
    """Make the file if it is not there: what it will hold is nobody's business but its owner's."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as exc:
        raise DatabaseError(
            f"cannot open the records in {path}: {exc.strerror}; check the rights of the file and of its folder, "
            "or name another place in FACESEARCH_DATABASE_URL"
        ) from exc


def _tame_sqlite(engine: Engine, migrating: bool) -> None:
    """Begin transactions ourselves, since Python's driver would only do so at the first INSERT.

    BEGIN IMMEDIATE makes a second writer wait at the start; one that begins reading and writes later would be
    refused at once whenever another wrote in between.
    """
    begin = "BEGIN EXCLUSIVE" if migrating else "BEGIN IMMEDIATE"
    foreign_keys = "OFF" if migrating else "ON"

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL").close()
        connection.execute(f"PRAGMA foreign_keys = {foreign_keys}").close()

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, begin))


def translated(exc: DBAPIError, address: Address) -> DatabaseError:
    """The error of a database as ours: what happened, where, and what to do next."""
    if isinstance(exc, IntegrityError):
        return DatabaseError(
            f"the records in {address.shown} were changed by another command meanwhile: run the same command again"
        )
    said = " ".join(str(exc.orig).split())
    if address.path is not None:
        name = getattr(exc.orig, "sqlite_errorname", "")
        advice = next((advice for prefix, advice in _SQLITE_ADVICE if name.startswith(prefix)), said)
        return DatabaseError(f"cannot use the records in {address.path}: {advice}")
    if address.url.password:
        said = said.replace(str(address.url.password), "***")
    if exc.statement is None:
        return DatabaseError(
            f"cannot connect to the {address.shown}: {said}. Check the address, the name and the password in "
            "FACESEARCH_DATABASE_URL, and that the server runs"
        )
    return DatabaseError(f"the {address.shown} refused what was asked of it, and nothing was written: {said}")
