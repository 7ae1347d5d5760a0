"""What was deleted where, for the commands that delete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from facesearch.cli import failures
from facesearch.cli.output import Column, Format, Row, View, show_document, show_list
from facesearch.domain import Deletion


def show_deletion(form: Format, deletion: Deletion) -> int:
    """Show it, and give the exit code: partly done when the service kept some of the faces."""
    if form is Format.JSON:
        show_document(_shape(deletion))
    else:
        show_list(form, DELETIONS, [deletion])
    return failures.PARTLY if deletion.refused else failures.DONE


def _shape(deletion: Deletion) -> dict[str, Any]:
    return {
        "deleted": {
            "faces": dict(deletion.faces_in_collections),
            "face_records": deletion.face_records,
            "people": deletion.people,
        },
        "refused": [
            {"face_id": face_id, "reasons": list(reasons)} for face_id, reasons in deletion.refused.items()
        ],
    }


def _rows(deletion: Deletion) -> Iterator[Row]:
    for collection_id, count in deletion.faces_in_collections.items():
        yield {"what": "faces", "where": f"collection {collection_id}", "deleted": count}
    yield {"what": "face records", "where": "records", "deleted": deletion.face_records}
    yield {"what": "people", "where": "records", "deleted": deletion.people}
    for face_id, reasons in deletion.refused.items():
        yield {"what": f"face {face_id}", "where": "kept", "deleted": 0, "reason": ", ".join(reasons)}


DELETIONS: View[Deletion] = View(
    key="deletions",
    shape=_shape,
    rows=_rows,
    fields=("what", "where", "deleted", "reason"),
    columns=(
        Column("what", "what"),
        Column("where", "where"),
        Column("deleted", "deleted"),
        Column("reason", "reason"),
    ),
    empty="",
)
