"""`facesearch detect`: the faces in one photo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facesearch.cli import options, shapes
from facesearch.cli.output import Column, Format, Row, View, show_list
from facesearch.cli.session import opened
from facesearch.domain import FaceDetail

if TYPE_CHECKING:
    from facesearch.settings import Settings


@click.command()
@click.argument("photo", metavar="PHOTO", type=options.PATH)
@options.detail
@options.connection
@options.output
def detect(photo: Path, settings: Settings, form: Format) -> None:
    """Show the faces of a photo: where, how turned, how clear.

    \b
    Example:
      facesearch detect group.jpg
      facesearch detect group.jpg -o json
    """
    with opened(settings) as app:
        show_list(form, SEEN_FACES, app.detect(photo), {"engine": app.engine, "photo": str(photo)})


def face_row(face: FaceDetail) -> dict[str, object]:
    """What was seen of a face, as a flat row."""
    pose, quality = shapes.pose(face.pose) or {}, shapes.quality(face.quality) or {}
    box = {f"box_{side}": value for side, value in shapes.box(face.box).items()}
    return {**box, "confidence": face.confidence, **pose, **quality}


def _rows(face: FaceDetail) -> Iterator[Row]:
    yield face_row(face)


BOX_FIELDS = ("box_left", "box_top", "box_width", "box_height")
BOX_COLUMNS = tuple(Column(field, field.removeprefix("box_"), digits=3) for field in BOX_FIELDS)
_SHORT = {"brightness": "bright", "sharpness": "sharp"}  # so that a row fits into 80 columns
_SEEN = ("confidence", "roll", "yaw", "pitch", "brightness", "sharpness")

SEEN_FACES: View[FaceDetail] = View(
    key="faces",
    shape=shapes.face_detail,
    rows=_rows,
    fields=(*BOX_FIELDS, *_SEEN),
    columns=(*BOX_COLUMNS, *(Column(field, _SHORT.get(field, field), digits=1) for field in _SEEN)),
    empty="no face",
)
