"""`facesearch person merge` and `split`: people who are one, and photos that are somebody else's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import failures, options, shapes
from facesearch.cli.output import Column, Fit, Format, Row, View, show_document, show_list
from facesearch.cli.safe import json_text
from facesearch.cli.session import opened
from facesearch.cli.talk import agreed, counted, say
from facesearch.domain import Person, PersonSummary
from facesearch.domain.regrouping import Former, MergePlan, Regrouping

if TYPE_CHECKING:
    from facesearch.settings import Settings


@click.command()
@click.argument("kept", metavar="KEPT")
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
@options.yes
@options.connection
@options.output
def merge(kept: str, others: tuple[str, ...], yes: bool, settings: Settings, form: Format) -> int:
    """Make people who are one person one.

    Photos, faces, sightings and users of the others become KEPT's, each of them an id, a key or a name. What is on
    record of KEPT stays. The others' names and keys lead to KEPT from then on, for an enrolment too.

    \b
    Example:
      facesearch person merge "Ada Lovelace" "A. Lovelace"
      facesearch person merge 1815 "Ada Byron" ada --yes
    """
    with opened(settings) as app:
        plan = app.plan_merge(kept, *others)
        if plan.others and not agreed(_consequence(plan), yes=yes, otherwise="nothing was changed"):
            return failures.NO
        return _show(form, app.merge_people(kept, *others))


@click.command()
@click.argument("ref", metavar="PERSON")
@click.argument("photos", metavar="PHOTO|FACE_ID...", nargs=-1, required=True)
@click.option(
    "--to", metavar="PERSON", required=True, help="Whose they are: an id, key or name, or a new name."
)
@options.connection
@options.output
def split(ref: str, photos: tuple[str, ...], to: str, settings: Settings, form: Format) -> int:
    """Give photos of a person to somebody else.

    PHOTO is a file or an address in S3; it is moved in every collection, a FACE_ID where it is. Enrolling the
    folder that the photo lies in does not take it back.

    \b
    Example:
      facesearch person split "Ada Lovelace" ada/7.jpg ada/9.jpg --to "Anne Isabella"
    """
    with opened(settings) as app:
        return _show(form, app.split_person(ref, photos, to))


def former(one: Former) -> dict[str, Any]:
    """Somebody who was merged, in JSON."""
    return {"id": one.id, "key": one.key, "name": one.name}


def _consequence(plan: MergePlan) -> str:
    others = " and ".join(_whom(one) for one in plan.others)
    are = "are one person" if len(plan.others) == 1 else "are all one person"
    lost = f" {_lost(plan)} will be gone." if plan.dropped else ""
    return (
        f"{others} and {_whom(plan.kept)} {are} from now on, which is {plan.kept.person.name}.{lost} "
        "It can be undone only photo by photo."
    )


def _whom(summary: PersonSummary) -> str:
    who, faces = summary.person, summary.faces
    where = ", ".join(f"{counted(count, 'face')} in {id_}" for id_, count in faces.items())
    return f"{_named(who)} ({where or 'no faces'})"


def _named(who: Person) -> str:
    return f"{who.name}, {f'key {who.key}' if who.key else f'id {who.id}'}"


def _lost(plan: MergePlan) -> str:
    names = {one.person.id: one.person.name for one in plan.others}
    return "; ".join(f"{one.what} of {names[one.person_id]}" for one in plan.dropped)


def _show(form: Format, done: Regrouping) -> int:
    if form is Format.JSON:
        show_document(_shape(done))
    else:
        show_list(form, REGROUPINGS, [done])
    for collection_id in done.calibrated:
        say(
            f"{collection_id} was calibrated with the people as they were: "
            f"`facesearch calibrate -c {collection_id}` does it anew"
        )
    if done.waiting:
        say(
            "the rest is done by the next enrolment of the collection, or by `facesearch reconcile -c ID --apply`"
        )
    return failures.PARTLY if done.waiting else failures.DONE


def _shape(done: Regrouping) -> dict[str, Any]:
    return {
        "person": shapes.person_summary(done.person),
        "merged": [former(one) for one in done.merged],
        "rest": shapes.person_summary(done.rest) if done.rest else None,
        "moved": {
            "faces": dict(done.moved.faces),
            "photos": done.moved.photos,
            "sightings": done.moved.sightings,
            "doubled": done.moved.doubled,
        },
        "dropped": [
            {"person_id": one.person_id, "what": one.what, "value": one.value} for one in done.dropped
        ],
        "waiting": dict(done.waiting),
    }


def _rows(done: Regrouping) -> Iterator[Row]:
    whose = {"person": done.person.person.name}
    for one in done.merged:
        yield {**whose, "what": f"merged {one.name}", "detail": one.id}
    for collection_id, count in done.moved.faces.items():
        yield {**whose, "what": "faces moved", "where": collection_id, "count": count}
    yield {**whose, "what": "photos moved", "count": done.moved.photos}
    if done.moved.sightings:
        yield {**whose, "what": "sightings moved", "count": done.moved.sightings}
    if done.moved.doubled:
        detail = "of photos that have a face of theirs already"
        yield {**whose, "what": "faces deleted", "count": done.moved.doubled, "detail": detail}
    for gone in done.dropped:
        yield {**whose, "what": f"dropped {gone.what}", "detail": json_text(gone.value)}
    for what, reason in done.waiting.items():
        yield {**whose, "what": "not done yet", "where": what, "detail": reason}


REGROUPINGS: View[Regrouping] = View(
    key="regroupings",
    shape=_shape,
    rows=_rows,
    fields=("person", "what", "where", "count", "detail"),
    columns=(
        Column("person", "person"),
        Column("what", "what"),
        Column("where", "where"),
        Column("count", "count"),
        Column("detail", "detail"),
    ),
    empty="",
)

FORMERS: View[Former] = View(
    key="merged",
    shape=former,
    rows=lambda one: [former(one)],
    fields=("id", "key", "name"),
    columns=(Column("id", "merged", Fit.WHOLE), Column("key", "key"), Column("name", "name")),
    empty="",
)
