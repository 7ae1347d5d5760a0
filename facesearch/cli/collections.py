"""`facesearch collection`: the face collections of an engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import failures, options, shapes
from facesearch.cli.deletions import show_deletion
from facesearch.cli.output import Column, Format, Row, View, show_document, show_list, show_one, write
from facesearch.cli.session import opened
from facesearch.cli.talk import agreed, counted, say
from facesearch.domain import Collection

if TYPE_CHECKING:
    from facesearch.app import FaceSearch
    from facesearch.settings import Settings

_named = click.argument("collection_id", metavar="ID", callback=options.checked_collection_id)


_DEFAULT = "default"


def _own_threshold(ctx: click.Context, param: click.Parameter, value: str) -> str | None:
    return value if value == _DEFAULT else options.checked_threshold(ctx, param, value)


@click.group()
def collection() -> None:
    """Create, list, show, edit and delete face collections.

    \b
    Example:
      facesearch collection list
    """


@collection.command()
@_named
@options.connection
@options.output
def create(collection_id: str, settings: Settings, form: Format) -> None:
    """Create an empty collection; enroll also creates the one it needs.

    \b
    Example:
      facesearch collection create staff
    """
    with opened(settings, collection_id) as app:
        app.create_collection(collection_id)
        _show(app, collection_id, form)


@collection.command("list")
@options.connection
@options.output
def list_(settings: Settings, form: Format) -> None:
    """List the collections of the engine with their number of faces.

    \b
    Example:
      facesearch collection list -o json
    """
    with opened(settings) as app:
        show_list(form, COLLECTIONS, app.collections(), {"engine": app.engine})


@collection.command()
@_named
@options.connection
@options.output
def show(collection_id: str, settings: Settings, form: Format) -> None:
    """Show one collection as the service describes it.

    \b
    Example:
      facesearch collection show staff
    """
    with opened(settings, collection_id) as app:
        _show(app, collection_id, form)


@collection.command()
@_named
@click.option(
    "--threshold",
    metavar="N|fmr=RATE|default",
    required=True,
    callback=_own_threshold,
    help="Where none is asked for: a similarity, the rate of false matches to keep to, or `default`, which is 80.",
)
@options.connection
@options.output
def edit(collection_id: str, threshold: str, settings: Settings, form: Format) -> None:
    """Set the threshold of a collection.

    Searches keep to it when none is asked for.

    \b
    Example:
      facesearch collection edit staff --threshold 92
      facesearch collection edit staff --threshold fmr=1e-3
      facesearch collection edit staff --threshold default
    """
    with opened(settings, collection_id) as app:
        app.set_threshold(collection_id, None if threshold == _DEFAULT else threshold)
        _show(app, collection_id, form)


@collection.command()
@_named
@options.yes
@options.connection
@options.output
def delete(collection_id: str, yes: bool, settings: Settings, form: Format) -> int:
    """Delete a collection with all its faces; the people stay on record.

    \b
    Example:
      facesearch collection delete staff
      facesearch collection delete staff --yes
    """
    with opened(settings, collection_id) as app:
        faces = counted(app.collection(collection_id).face_count, "face")
        people = counted(sum(1 for _ in app.people(collection_id)), "person", "people")
        consequence = (
            f"Collection {collection_id} will be deleted, with {faces} of {people}; the people stay."
        )
        if not agreed(consequence, yes=yes):
            return failures.NO
        return show_deletion(form, app.delete_collection(collection_id))


@collection.command()
@_named
@click.argument("switch", metavar="on|off", type=click.Choice(["on", "off"]))
@options.yes
@options.connection
@options.output
def users(collection_id: str, switch: str, yes: bool, settings: Settings, form: Format) -> int:
    """Make each person a user, or delete the users.

    A user stands for all faces of a person, 100 at most, which finds people better than each face by itself: see
    `facesearch search --by user`. Once on, every enrolment keeps the users up. No call of it is billed; AWS takes
    five a second, and asks for the storage of a vector for each user.

    \b
    Example:
      facesearch collection users staff on
      facesearch search visitor.jpg -c staff --by user
      facesearch collection users staff off --yes
    """
    with opened(settings, collection_id) as app:
        if switch == "off":
            if not agreed(f"The users of collection {collection_id} will be deleted; faces stay.", yes=yes):
                return failures.NO
            _told(form, {"users": "off", "deleted_users": app.drop_users(collection_id)})
            return failures.DONE
        kept = app.keep_users(collection_id)
        _told(
            form, {"users": "on", "people": kept.people, "faces": kept.faces, "refused": dict(kept.refused)}
        )
        for face_id, why in list(kept.refused.items())[:20]:
            say(f"{face_id}: {why}")
    return failures.PARTLY if kept.refused else failures.DONE


def _told(form: Format, answer: dict[str, Any]) -> None:
    if form is Format.TABLE:
        write(
            ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in answer.items() if value != {})
        )
    else:
        show_document(answer)


def _show(app: FaceSearch, collection_id: str, form: Format) -> None:
    """A collection with the threshold that it keeps to, if one was set."""
    own = app.own_threshold(collection_id)
    view = replace(
        COLLECTIONS,
        shape=lambda item: {**shapes.collection(item), "threshold": own},
        rows=lambda item: [{**shapes.collection(item), "threshold": own}],
        fields=(*COLLECTIONS.fields, "threshold"),
    )
    show_one(form, view, app.collection(collection_id), "collection")


def _rows(item: Collection) -> Iterator[Row]:
    yield shapes.collection(item)


COLLECTIONS: View[Collection] = View(
    key="collections",
    shape=shapes.collection,
    rows=_rows,
    fields=("collection_id", "face_count", "user_count", "face_model_version", "created_at", "arn"),
    columns=(
        Column("collection_id", "collection"),
        Column("face_count", "faces"),
        Column("face_model_version", "model"),
        Column("created_at", "created"),
    ),
    empty="no collections",
)
