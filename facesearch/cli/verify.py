"""`facesearch verify`: is this the same person, yes or no."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import failures, options, rates, shapes
from facesearch.cli.output import Format, nearby, show_document, write
from facesearch.cli.session import opened
from facesearch.cli.talk import say
from facesearch.domain import Verification

if TYPE_CHECKING:
    from facesearch.settings import Settings


@click.command()
@click.argument("photo", metavar="PHOTO", type=options.PATH)
@click.argument("other", metavar="[OTHER]", required=False, type=options.PATH)
@click.option("--person", metavar="PERSON", help="Id, key or name of the person the photo should show.")
@click.option("-c", "--collection", "collection_id", metavar="ID", callback=options.checked_collection_id,
              help="The collection that holds the person's faces.")  # fmt: skip
@options.threshold
@options.detail
@options.connection
@options.output
def verify(
    photo: Path,
    other: Path | None,
    person: str | None,
    collection_id: str | None,
    threshold: str | None,
    settings: Settings,
    form: Format,
) -> int:
    """Say whether a photo shows the person of another, or on record.

    The largest face of PHOTO is compared with every face of OTHER, or with all faces of the person in a
    collection. The exit code is 0 for yes and 1 for no.

    \b
    Example:
      facesearch verify passport.jpg visitor.jpg
      facesearch verify visitor.jpg --person "Ada Lovelace" -c staff --threshold fmr=1e-3
    """
    if (other is None) == (person is None) or (person is None) != (collection_id is None):
        raise click.UsageError("give another photo, or --person with --collection")
    with opened(settings, collection_id) as app:
        app.expect_photos()
        limit = app.threshold(collection_id, threshold) if collection_id else None
        if limit and (meaning := rates.threshold_said(limit)):
            say(meaning)
        answer = app.verify(photo, other, person=person, collection_id=collection_id, threshold=threshold)
        if form is Format.TABLE:
            write(_sentence(answer))
        else:
            show_document(_shape(answer, photo, other))
    return failures.DONE if answer.same else failures.NO


def _sentence(answer: Verification) -> str:
    reach = "reaches" if answer.same else "is under"
    rate = answer.false_match_rate
    known = f"; somebody else is so similar in {rates.told(rate)}" if rate else ""
    words = ["yes:" if answer.same else "no:"]
    if answer.similarity is None:
        words.append(f"the similarity {reach} the threshold {answer.threshold:g} by far")
    else:
        words.append(f"the similarity {answer.similarity:.2f} {reach} the threshold {answer.threshold:g}")
    if answer.person and answer.photo:
        words.append(
            f"(best of {answer.person.name}: {nearby(answer.photo.path)}, {answer.agreeing} reach it{known})"
        )
    return " ".join(words)


def _shape(answer: Verification, photo: Path, other: Path | None) -> dict[str, Any]:
    return {
        "same": answer.same,
        "similarity": answer.similarity,
        "threshold": answer.threshold,
        "photo": str(photo),
        "box": shapes.box(answer.box),
        "other": None if other is None else str(other),
        "person": shapes.person(answer.person) if answer.person else None,
        "best_photo": answer.photo.path if answer.photo else None,
        "agreeing_faces": answer.agreeing,
        "false_match_rate": rates.shape(answer.false_match_rate),
    }
