"""`facesearch tag`: what photos show, and `facesearch tags search`: the photos that show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import failures, options, shapes
from facesearch.cli.output import Column, Fit, Format, Row, View, nearby, show_list
from facesearch.cli.session import opened
from facesearch.cli.talk import counted, say
from facesearch.domain.labels import FoundLabel, Label, TaggedPhoto, TagStatus

if TYPE_CHECKING:
    from facesearch.settings import Settings

_ANSWERS = {
    TagStatus.TAGGED: "tagged",
    TagStatus.ALREADY: "already tagged",
    TagStatus.UNREADABLE: "unreadable",
    TagStatus.GONE: "gone",
}


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--min-confidence",
    metavar="N",
    type=options.Percent(),
    default=55.0,
    show_default=True,
    help="Least confidence of a label, 0 to 100.",
)
@click.option("--max-labels", metavar="N", type=click.IntRange(min=1), help="At most so many labels a photo.")
@click.option("--to", metavar="DIR|s3://...", help="Write each photo's labels there as JSON, too.")
@options.jobs
@options.detail
@options.connection
@options.output
def tag(
    paths: tuple[str, ...],
    min_confidence: float,
    max_labels: int | None,
    to: str | None,
    settings: Settings,
    form: Format,
) -> int:
    """Say what photos show, in Rekognition's labels, and remember it.

    A folder stands for all files in it and below, s3://bucket/prefix for the objects below it; those are read by
    the service and not downloaded. What was tagged before is not asked about again.

    The embedded engine sees faces alone: Person, Face, Portrait, People and the like.

    \b
    Example:
      facesearch tag holiday/
      facesearch tag holiday/ --to labels/ --min-confidence 80
      facesearch tag s3://my-bucket/uploads --to s3://my-bucket/metadata --engine aws
    """
    answers: Counter[TagStatus] = Counter()
    with opened(settings) as app:
        tagged = app.tag(paths, min_confidence=min_confidence, max_labels=max_labels, to=to)
        with closing(tagged):  # what is under way ends before the engine is closed, whatever happens here
            show_list(form, TAGGED, _counted(tagged, answers), {"engine": app.engine})
    say(
        ", ".join(
            f"{counted(answers[one], 'photo')} {text}" for one, text in _ANSWERS.items() if answers[one]
        )
    )
    return failures.PARTLY if answers[TagStatus.UNREADABLE] else failures.DONE


@click.group()
def tags() -> None:
    """Find photos by the labels that `facesearch tag` gave them.

    \b
    Example:
      facesearch tags search "Cat"
    """


@tags.command()
@click.argument("words", metavar="[WORDS]", required=False)
@click.option("--parent", metavar="WORDS", help="Only labels below this one, such as Animal.")
@click.option(
    "--min-confidence",
    metavar="N",
    type=options.Percent(),
    default=0.0,
    help="Least confidence of the label, 0 to 100.",
)
@click.option("--fail-if-none", is_flag=True, help="Exit with 1 when there is no such photo.")
@options.records
@options.output
def search(
    words: str | None,
    parent: str | None,
    min_confidence: float,
    fail_if_none: bool,
    settings: Settings,
    form: Format,
) -> int:
    """List the photos that show something, surest first.

    WORDS are looked for in the names of labels and in their other names; all of them must be there, in any case
    and order. No engine is asked.

    \b
    Example:
      facesearch tags search "Cat"
      facesearch tags search "Hot Dog" --min-confidence 90
      facesearch tags search --parent Animal -o csv
    """
    if words is None and parent is None:
        raise click.UsageError("Say what to look for: WORDS, or --parent.")
    number = 0

    def found() -> Iterator[FoundLabel]:
        nonlocal number
        for one in app.find_labels(words, parent=parent, min_confidence=min_confidence):
            number += 1
            yield one

    with opened(settings) as app:
        show_list(form, FOUND, found())
    return failures.NO if fail_if_none and not number else failures.DONE


def _counted(tagged: Generator[TaggedPhoto], answers: Counter[TagStatus]) -> Iterator[TaggedPhoto]:
    for one in tagged:
        answers[one.status] += 1
        yield one


def _label(label: Label) -> dict[str, Any]:
    return {
        "name": label.name,
        "confidence": label.confidence,
        "parents": list(label.parents),
        "aliases": list(label.aliases),
        "categories": list(label.categories),
        "instances": [{"box": shapes.box(one.box), "confidence": one.confidence} for one in label.instances],
        "custom": label.custom,
    }


def _tagged(one: TaggedPhoto) -> dict[str, Any]:
    labels = one.labels
    return {
        "photo": one.photo,
        "status": one.status.value,
        "reason": one.reason,
        "document": one.document,
        "label_model_version": labels.model_version if labels else None,
        "tagged_at": shapes.moment(labels.tagged_at) if labels else None,
        "labels": [_label(label) for label in labels.labels] if labels else [],
    }


def _tagged_rows(one: TaggedPhoto) -> Iterator[Row]:
    """A row for each label; for a photo without one, a row that says so."""
    photo = {
        "photo": one.photo,
        "shown_photo": nearby(one.photo),
        "status": one.status.value,
        "reason": one.reason,
        "shown": one.reason or "nothing",
    }
    for label in one.labels.labels if one.labels else ():
        yield {**photo, **_label_row(label)}
    if not (one.labels and one.labels.labels):
        yield photo


def _found(one: FoundLabel) -> dict[str, Any]:
    return {"photo": one.photo, "label": _label(one.label), "tagged_at": shapes.moment(one.tagged_at)}


def _found_rows(one: FoundLabel) -> Iterator[Row]:
    yield {
        "photo": one.photo,
        "shown_photo": nearby(one.photo),
        "tagged_at": shapes.moment(one.tagged_at),
        **_label_row(one.label),
    }


def _label_row(label: Label) -> Row:
    return {
        "label": label.name,
        "shown": label.name,
        "confidence": label.confidence,
        "parents": ", ".join(label.parents),
        "seen": len(label.instances) or None,
        "custom": label.custom,
    }


_COLUMNS = (
    Column("shown_photo", "photo", Fit.TAIL),
    Column("shown", "label"),
    Column("confidence", "confidence", digits=1),
    Column("parents", "below"),
    Column("seen", "times"),
)

TAGGED: View[TaggedPhoto] = View(
    key="photos",
    shape=_tagged,
    rows=_tagged_rows,
    fields=("photo", "status", "reason", "label", "confidence", "parents", "seen", "custom"),
    columns=_COLUMNS,
    empty="no photos",
)

FOUND: View[FoundLabel] = View(
    key="found",
    shape=_found,
    rows=_found_rows,
    fields=("photo", "label", "confidence", "parents", "seen", "custom", "tagged_at"),
    columns=_COLUMNS,
    empty="no photo with such a label; `facesearch tag` looks at photos",
)
