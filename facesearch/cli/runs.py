"""`facesearch runs`: enrolments as they went, and what each photo of them took."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import options, shapes
from facesearch.cli.output import Column, Fit, Format, Row, View, nearby, show_list, write
from facesearch.cli.session import opened
from facesearch.cli.talk import counted
from facesearch.domain import PhotoStatus, Run, RunPhoto

if TYPE_CHECKING:
    from facesearch.settings import Settings

NO_OUTCOME = "killed or going on"
UNSETTLED = "unsettled"  # the state of a photo whose intent is open


@click.group()
def runs() -> None:
    """Look back at enrolments and their photos.

    \b
    Example:
      facesearch runs list
      facesearch runs show last -o csv
    """


@runs.command("list")
@click.option("-c", "--collection", "collection_id", metavar="ID", callback=options.checked_collection_id,
              help="Only those into this collection.")  # fmt: skip
@options.records
@options.output
def list_(collection_id: str | None, settings: Settings, form: Format) -> None:
    """List enrolments, the newest first.

    \b
    Example:
      facesearch runs list -c staff
    """
    with opened(settings) as app:
        show_list(form, RUNS, app.runs(collection_id))


@runs.command()
@click.argument("ref", metavar="RUN")
@options.records
@options.output
def show(ref: str, settings: Settings, form: Format) -> None:
    """Show where each photo of an enrolment stands. RUN is an id, the beginning of one, or `last`.

    A photo that a later enrolment sent again is shown with that one.

    \b
    Example:
      facesearch runs show last
      facesearch runs show 3f2a9c -o csv
    """
    with opened(settings) as app:
        run = app.run(ref)
        if form is Format.TABLE:
            for line in _summary(run):
                write(line)
            write("")
        show_list(form, PHOTOS, app.run_photos(run), _run_shape(run))


def _summary(run: Run) -> Iterator[str]:
    outcome = run.outcome.value if run.outcome else NO_OUTCOME
    yield f"run {run.id} into collection {run.collection_id}, begun {_when(run)}: {outcome}"
    if run.source:
        yield f"  of {run.source}"
    if run.reason:
        yield f"  {run.reason}"
    if run.counts is not None:
        told = [
            f"{count:,} {status.value.replace('_', ' ')}" for status, count in run.counts.items() if count
        ]
        yield f"  {counted(_total(run), 'photo')}: {', '.join(told) or 'none'}"


def _when(run: Run) -> str:
    return f"{run.started_at:%Y-%m-%d %H:%M:%S} UTC"


def _total(run: Run) -> int:
    return sum(run.counts.values()) if run.counts else 0


def _counts(run: Run) -> dict[str, int] | None:
    return None if run.counts is None else {status.value: run.counts.get(status, 0) for status in PhotoStatus}


def _run_shape(run: Run) -> dict[str, Any]:
    counts = _counts(run)
    return {
        "run": run.id,
        "collection": run.collection_id,
        "source": run.source,
        "started_at": shapes.moment(run.started_at),
        "finished_at": shapes.moment(run.finished_at),
        "outcome": run.outcome.value if run.outcome else None,
        "reason": run.reason,
        "counts": None if counts is None else {"total": _total(run), **counts},
    }


def _run_rows(run: Run) -> Iterator[Row]:
    counts = _counts(run)
    total = None if counts is None else _total(run)
    problems = None
    if counts is not None:
        problems = _total(run) - counts[PhotoStatus.ENROLLED] - counts[PhotoStatus.ALREADY]
    yield {
        **_run_shape(run),
        **(counts or {}),
        "total": total,
        "problems": problems,
        "short": run.id[:8],
        "when": _when(run),
        "word": run.outcome.value if run.outcome else NO_OUTCOME,
    }


def _photo_shape(photo: RunPhoto) -> dict[str, Any]:
    return {
        "photo": photo.path,
        "person": shapes.person(photo.person) if photo.person else None,
        "state": photo.status.value if photo.status else UNSETTLED,
        "reason": photo.reason,
        "attempts": photo.attempts,
        "calls": photo.calls,
        "milliseconds": photo.milliseconds,
        "request_id": photo.request_id,
        "intended_at": shapes.moment(photo.intended_at),
        "settled_at": shapes.moment(photo.settled_at),
    }


def _photo_rows(photo: RunPhoto) -> Iterator[Row]:
    yield {
        **_photo_shape(photo),
        "person_id": photo.person.id if photo.person else None,
        "person_name": photo.person.name if photo.person else None,
        "shown_photo": nearby(photo.path),
        "word": photo.status.value.replace("_", " ") if photo.status else UNSETTLED,
    }


RUNS: View[Run] = View(
    key="runs",
    shape=_run_shape,
    rows=_run_rows,
    fields=(
        "run",
        "collection",
        "source",
        "started_at",
        "finished_at",
        "outcome",
        "reason",
        "total",
        *(status.value for status in PhotoStatus),
    ),
    columns=(
        Column("short", "run", Fit.WHOLE),
        Column("when", "when"),
        Column("collection", "collection"),
        Column("source", "of", Fit.TAIL),
        Column("word", "outcome"),
        Column("total", "photos"),
        Column("enrolled", "enrolled"),
        Column("already", "already"),
        Column("problems", "problems"),
    ),
    empty="no runs",
)
PHOTOS: View[RunPhoto] = View(
    key="photos",
    shape=_photo_shape,
    rows=_photo_rows,
    fields=(
        "photo",
        "person_id",
        "person_name",
        "state",
        "reason",
        "attempts",
        "calls",
        "milliseconds",
        "request_id",
        "intended_at",
        "settled_at",
    ),
    columns=(
        Column("shown_photo", "photo", Fit.TAIL),
        Column("person_name", "person"),
        Column("word", "state"),
        Column("attempts", "attempts"),
        Column("calls", "calls"),
        Column("milliseconds", "ms"),
        Column("reason", "reason"),
    ),
    empty="no photos",
)
