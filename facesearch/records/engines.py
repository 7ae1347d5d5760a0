"""From a database's URL to an SQLAlchemy engine that behaves, and from its errors to ours."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError

from facesearch.errors import ConfigurationError, DatabaseError

BUSY_SECONDS = 30.0  # how long a transaction that writes waits for another one to end
CONNECT_SECONDS = 10  # how long to wait for a Postgres server to answer

_WRITING = 7_306_001  # the key of the advisory lock that a writing transaction holds on Postgres
_LOCK_NOT_AVAILABLE = "55P03"  # Postgres' code for having waited longer than lock_timeout
_FOREIGN_KEY_VIOLATION = "23503"

_FORMS = (
    "sqlite:///path/to/file.db and postgresql+psycopg://user:password@host/database are understood "
    "(FACESEARCH_DATABASE_URL, or database_url in facesearch.toml)"
)
_SQLITE = ("sqlite", "sqlite+pysqlite")
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")

_BUSY = "another command has been writing for too long: try again when it is done"

# What SQLite's own error names mean for the person who has to do something about it; by their beginning.
_SQLITE_ADVICE = (
    ("SQLITE_NOTADB", "it is not a SQLite database: name another file in FACESEARCH_DATABASE_URL"),
    ("SQLITE_CORRUPT", "it is damaged: restore it from a backup"),
    ("SQLITE_FULL", "the disk is full: free some space and run the same command again"),
    ("SQLITE_IOERR", "the disk cannot be read or written: check it, and how much space is left"),
    ("SQLITE_CANTOPEN", "it cannot be opened: check the rights of the file and of its folder"),
    ("SQLITE_READONLY", "it cannot be written: check the rights of the file and of its folder"),
    ("SQLITE_BUSY", _BUSY),
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
        hosts = host if isinstance(host, str) else ", ".join(host)
        return cls(url, None, f"Postgres database {url.database or ''} on {hosts}")


def make_engine(address: Address, *, migrating: bool = False) -> Engine:
    """An engine whose transactions begin as they should; nothing is connected yet.

    Transactions that write go one after the other on both databases: they are short, and what one has read still
    holds when it writes. Those of a `reading` engine wait for nobody and keep nobody waiting. A `migrating` engine
    lets SQLite rebuild tables that others refer to.
    Raises DatabaseError when the folder cannot be made or the driver is not installed.
    """
    if address.path is not None:
        _prepare(address.path)
        engine = create_engine(address.url, connect_args={"timeout": BUSY_SECONDS})
        _tame_sqlite(engine, migrating)
        return engine
    try:
        patience = {"connect_timeout": CONNECT_SECONDS} if "connect_timeout" not in address.url.query else {}
        engine = create_engine(
            address.url, connect_args=patience, pool_pre_ping=True, isolation_level="READ COMMITTED"
        )
    except ImportError as exc:
        raise DatabaseError(
            "the driver for Postgres is not installed: run pip install 'facesearch[postgres]'"
        ) from exc
    event.listen(engine, "begin", _begin_postgres)
    return engine


def reading(engine: Engine) -> Engine:
    """The same engine, for transactions that change nothing and see one moment."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    return engine.execution_options(postgresql_readonly=True)


def write_ahead(engine: Engine) -> None:
    """Let those who read a SQLite file go on while one writes; the file remembers it.

    SQLite refuses while another process is at work in a file that is new: it asks for the same when it opens it,
    and until one of them has it, readers and writers wait for each other, which is slower and no less right.
    """
    with closing(engine.raw_connection()) as connection, suppress(sqlite3.OperationalError):
        connection.cursor().execute("PRAGMA journal_mode = WAL").close()


def _only_reads(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("postgresql_readonly"))


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


def _begin_postgres(connection: Connection) -> None:
    """Wait for the transaction that writes to end; the lock goes with the transaction."""
    if not _only_reads(connection):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(BUSY_SECONDS * 1000)}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITING})")


def _begin_sqlite(connection: Connection) -> None:
    """Begin ourselves, since Python's driver would only do so at the first INSERT.

    A transaction that only takes the write lock when it writes is refused at once if another wrote since it began
    to read; IMMEDIATE waits at the start instead.
    """
    connection.exec_driver_sql("BEGIN" if _only_reads(connection) else "BEGIN IMMEDIATE")


def _tame_sqlite(engine: Engine, migrating: bool) -> None:
    foreign_keys = "OFF" if migrating else "ON"

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA foreign_keys = {foreign_keys}").close()
        connection.execute("PRAGMA secure_delete = ON").close()  # an erased name is overwritten in the file

    event.listen(engine, "begin", _begin_sqlite)


def is_mistake_of_ours(exc: DBAPIError) -> bool:
    """Whether a statement of ours was wrong, which no user can help: a traceback must show where."""
    return isinstance(exc, IntegrityError | DataError) and not _refers_to_deleted(exc)


def _refers_to_deleted(exc: DBAPIError) -> bool:
    code = getattr(exc.orig, "sqlstate", None) or getattr(exc.orig, "sqlite_errorname", None)
    return code in (_FOREIGN_KEY_VIOLATION, "SQLITE_CONSTRAINT_FOREIGNKEY")


def translated(exc: DBAPIError, address: Address) -> DatabaseError:
    """The error of a database as ours: what happened, where, and what to do next."""
    if _refers_to_deleted(exc):
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
    if getattr(exc.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
        return DatabaseError(f"cannot use the {address.shown}: {_BUSY}")
    if exc.statement is None:
        return DatabaseError(
            f"cannot connect to the {address.shown}: {said}. Check the address, the name and the password in "
            "FACESEARCH_DATABASE_URL, and that the server runs"
        )
    return DatabaseError(f"the {address.shown} refused what was asked of it, and nothing was written: {said}")
