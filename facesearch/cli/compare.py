"""`facesearch compare`: the largest face of one photo against every face of another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import options, shapes
from facesearch.cli.detect import BOX_COLUMNS, BOX_FIELDS, face_row
from facesearch.cli.output import Column, Format, Row, View, show_list
from facesearch.cli.session import opened
from facesearch.domain import ComparedFace

if TYPE_CHECKING:
    from facesearch.settings import Settings


@click.command()
@click.argument("source", metavar="A", type=options.PATH)
@click.argument("target", metavar="B", type=options.PATH)
@options.similarity
@options.detail
@options.connection
@options.output
def compare(source: Path, target: Path, threshold: float, settings: Settings, form: Format) -> None:
    """Compare the largest face of one photo with all of another.

    \b
    Example:
      facesearch compare passport.jpg visitor.jpg
      facesearch compare passport.jpg group.jpg --threshold 90
    """
    with opened(settings) as app:
        answer = app.compare(source, target, threshold)
        head = {
            "engine": app.engine,
            "threshold": threshold,
            "source": {"photo": str(source), **shapes.face_detail(answer.source)},
            "target": {"photo": str(target)},
        }
        show_list(form, COMPARED_FACES, [*answer.matches, *answer.unmatched], head)


def _shape(face: ComparedFace) -> dict[str, Any]:
    return {
        "match": face.similarity is not None,
        "similarity": face.similarity,
        **shapes.face_detail(face.detail),
    }


def _rows(face: ComparedFace) -> Iterator[Row]:
    match = face.similarity is not None
    yield {
        **face_row(face.detail),
        "match": match,
        "answer": "match" if match else "no match",
        "similarity": face.similarity,
    }


COMPARED_FACES: View[ComparedFace] = View(
    key="faces",
    shape=_shape,
    rows=_rows,
    fields=("match", "similarity", *BOX_FIELDS, "confidence"),
    columns=(Column("answer", "answer"), Column("similarity", "similarity"), *BOX_COLUMNS),
    empty="the second photo shows no face",
)
