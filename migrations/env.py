"""Alembic's way to a database: the connection the program hands over, or for developers the URL of alembic.ini."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from alembic import context
from sqlalchemy.types import TypeDecorator

from facesearch.records.engines import Address, make_engine
from facesearch.records.tables import METADATA

if TYPE_CHECKING:
    from sqlalchemy import Connection


def as_stored(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Write our column types into a new migration as what the database stores: migrations do not import ours."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


def migrate(connection: Connection) -> None:
    # Batch mode rebuilds a table where SQLite cannot alter it, and does nothing special on Postgres.
    context.configure(
        connection=connection, target_metadata=METADATA, render_as_batch=True, render_item=as_stored
    )
    with context.begin_transaction():
        context.run_migrations()


def migrate_by_url() -> None:
    url = context.get_x_argument(as_dictionary=True).get("url") or context.config.get_main_option(
        "sqlalchemy.url"
    )
    engine = make_engine(Address.parse(url or ""), migrating=True)
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()


given = context.config.attributes.get("connection")
if given is None:
    migrate_by_url()
else:
    migrate(given)
