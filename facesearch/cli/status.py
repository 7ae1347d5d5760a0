"""`facesearch status`: what each collection holds, there and here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import failures, options, shapes
from facesearch.cli.output import Column, Format, Row, View, show_list
from facesearch.cli.session import opened
from facesearch.cli.talk import counted, say
from facesearch.domain.reconciliation import CollectionStatus

if TYPE_CHECKING:
    from facesearch.settings import Settings


@click.command()
@click.option("-c", "--collection", "collection_id", metavar="ID", callback=options.checked_collection_id,
              help="Only this collection.")  # fmt: skip
@options.connection
@options.output
def status(collection_id: str | None, settings: Settings, form: Format) -> int:
    """Show what collections hold beside what is on record.

    Only counts are compared, which is quick: equal counts prove nothing, `facesearch reconcile` compares face by
    face. The exit code is 1 when the counts differ or a change was left unsettled.

    \b
    Example:
      facesearch status
      facesearch status -c staff -o json
    """
    with opened(settings, collection_id) as app:
        drifted = []

        def seen() -> Iterator[CollectionStatus]:
            for one in app.status(collection_id):
                if one.drifted:
                    drifted.append(one.collection.collection_id)
                yield one

        show_list(form, STATUS, seen(), {"engine": app.engine})
    if not drifted:
        return failures.DONE
    name = collection_id or (drifted[0] if len(drifted) == 1 else "ID")
    say(
        f"{counted(len(drifted), 'collection')} and the records differ: "
        f"facesearch reconcile -c {name} shows what it is"
    )
    return failures.NO


def _shape(one: CollectionStatus) -> dict[str, Any]:
    there, here = one.there, one.here
    run = here.last_run if here else None
    return {
        "collection_id": one.collection.collection_id,
        "arn": one.collection.arn,
        "exists": there is not None,
        "on_record": here is not None,
        "faces_there": there.face_count if there else None,
        "faces_here": here.faces if here else 0,
        "users_there": there.user_count if there else None,
        "people": here.people if here else 0,
        "photos": here.photos if here else 0,
        "unsettled_photos": here.open_photos if here else 0,
        "unsettled_changes": here.open_changes if here else 0,
        "last_run": {
            "id": run.id,
            "started_at": shapes.moment(run.started_at),
            "finished_at": shapes.moment(run.finished_at),
            "outcome": run.outcome,
        }
        if run
        else None,
        "face_model_version": one.collection.model_version,
        "drift": one.drifted,
    }


def _rows(one: CollectionStatus) -> Iterator[Row]:
    shape = _shape(one)
    run = one.here.last_run if one.here else None
    yield {
        **shape,
        "there": one.there.face_count if one.there else "gone",
        "unsettled": one.unsettled,
        "last_run": run.id if run else None,
        "last_run_started_at": shapes.moment(run.started_at) if run else None,
        "last_run_outcome": run.outcome if run else None,
        "run": f"{run.started_at:%Y-%m-%d %H:%M} {run.outcome or ('ended' if run.finished_at else 'not ended')}"
        if run
        else None,
    }


STATUS: View[CollectionStatus] = View(
    key="collections",
    shape=_shape,
    rows=_rows,
    fields=(
        "collection_id", "faces_there", "faces_here", "people", "photos", "users_there", "unsettled_photos",
        "unsettled_changes", "last_run", "last_run_started_at", "last_run_outcome", "face_model_version", "drift",
        "exists", "on_record", "arn",
    ),
    columns=(
        Column("collection_id", "collection"),
        Column("there", "faces there"),
        Column("faces_here", "faces here"),
        Column("people", "people"),
        Column("photos", "photos"),
        Column("unsettled", "unsettled"),
        Column("run", "last run (UTC)"),
        Column("face_model_version", "model"),
        Column("drift", "drift"),
    ),
    empty="no collections",
)  # fmt: skip
