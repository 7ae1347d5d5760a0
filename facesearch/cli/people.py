"""`facesearch person`: the people on record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from facesearch.cli import options, regrouping, shapes, sightings
from facesearch.cli.erase import erase
from facesearch.cli.output import Column, Fit, Format, Row, View, show_document, show_list, show_one, write
from facesearch.cli.safe import json_text
from facesearch.cli.session import opened
from facesearch.domain import PersonSummary

if TYPE_CHECKING:
    from facesearch.settings import Settings

LAST_SEEN = 20  # sightings that are shown with a person

_named = click.argument("ref", metavar="PERSON")


@click.group()
def person() -> None:
    """List, show, edit, merge, split and erase the people on record.

    PERSON is an id, a key or a name.

    \b
    Example:
      facesearch person list -c staff
    """


@person.command("list")
@click.option("-c", "--collection", "collection_id", metavar="ID", callback=options.checked_collection_id,
              help="Only those with a face in this collection.")  # fmt: skip
@options.connection
@options.output
def list_(collection_id: str | None, settings: Settings, form: Format) -> None:
    """List the people on record with their number of faces.

    \b
    Example:
      facesearch person list
      facesearch person list -c staff -o csv
    """
    with opened(settings, collection_id) as app:
        show_list(form, PEOPLE, app.people(collection_id))


@person.command()
@_named
@options.connection
@options.output
def show(ref: str, settings: Settings, form: Format) -> None:
    """Show what is on record of a person.

    Where they were last seen is shown too, and who was merged into them.

    \b
    Example:
      facesearch person show "Ada Lovelace"
    """
    with opened(settings) as app:
        found = app.person(ref)
        seen = list(app.sightings(found.person.id, limit=LAST_SEEN))
        formers = app.formerly(found.person.id)
        if form is Format.JSON:
            show_document(
                {
                    "person": shapes.person_summary(found),
                    "merged": [regrouping.former(one) for one in formers],
                    "sightings": [sightings.shape(one) for one in seen],
                }
            )
            return
        show_one(form, PEOPLE, found)
        if form is Format.TABLE and formers:
            write("")
            show_list(form, regrouping.FORMERS, formers)
        if form is Format.TABLE and seen:
            write("")
            show_list(form, sightings.SIGHTINGS, seen)


def _object(_ctx: click.Context, _param: click.Parameter, value: str | None) -> dict[str, object] | None:
    """A JSON object out of the option's text."""
    if value is None:
        return None
    try:
        attributes = json.loads(value)
    except (ValueError, RecursionError) as exc:
        raise click.BadParameter(f"{value!r} is not JSON: {exc}") from exc
    if not isinstance(attributes, dict):
        raise click.BadParameter(f"""{value!r} is not an object such as '{{"team": "north"}}'""")
    return attributes


@person.command()
@_named
@click.option("--name", metavar="NAME", help="Another name.")
@click.option("--key", metavar="KEY", help="Your own unique key for the person.")
@click.option(
    "--attributes",
    metavar="JSON",
    callback=_object,
    help="Merged into the attributes; null takes one away.",
)
@click.option("--notes", metavar="TEXT", help="Another note, in place of the one there is.")
@options.connection
@options.output
def edit(
    ref: str,
    name: str | None,
    key: str | None,
    attributes: dict[str, object] | None,
    notes: str | None,
    settings: Settings,
    form: Format,
) -> None:
    """Change what is on record of a person.

    What is not given stays as it is; an empty key or note is taken away.

    \b
    Example:
      facesearch person edit "Ada Lovelace" --key 1815 --attributes '{"team": "engines"}'
    """
    if name is None and key is None and attributes is None and notes is None:
        raise click.UsageError("nothing to change: give --name, --key, --attributes or --notes")
    with opened(settings) as app:
        edited = app.edit_person(ref, name=name, key=key, attributes=attributes, notes=notes)
        show_one(form, PEOPLE, app.person(edited.id), "person")


def _rows(item: PersonSummary) -> Iterator[Row]:
    shape = shapes.person_summary(item)
    attributes = json_text(shape["attributes"]) if shape["attributes"] else None
    where = ", ".join(f"{collection_id}: {count}" for collection_id, count in item.faces.items())
    yield {**shape, "attributes": attributes, "faces": sum(item.faces.values()), "collections": where or None}


person.add_command(regrouping.merge)
person.add_command(regrouping.split)
person.add_command(erase)

PEOPLE: View[PersonSummary] = View(
    key="people",
    shape=shapes.person_summary,
    rows=_rows,
    fields=("id", "key", "name", "attributes", "notes", "faces", "collections", "created_at"),
    columns=(
        Column("id", "id", Fit.WHOLE),
        Column("key", "key"),
        Column("name", "name"),
        Column("faces", "faces"),
        Column("collections", "where"),
    ),
    empty="nobody on record",
)
