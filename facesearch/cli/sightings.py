"""`facesearch sightings`: who was seen where, by the searches that were written down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import options, shapes
from facesearch.cli.output import Column, Fit, Format, Row, View, nearby, show_list
from facesearch.cli.session import opened
from facesearch.domain.sightings import Sighting

if TYPE_CHECKING:
    from facesearch.settings import Settings


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """A date or a time; UTC unless it says otherwise."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as exc:
        raise click.BadParameter(
            f"{value!r} is not a date or time such as 2026-03-01 or 2026-03-01T12:00 (UTC)"
        ) from exc


@click.command()
@click.option("--person", "ref", metavar="PERSON", help="Only of this person: id, key or name.")
@click.option("--photo", metavar="FILE", type=options.PATH, help="Only in this photo, wherever it lies now.")
@click.option(
    "--since", metavar="WHEN", callback=_moment, help="Only of searches since this date or time, in UTC."
)
@options.records
@options.output
def sightings(
    ref: str | None, photo: Path | None, since: datetime | None, settings: Settings, form: Format
) -> None:
    """List who was seen in which photo, the newest first.

    What `facesearch search --record` wrote down: for every face the person it is most like.

    \b
    Example:
      facesearch sightings --person "Ada Lovelace"
      facesearch sightings --photo party/17.jpg
      facesearch sightings --since 2026-03-01 -o csv
    """
    with opened(settings) as app:
        show_list(form, SIGHTINGS, app.sightings(ref, photo=photo, since=since))


def shape(one: Sighting) -> dict[str, Any]:
    """A sighting in JSON."""
    return {
        "seen_at": shapes.moment(one.seen_at),
        "person": shapes.person(one.person),
        "collection": one.collection_id,
        "photo": {"path": one.photo.path, "sha256": one.photo.sha256},
        "box": shapes.box(one.box),
        "similarity": one.similarity,
        "threshold": one.threshold,
        "margin": one.margin,
        "agreeing_faces": one.agreeing,
        "enrolled_faces": one.enrolled,
        "face_id": one.face_id,
    }


def _rows(one: Sighting) -> Iterator[Row]:
    yield {
        **shape(one),
        "when": f"{one.seen_at:%Y-%m-%d %H:%M} UTC",
        "person_id": one.person.id,
        "person_key": one.person.key,
        "person_name": one.person.name,
        "photo": one.photo.path,
        "shown_photo": nearby(one.photo.path),
        "sha256": one.photo.sha256,
        "box_left": one.box.left,
        "box_top": one.box.top,
        "box_width": one.box.width,
        "box_height": one.box.height,
    }


SIGHTINGS: View[Sighting] = View(
    key="sightings",
    shape=shape,
    rows=_rows,
    fields=(
        "seen_at", "person_id", "person_key", "person_name", "collection", "photo", "sha256", "similarity",
        "threshold", "margin", "agreeing_faces", "enrolled_faces", "face_id",
        "box_left", "box_top", "box_width", "box_height",
    ),
    columns=(
        Column("when", "when", Fit.WHOLE),
        Column("person_name", "person"),
        Column("shown_photo", "photo", Fit.TAIL),
        Column("similarity", "similarity"),
        Column("collection", "collection"),
    ),
    empty="nobody was seen; `facesearch search --record` writes down who is",
)  # fmt: skip
