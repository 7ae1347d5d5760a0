"""`facesearch export` and `facesearch import`: people out of one place and into another."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import failures, options
from facesearch.cli.enroll import report_shape, summary
from facesearch.cli.output import Format, show_document, write
from facesearch.cli.progress import Progress
from facesearch.cli.session import opened
from facesearch.cli.talk import counted, say
from facesearch.domain import PhotoStatus
from facesearch.domain.portability import Import, ImportedPeople, ImportPlan

if TYPE_CHECKING:
    from facesearch.settings import Settings


@click.command("export")
@click.argument("target", metavar="DIR|FILE.zip", type=options.PATH)
@click.option("-c", "--collection", "collection_id", metavar="ID", callback=options.checked_collection_id,
              help="Only those with a face in this collection.")  # fmt: skip
@click.option("--photos", is_flag=True, help="Put the photos themselves in, not only their hashes and paths.")
@options.connection
@options.output
def export(target: Path, collection_id: str | None, photos: bool, settings: Settings, form: Format) -> int:
    """Export people and photos to a new folder or ZIP file.

    What is exported names people: keep it as you keep the photos. Photos that are gone or were changed are left
    out and told (exit code 3).

    \b
    Example:
      facesearch export backup.zip --photos
      facesearch export staff/ -c staff
    """
    with opened(settings, collection_id) as app, Progress("exporting") as progress:
        done = app.export(target, collection_id, photos=photos, on_photo=progress.advance)
    if form is Format.TABLE:
        write(f"{done.path}: {counted(done.people, 'person', 'people')}, {counted(done.faces, 'face')}, "
              f"{counted(done.photos, 'photo')}, {done.photos_inside:,} of them inside")  # fmt: skip
    else:
        show_document(
            {
                "export": done.path,
                "people": done.people,
                "faces": done.faces,
                "photos": done.photos,
                "photos_inside": done.photos_inside,
                "missing": [{"photo": path, "reason": reason} for path, reason in done.missing],
            }
        )
    for path, reason in done.missing:
        say(f"left out: {path}: {reason}")
    return failures.PARTLY if done.missing else failures.DONE


@click.command("import")
@click.argument("source", metavar="DIR|FILE.zip", type=options.PATH)
@options.collection
@click.option("--dry-run", is_flag=True, help="Only say what would be done and what it would cost on AWS.")
@click.option(
    "--max-cost",
    metavar="DOLLARS",
    type=options.Dollars(),
    help="Stop before the call that would bring this run's cost at AWS's prices over so much.",
)
@options.jobs
@options.connection
@options.output
def import_(
    source: Path,
    collection_id: str,
    dry_run: bool,
    max_cost: Decimal | None,
    settings: Settings,
    form: Format,
) -> int:
    """Import an export into a collection.

    Its people go into the records, and their photos are enrolled. Every checksum is looked at first. Whoever is on
    record stays as they are; running it again continues.

    \b
    Example:
      facesearch import backup.zip -c staff --dry-run
      facesearch import backup.zip -c staff --engine aws
    """
    with opened(settings, collection_id) as app:
        if dry_run:
            _show_plan(form, app.plan_import(source, collection_id), collection_id)
            return failures.DONE
        with Progress("importing", afterwards="; run the same command to continue") as progress:
            done = app.import_(
                source, collection_id, max_cost=max_cost, on_photo=lambda _: progress.advance()
            )
        _show(form, done, app.engine)
    counts = done.report.counts
    unfinished = counts[PhotoStatus.UNREADABLE] + counts[PhotoStatus.FAILED] + done.people.erased
    return failures.PARTLY if unfinished else failures.DONE


def _show_plan(form: Format, plan: ImportPlan, collection_id: str) -> None:
    if form is not Format.TABLE:
        show_document(
            {
                "dry_run": True,
                "collection": collection_id,
                "people": _people_shape(plan.people),
                "photos": dict(plan.photos),
                "calls": dict(plan.calls),
                "aws_dollars": float(plan.cost),
                "aws_dollars_a_month": float(plan.face_month),
            }
        )
        return
    write(f"{_people(plan.people)}; nothing was sent or written")
    for state, count in plan.photos.items():
        write(f"  photos {state:<10} {count:>7,}")
    for operation, count in plan.calls.items():
        write(f"calls of {operation:<11} {count:>5,}")
    write(f"cost on AWS ${plan.cost:,.3f}, and ${plan.face_month:,.5f} a month to keep the faces")


def _show(form: Format, done: Import, engine: str) -> None:
    if form is not Format.TABLE:
        show_document({"imported": _people_shape(done.people), **report_shape(done.report, engine)})
        return
    write(_people(done.people))
    for line in summary(done.report):
        write(line)
    for problem in done.report.problems:
        say(f"{problem.path}: {problem.reason}")


def _people_shape(people: ImportedPeople) -> dict[str, Any]:
    return {"new": people.new, "known": people.known, "erased_here": people.erased}


def _people(people: ImportedPeople) -> str:
    new = counted(people.new, "new person", "new people")
    erased = f", {people.erased:,} erased here and left out" if people.erased else ""
    return f"{new}, {people.known:,} known{erased}"
