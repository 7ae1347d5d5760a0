"""`facesearch enroll`: people from folders of photos into a collection."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import click

from facesearch.cli import failures, options
from facesearch.cli.estimates import show_estimate
from facesearch.cli.output import (
    Column,
    Fit,
    Format,
    Row,
    Stream,
    View,
    nearby,
    show_document,
    show_table,
    write,
)
from facesearch.cli.progress import Progress
from facesearch.cli.session import opened
from facesearch.cli.talk import counted, say
from facesearch.domain import Duplicate, EnrolmentReport, OnMultiple, PhotoOutcome, PhotoStatus
from facesearch.domain.door import OnConflict, QualityFilter
from facesearch.interruption import held_back

if TYPE_CHECKING:
    from facesearch.settings import Settings

_WORDS = {
    PhotoStatus.ENROLLED: "enrolled",
    PhotoStatus.ALREADY: "already there",
    PhotoStatus.NO_FACE: "no face",
    PhotoStatus.SEVERAL_FACES: "several faces",
    PhotoStatus.FILTERED: "filtered",
    PhotoStatus.CONFLICT: "conflict",
    PhotoStatus.UNREADABLE: "unreadable",
    PhotoStatus.FAILED: "failed",
}
SHOWN = 20  # photos that look like others, which need nobody's attention
_ADVICE = {
    PhotoStatus.NO_FACE: "take a photo that shows the face",
    PhotoStatus.SEVERAL_FACES: "crop it to one person, or use --on-multiple largest",
    PhotoStatus.CONFLICT: "see whose photo it is; enrol it with --on-conflict warn",
    PhotoStatus.FILTERED: "take a sharper, brighter or more frontal photo",
    PhotoStatus.UNREADABLE: "repair or replace the file",
    PhotoStatus.FAILED: "put right what the reason says, and run the same again",
}


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@options.collection
@click.option("--person", metavar="NAME", help="Whom the photos show; without it each subfolder is a person.")
@click.option("--strict", is_flag=True, help="Enrol nothing when any row of a manifest is bad.")
@click.option(
    "--on-multiple",
    type=click.Choice([policy.value for policy in OnMultiple]),
    default=OnMultiple.AUTO.value,
    show_default=True,
    help="For a photo of several faces: the largest if it is clearly the subject, always the largest, or none.",
)
@click.option(
    "--on-conflict",
    type=click.Choice([policy.value for policy in OnConflict]),
    help="For a face that is under another person already: enrol and say so, leave the photo out, or do not look. "
    "Looking costs a second call a photo on AWS.  [default: warn on the embedded engine, enroll elsewhere]",
)
@click.option(
    "--min-face",
    metavar="PX",
    type=click.IntRange(min=0),
    default=0,
    help="Keep no face of fewer pixels on its shorter side, in the photo as it is sent.",
)
@click.option(
    "--quality",
    type=click.Choice(["none", "auto", "low", "medium", "high"]),
    default="auto",
    show_default=True,
    help="Rekognition's filter for faces that are small, dark, blurred or turned away.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done and what it would cost on AWS.")
@click.option(
    "--max-cost",
    metavar="DOLLARS",
    type=options.Dollars(),
    help="Stop before the call that would bring this run's cost at AWS's prices over so much.",
)
@click.option(
    "--retry-failed",
    is_flag=True,
    help="Enrol again the photos of this collection that failed or could not be read; needs no PATH.",
)
@options.jobs
@click.option(
    "--rate",
    metavar="N",
    type=click.FloatRange(min=0, min_open=True),
    help="Photos sent a second at most.  [default: AWS's quota in the region, elsewhere no limit]",
)
@options.detail
@options.connection
@options.output
def enroll(
    paths: tuple[str, ...],
    collection_id: str,
    person: str | None,
    strict: bool,
    on_multiple: str,
    on_conflict: str | None,
    min_face: int,
    quality: str,
    dry_run: bool,
    max_cost: Decimal | None,
    retry_failed: bool,
    rate: float | None,
    settings: Settings,
    form: Format,
) -> int:
    """Enrol people from photos; one subfolder is one person.

    Or a manifest says whom each photo shows: a PATH that ends in .csv, .tsv, .jsonl or .ndjson. Its columns are
    photo, person and, if you like, key and notes; every other column is kept as an attribute of the person. A
    relative photo lies beside it.

    Running it again does nothing twice; after an interruption it continues.

    \b
    Example:
      facesearch enroll people/ -c staff
      facesearch enroll staff.csv -c staff --strict
      facesearch enroll s3://my-bucket/people -c staff
      facesearch enroll people/ -c staff --engine aws --dry-run
      facesearch enroll ada1.jpg ada2.jpg -c staff --person "Ada Lovelace"
      facesearch enroll -c staff --retry-failed
    """
    if not paths and not retry_failed:
        raise click.UsageError("Say what to enrol: a PATH, or --retry-failed.")
    with opened(settings, collection_id) as app:
        if dry_run:
            estimate = app.estimate(
                paths,
                collection_id,
                person=person,
                strict=strict,
                on_multiple=on_multiple,
                on_conflict=on_conflict,
                min_face=min_face,
                quality=cast("QualityFilter", quality.upper()),
                rate=rate,
            )
            show_estimate(form, estimate, collection_id)
            return failures.DONE
        count = None if retry_failed else lambda: sum(1 for _ in app.plan(paths, person))
        continues = "; run the same command to continue"
        with Progress("enrolling", count=count, afterwards=continues, quiet=form.streams) as progress:
            told = _Listener(form, progress)
            policy = OnMultiple(on_multiple)
            report = app.enroll(
                paths,
                collection_id,
                person=person,
                strict=strict,
                on_multiple=policy,
                on_conflict=on_conflict,
                min_face=min_face,
                quality=cast("QualityFilter", quality.upper()),
                rate=rate,
                retry_failed=retry_failed,
                on_photo=told,
                max_cost=max_cost,
            )
        _show(form, report, app.engine)
    unfinished = report.counts[PhotoStatus.UNREADABLE] + report.counts[PhotoStatus.FAILED]
    return failures.PARTLY if unfinished else failures.DONE


class _Listener:
    """Hears how each photo ended: counts it, and writes it where photos are written as they end."""

    def __init__(self, form: Format, progress: Progress) -> None:
        self._progress = progress
        self._stream = Stream(form, OUTCOMES) if form.streams else None

    def __call__(self, outcome: PhotoOutcome) -> None:
        if self._stream is None:
            self._progress.advance()
            return
        with held_back():  # what is said to be done at the end is what was written
            self._progress.advance()
            self._stream.write(outcome)


def _show(form: Format, report: EnrolmentReport, engine: str) -> None:
    """The report: a JSON document, or the summary and under it the photos that need somebody's attention."""
    if form is Format.JSON:
        show_document(report_shape(report, engine))
        return
    tell = say if form.streams else write  # the photos themselves are on stdout already
    for line in summary(report):
        tell(line)
    listed = (*report.problems, *report.conflicts)
    if form is Format.TABLE and listed:
        write("")
        show_table(PROBLEM_COLUMNS, [row for problem in listed for row in _rows(problem)])
        if report.left_out:
            say(f"{report.left_out:,} more: see `facesearch runs show {report.run[:8]}`")
    if form is Format.TABLE and report.duplicates:
        write("")
        show_table(DUPLICATE_COLUMNS, [_alike(one) for one in report.duplicates[:SHOWN]])
        if more := report.exact_duplicates + report.near_duplicates - min(SHOWN, len(report.duplicates)):
            say(f"{more:,} more copies: `-o json` lists up to 1,000 of each kind")


def summary(report: EnrolmentReport) -> Iterator[str]:
    """A line for the whole, and one for each state that photos ended in."""
    people, collection = counted(report.people, "person", "people"), report.collection.collection_id
    yield f"{counted(report.total, 'photo')} of {people} for collection {collection}, {report.seconds:.1f} s"
    if report.earlier:
        yield f"  {counted(report.earlier, 'photo')} that earlier runs left unsettled, first"
    for status, word in _WORDS.items():
        if count := report.counts.get(status, 0):
            yield f"  {word:<14} {count:>7,}"
    if report.conflicts:
        yield f"  of these under another person too {len(report.conflicts):,}"
    if report.near_duplicates:
        yield f"  of these almost like another photo of the person {report.near_duplicates:,}"
    if report.exact_duplicates:
        yield f"  files with the content of another one, not sent {report.exact_duplicates:,}"


def report_shape(report: EnrolmentReport, engine: str) -> dict[str, Any]:
    """The report in JSON: every photo is in exactly one of the counts."""
    counts = {status.value: report.counts.get(status, 0) for status in PhotoStatus}
    return {
        "run": report.run,
        "engine": engine,
        "collection": report.collection.collection_id,
        "photos": {"total": report.total, **counts},
        "people": report.people,
        "settled_first": report.earlier,
        "seconds": round(report.seconds, 3),
        "problems": [
            {"photo": one.path, "person": one.person, "status": one.status.value, "reason": one.reason}
            for one in report.problems
        ],
        "problems_left_out": report.left_out,
        "conflicts": [
            {"photo": one.path, "person": one.person, "reason": one.reason} for one in report.conflicts
        ],
        "exact_duplicates": report.exact_duplicates,
        "near_duplicates": report.near_duplicates,
        "duplicates": [
            {"photo": one.path, "person": one.person, "of": one.of, "differing_bits": one.bits}
            for one in report.duplicates
        ],
    }


def _outcome_shape(outcome: PhotoOutcome) -> dict[str, Any]:
    return {
        "photo": outcome.path,
        "person": outcome.person,
        "status": outcome.status.value,
        "reason": outcome.reason,
        "face_id": outcome.face_id,
    }


def _rows(outcome: PhotoOutcome) -> Iterator[Row]:
    yield {
        **_outcome_shape(outcome),
        "shown_photo": nearby(outcome.path),
        "word": _WORDS[outcome.status],
        "advice": _ADVICE.get(outcome.status),
    }


def _alike(one: Duplicate) -> Row:
    return {
        "photo": nearby(one.path),
        "person": one.person,
        "alike": "the same content" if one.bits is None else "almost the same picture",
        "of": nearby(one.of),
    }


OUTCOMES: View[PhotoOutcome] = View(
    key="photos",
    shape=_outcome_shape,
    rows=_rows,
    fields=("photo", "person", "status", "reason", "face_id"),
    columns=(),
    empty="",
)
PROBLEM_COLUMNS = (
    Column("shown_photo", "photo", Fit.TAIL),
    Column("person", "person"),
    Column("word", "state"),
    Column("reason", "reason"),
    Column("advice", "what to do"),
)
DUPLICATE_COLUMNS = (
    Column("photo", "photo", Fit.TAIL),
    Column("person", "person"),
    Column("alike", "is"),
    Column("of", "as", Fit.TAIL),
)
