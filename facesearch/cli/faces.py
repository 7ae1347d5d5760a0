"""`facesearch face`: the faces in a collection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from facesearch.cli import failures, options, shapes
from facesearch.cli.deletions import show_deletion
from facesearch.cli.output import Column, Fit, Format, Row, View, nearby, show_list
from facesearch.cli.session import opened
from facesearch.cli.talk import agreed, counted
from facesearch.domain import ListedFace

if TYPE_CHECKING:
    from facesearch.settings import Settings


@click.group()
def face() -> None:
    """List and delete the faces in a collection.

    \b
    Example:
      facesearch face list -c staff
    """


@face.command("list")
@options.collection
@click.option("--person", "ref", metavar="PERSON", help="Only this person's, by id, key or name.")
@options.connection
@options.output
def list_(collection_id: str, ref: str | None, settings: Settings, form: Format) -> None:
    """List the faces in a collection with their people and photos.

    \b
    Example:
      facesearch face list -c staff --person "Ada Lovelace"
    """
    with opened(settings, collection_id) as app:
        head = {"engine": app.engine, "collection": collection_id}
        show_list(form, FACES, app.faces(collection_id, ref), head)


@face.command()
@click.argument("face_ids", metavar="FACE_ID...", nargs=-1, required=True)
@options.collection
@options.yes
@options.connection
@options.output
def delete(face_ids: tuple[str, ...], collection_id: str, yes: bool, settings: Settings, form: Format) -> int:
    """Delete faces from a collection; the people stay on record.

    \b
    Example:
      facesearch face delete 5b1c40e5-1c3c-4b0c-9a5b-6f3c3d0a7c11 -c staff
    """
    with opened(settings, collection_id) as app:
        wanted = list(dict.fromkeys(face_ids))
        faces = counted(len(wanted), "face")
        consequence = f"{faces} of collection {collection_id} will be deleted, from it and from the records."
        if not agreed(consequence, yes=yes):
            return failures.NO
        return show_deletion(form, app.delete_faces(collection_id, wanted))


def _rows(item: ListedFace) -> Iterator[Row]:
    face, known = item.face, item.enrolled
    seen = known.photo if known and known.photo.path else None
    yield {
        "face_id": face.face_id,
        "person_id": known.person.id if known else None,
        "person_key": known.person.key if known else None,
        "person_name": known.person.name if known else None,
        "person": known.person.name if known else "not on record",
        "photo": seen.path if seen else None,
        "shown_photo": nearby(seen.path) if seen else None,
        "photo_sha256": seen.sha256 if seen else None,
        "confidence": face.confidence,
        "image_id": face.image_id,
        "external_image_id": face.external_image_id,
        "box_left": face.box.left,
        "box_top": face.box.top,
        "box_width": face.box.width,
        "box_height": face.box.height,
        "enrolled_at": shapes.moment(known.enrolled_at) if known else None,
    }


_FIELDS = (
    "face_id", "person_id", "person_key", "person_name", "photo", "photo_sha256", "confidence", "image_id",
    "external_image_id", "box_left", "box_top", "box_width", "box_height", "enrolled_at",
)  # fmt: skip

FACES: View[ListedFace] = View(
    key="faces",
    shape=shapes.listed_face,
    rows=_rows,
    fields=_FIELDS,
    columns=(
        Column("face_id", "face", Fit.WHOLE),
        Column("person", "person"),
        Column("shown_photo", "photo", Fit.TAIL),
    ),
    empty="no faces",
)
