"""`facesearch reconcile`: a collection, the records and the files held against each other, and made to agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import failures, options
from facesearch.cli.disagreements import FINDINGS, lines, tally_shape
from facesearch.cli.output import Format, Stream, show_document, write
from facesearch.cli.progress import Progress
from facesearch.cli.session import opened
from facesearch.cli.talk import agreed, counted, say
from facesearch.domain.reconciliation import Reconciliation, Repair, Repaired, Unknown

if TYPE_CHECKING:
    from facesearch.app import FaceSearch
    from facesearch.settings import Settings


@click.command()
@options.collection
@click.option("--files", is_flag=True, help="Look at the photos' files too.")
@click.option("--apply", is_flag=True, help="Carry the plan out; without it nothing is changed.")
@click.option("--adopt", is_flag=True, help="Plan to put on record what the records do not know.")
@click.option("--delete-unknown", is_flag=True, help="Plan to delete what the records do not know.")
@options.yes
@options.connection
@options.output
def reconcile(
    collection_id: str,
    files: bool,
    apply: bool,
    adopt: bool,
    delete_unknown: bool,
    yes: bool,
    settings: Settings,
    form: Format,
) -> int:
    """Compare a collection with the records, and make them agree.

    Shows what differs and what --apply would do about it; no call of it is billed. The exit code is 1 as long as
    something differs. What the records do not know is left alone without --adopt or --delete-unknown.

    \b
    Example:
      facesearch reconcile -c staff
      facesearch reconcile -c staff --apply
      facesearch reconcile -c staff --adopt --apply
    """
    if adopt and delete_unknown:
        raise click.UsageError("--adopt and --delete-unknown are opposites: give one of them")
    unknown = Unknown.ADOPT if adopt else Unknown.DELETE if delete_unknown else Unknown.LEAVE
    with opened(settings, collection_id) as app:
        stream = Stream(form, FINDINGS) if form.streams else None
        with Progress(
            "comparing",
            count=lambda: app.collection(collection_id).face_count,
            thing="face",
            quiet=form.streams,
        ) as progress:
            plan = app.reconcile(
                collection_id,
                unknown=unknown,
                files=files,
                on_finding=stream.write if stream else None,
                on_faces=progress.advance,
            )
        tell = write if form is Format.TABLE else say
        if form is not Format.JSON or (apply and plan.deletions):
            for line in summary(plan, planned=not apply):
                tell(line)
        repaired = None
        if apply and plan.repairable:
            if plan.deletions and not agreed(_consequence(plan), yes=yes):
                return failures.NO
            deleting = bool(plan.deletions)  # what turns up later was not agreed to
            repaired = app.repair(plan, unknown=unknown, files=files, deleting=deleting)
            if form is not Format.JSON:
                for line in outcome(repaired):
                    tell(line)
        if form is Format.JSON:
            show_document(_document(app, plan, repaired))
    return failures.NO if (repaired.after if repaired else plan).count else failures.DONE


def summary(plan: Reconciliation, *, planned: bool) -> Iterator[str]:
    """What differs, in plain words, with examples and what a repair does about each."""
    there, here = counted(plan.faces_there, "face"), f"{plan.faces_here:,} on record"
    name = plan.collection.collection_id
    if not plan.count:
        yield f"collection {name}: {there} there, {here}: they agree"
    else:
        yield f"collection {name}: {there} there, {here}: {counted(plan.count, 'difference')}"
        yield from lines(plan.findings)
        if planned and plan.repairable:
            yield ""
            yield f"--apply puts {plan.repairable:,} of them right"
    if plan.unlooked:
        yield f"{counted(plan.unlooked, 'photo')} not looked at: not in a folder of this machine"


def outcome(repaired: Repaired) -> Iterator[str]:
    """What a repair did, and what it left and why."""
    yield ""
    yield f"repaired: {counted(sum(repaired.done.values()), 'difference')}"
    for thing, why in list(repaired.refused.items())[:20]:
        yield f"  kept by the service: {thing}: {why}"
    if repaired.after.count:
        yield f"left: {counted(repaired.after.count, 'difference')}"
        yield from lines(repaired.after.findings)
    else:
        after = repaired.after
        there = counted(after.faces_there, "face")
        yield f"collection {after.collection.collection_id}: {there} there, as many on record: they agree"


def _consequence(plan: Reconciliation) -> str:
    kinds = ", ".join(
        f"{tally.count:,} {tally.drift.value.replace('_', ' ')}"
        for tally in plan.findings
        if tally.repair is Repair.DELETE
    )
    return f"From collection {plan.collection.collection_id} will be deleted: {kinds}."


def _document(app: FaceSearch, plan: Reconciliation, repaired: Repaired | None) -> dict[str, Any]:
    return {
        "engine": app.engine,
        "collection": plan.collection.collection_id,
        "drift": bool((repaired.after if repaired else plan).count),
        "faces_there": plan.faces_there,
        "faces_here": plan.faces_here,
        "photos_not_looked_at": plan.unlooked,
        "findings": [tally_shape(tally) for tally in plan.findings],
        "repaired": None
        if repaired is None
        else [
            {"drift": drift.value, "repair": repair.value, "count": count}
            for (drift, repair), count in sorted(repaired.done.items())
        ],
        "refused": None if repaired is None else dict(repaired.refused),
        "left": None if repaired is None else [tally_shape(tally) for tally in repaired.after.findings],
    }
