"""The records' database: opened with the right schema, and used in transactions that roll back by default."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from facesearch.errors import DatabaseError
from facesearch.records import schema
from facesearch.records.engines import (
    Address,
    is_mistake_of_ours,
    make_engine,
    reading,
    translated,
    write_ahead,
)
from facesearch.records.repository import Records
from facesearch.records.tables import HEAD


class Database:
    """The records at a URL (`sqlite:///path` or `postgresql+psycopg://...`); may be shared by threads.

    Opening brings a SQLite file up to date, and makes it and its folder for the owner alone. A Postgres
    database is never changed by opening it: `upgrade` does that when its owner says so.

    Raises ConfigurationError for a URL that cannot be used, and DatabaseError for a database that cannot be
    reached or written, or whose schema is behind (Postgres) or ahead of this program.
    """

    def __init__(self, url: str) -> None:
        self._address = Address.parse(url)
        self._engine = make_engine(self._address)
        self._reading = reading(self._engine)
        try:
            self._check_schema(url)
            if self._address.path is not None:
                write_ahead(self._engine)
        except BaseException:
            self.close()
            raise

    def _check_schema(self, url: str) -> None:
        with _errors_translated(self._address), self._reading.connect() as connection:
            current = schema.stamped(connection)
        if current == HEAD:
            return
        if self._address.path is not None:
            upgrade(url)
            return
        schema.check_known(current, self._address.shown)
        found = f"at revision {current}" if current else "empty"
        raise DatabaseError(
            f"the {self._address.shown} is {found} and needs revision {HEAD}: run `facesearch db upgrade`"
        )

    @contextmanager
    def begin(self) -> Iterator[Records]:
        """One transaction: committed when the block ends, rolled back by any exception.

        Such blocks go on one at a time in a database; another, of any process, waits at its start. What only
        reads belongs into `read`.
        """
        with _errors_translated(self._address), self._engine.begin() as connection:
            yield Records(connection)

    @contextmanager
    def read(self) -> Iterator[Records]:
        """One transaction that changes nothing and keeps no writer waiting, however long it lasts."""
        with _errors_translated(self._address), self._reading.connect() as connection:
            yield Records(connection)

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()


def upgrade(url: str) -> str:
    """Bring the schema at a URL up to date, waiting for others that do the same, and name its revision.

    Raises what opening a Database raises.
    """
    address = Address.parse(url)
    engine = make_engine(address, migrating=True)
    try:
        with _errors_translated(address), engine.begin() as connection:
            schema.upgrade(connection, address.shown)
    finally:
        engine.dispose()
    return HEAD


def revision(url: str) -> tuple[str | None, str]:
    """The revision of the schema at a URL, None where there is none, and the newest one. Changes nothing."""
    address = Address.parse(url)
    if address.path is not None and not address.path.exists():
        return None, HEAD
    engine = make_engine(address)
    try:
        with _errors_translated(address), reading(engine).connect() as connection:
            return schema.stamped(connection), HEAD
    finally:
        engine.dispose()


@contextmanager
def _errors_translated(address: Address) -> Iterator[None]:
    try:
        yield
    except DBAPIError as exc:
        if is_mistake_of_ours(exc):
            raise
        raise translated(exc, address) from exc
