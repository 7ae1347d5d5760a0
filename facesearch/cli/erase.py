"""`facesearch person erase`: a person goes from the collections and from the records, with a receipt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import failures, options, shapes
from facesearch.cli.output import Column, Fit, Format, Row, View, show_list
from facesearch.cli.session import opened
from facesearch.cli.talk import agreed, counted, say
from facesearch.domain import PersonSummary
from facesearch.domain.erasure import CollectionErasure, Erasure, ErasureState
from facesearch.errors import UsageError

if TYPE_CHECKING:
    from facesearch.app import FaceSearch
    from facesearch.settings import Settings


@click.command()
@click.argument("ref", metavar="[PERSON]", required=False)
@click.option("--pending", is_flag=True, help="Go on with what the service did not confirm, of everybody.")
@click.option("--receipt", metavar="FILE", type=options.PATH, help="Write the receipt here too.")
@click.option("--named", is_flag=True, help="Put the name and the key into the receipt.")
@click.option(
    "--gone",
    metavar="ARN",
    multiple=True,
    help="A collection that no longer exists; may be given several times.",
)
@options.yes
@options.connection
@options.output
def erase(
    ref: str | None,
    pending: bool,
    receipt: Path | None,
    named: bool,
    gone: tuple[str, ...],
    yes: bool,
    settings: Settings,
    form: Format,
) -> int:
    """Erase a person everywhere, and prove it.

    They go from every collection and from the records; a receipt is kept in the home folder, under receipts.
    What the service does not confirm is pending (exit code 3): erasing anybody, or --pending, tries it again.

    \b
    Example:
      facesearch person erase "Ada Lovelace"
      facesearch person erase 1815 --yes --receipt erased.json
      facesearch person erase --pending
    """
    if (ref is None) != pending:
        raise click.UsageError("say whom to erase, or --pending for those whose erasing is not at its end")
    if pending and (receipt or named or gone):
        raise click.UsageError("--receipt, --named and --gone are for one person: give their id with them")
    with opened(settings) as app:
        erasures: list[Erasure] = []
        if ref is not None:
            if not agreed(_consequence(app, ref), yes=yes):
                return failures.NO
            erasures.append(app.erase_person(ref, gone=gone, named=named, receipt=receipt))
        erasures += app.continue_erasures(but=erasures[0].person_id if erasures else None)
        show_list(form, ERASURES, erasures)
        for erasure in erasures:
            say(f"receipt: {erasure.receipt}")
    unfinished = any(erasure.state is ErasureState.PENDING for erasure in erasures)
    return failures.PARTLY if unfinished else failures.DONE


def _consequence(app: FaceSearch, ref: str) -> str:
    try:
        summary = app.person(ref)
    except UsageError:
        if ref not in app.pending_erasures():
            raise
        return f"The erasing of {ref} goes on."
    return (
        f"{_whom(summary)} will be erased from the collections and from the records, which cannot be undone."
    )


def _whom(summary: PersonSummary) -> str:
    who, faces = summary.person, summary.faces
    where = ", ".join(
        f"{counted(count, 'face')} in {collection_id}" for collection_id, count in faces.items()
    )
    return f"{who.name} ({f'key {who.key}' if who.key else f'id {who.id}'}), with {where or 'no faces'},"


def _shape(erasure: Erasure) -> dict[str, Any]:
    records = erasure.records
    return {
        "person": erasure.person_id,
        "state": erasure.state.value,
        "faces_deleted": erasure.faces,
        "records_deleted": {
            "people": records.people,
            "faces": records.faces,
            "journal": records.journal,
            "photos": records.photos,
            "sightings": records.sightings,
        }
        if records
        else None,
        "collections": [_collection_shape(one) for one in erasure.collections],
        "receipt": erasure.receipt,
    }


def _collection_shape(one: CollectionErasure) -> dict[str, Any]:
    return {
        "collection": one.collection.collection_id,
        "arn": one.collection.arn,
        "state": one.state.value,
        "faces_deleted": len(one.faces),
        "users_deleted": one.users,
        "proven_at": shapes.moment(one.settled_at) if one.state is ErasureState.ERASED else None,
        "reason": one.reason,
    }


def _rows(erasure: Erasure) -> Iterator[Row]:
    whose = {"person": erasure.person_id}
    for one in erasure.collections:
        shape = _collection_shape(one)
        where = f"collection {shape['collection']}"
        yield {
            **whose,
            "where": where,
            "state": shape["state"],
            "faces": len(one.faces),
            "reason": one.reason,
        }
    if erasure.records:
        yield {**whose, "where": "records", "state": "erased", "faces": erasure.records.faces, "reason": None}


ERASURES: View[Erasure] = View(
    key="erasures",
    shape=_shape,
    rows=_rows,
    fields=("person", "where", "state", "faces", "reason"),
    columns=(
        Column("person", "person", Fit.WHOLE),
        Column("where", "where"),
        Column("state", "state"),
        Column("faces", "faces"),
        Column("reason", "reason"),
    ),
    empty="no erasing is pending",
)
