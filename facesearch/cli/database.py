"""`facesearch db`: the schema of the records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from facesearch.cli import options
from facesearch.cli.output import Column, Format, Row, View, show_one
from facesearch.cli.talk import say

if TYPE_CHECKING:
    from facesearch.settings import Settings


@dataclass(frozen=True, slots=True)
class Schema:
    """Where a database's schema stands: its revision, None when it is empty, and the newest there is."""

    database: str
    revision: str | None
    newest: str

    @property
    def up_to_date(self) -> bool:
        return self.revision == self.newest


@click.group()
def db() -> None:
    """Show the records' schema or bring it up to date.

    A SQLite file is brought up to date by itself.

    \b
    Example:
      facesearch db current
    """


@db.command()
@options.records
@options.output
def upgrade(settings: Settings, form: Format) -> None:
    """Bring the schema of the records up to date.

    \b
    Example:
      facesearch db upgrade --database-url postgresql+psycopg://localhost/faces
    """
    from facesearch.bootstrap import upgrade_database

    revision = upgrade_database(settings)
    show_one(form, SCHEMAS, Schema(settings.shown()["database_url"][0], revision, revision))


@db.command()
@options.records
@options.output
def current(settings: Settings, form: Format) -> None:
    """Show the schema's revision, and the newest there is.

    \b
    Example:
      facesearch db current
    """
    from facesearch.bootstrap import database_revision

    revision, newest = database_revision(settings)
    schema = Schema(settings.shown()["database_url"][0], revision, newest)
    show_one(form, SCHEMAS, schema)
    if not schema.up_to_date:
        say("not up to date: run `facesearch db upgrade`")


def _shape(schema: Schema) -> dict[str, object]:
    return {**asdict(schema), "up_to_date": schema.up_to_date}


def _rows(schema: Schema) -> Iterator[Row]:
    yield _shape(schema)


SCHEMAS: View[Schema] = View(
    key="schemas",
    shape=_shape,
    rows=_rows,
    fields=("database", "revision", "newest", "up_to_date"),
    columns=tuple(Column(name, name) for name in ("database", "revision", "newest", "up_to_date")),
    empty="",
)
