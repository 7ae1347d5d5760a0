"""The schema's revisions. Alembic is imported only here, and only when there is something to do."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from facesearch.errors import DatabaseError
from facesearch.records.tables import HEAD
from facesearch.shipped import shipped

if TYPE_CHECKING:
    from alembic.config import Config

_VERSION_TABLE = "alembic_version"
_alembic_at_work = threading.Lock()  # Alembic keeps what it is working on in module globals


def stamped(connection: Connection) -> str | None:
    """The revision that the database is at; None for one that has no schema yet."""
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}"))  # noqa: S608 - ours
    return found


def upgrade(connection: Connection, where: str) -> None:
    """Bring a database to HEAD, inside the connection's transaction, which must be the only one that writes.

    Raises DatabaseError for a database that a newer facesearch, or another program, has made.
    """
    current = stamped(connection)  # asked again now that nobody else writes: another may have been faster
    if current == HEAD:
        return
    check_known(current, where)
    if current is None and connection.dialect.name == "sqlite" and _has_tables(connection):
        raise DatabaseError(
            f"{where} is the database of another program: name another file in FACESEARCH_DATABASE_URL"
        )
    from alembic import command

    with _alembic_at_work:
        command.upgrade(configuration(connection), "head")


def _has_tables(connection: Connection) -> bool:
    return bool(set(inspect(connection).get_table_names()) - {_VERSION_TABLE})


def check_known(revision: str | None, where: str) -> None:
    """Raise DatabaseError for a revision that is not among ours: only a newer program can have made it."""
    if revision in (None, HEAD):
        return
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(shipped("migrations")))
    if revision not in {script.revision for script in scripts.walk_revisions()}:
        raise DatabaseError(
            f"the records in {where} were made by a newer facesearch (revision {revision}, this one knows up to "
            f"{HEAD}): run pip install --upgrade facesearch"
        )


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for the migrations that came with the program, bound to a connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
