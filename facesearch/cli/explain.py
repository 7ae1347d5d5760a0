"""`facesearch explain`: why a photo is, or is not, found to show somebody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import failures, options, rates, shapes
from facesearch.cli.output import Format, nearby, show_document, write
from facesearch.cli.safe import encodable
from facesearch.cli.session import opened
from facesearch.cli.talk import counted
from facesearch.domain.explaining import Elsewhere, Explanation, Shortcoming, Verdict
from facesearch.plain import plain

if TYPE_CHECKING:
    from facesearch.settings import Settings

_UNITS = {"pixels": " pixels", "yaw": "°", "pitch": "°"}
_NAMES = {
    "pixels": "its shorter side",
    "yaw": "it is turned sideways by",
    "pitch": "it is turned up or down by",
}


@click.command()
@click.argument("photo", metavar="PHOTO", type=options.PATH)
@click.option("--person", metavar="PERSON", required=True, help="Id, key or name of who should be found.")
@options.collection
@options.threshold
@options.detail
@options.connection
@options.output
def explain(
    photo: Path,
    person: str,
    collection_id: str,
    threshold: str | None,
    settings: Settings,
    form: Format,
) -> int:
    """Say why a search of a photo names a person, or does not.

    The exit code is 0 when it names them first, and 1 when it does not.

    \b
    Example:
      facesearch explain visitor.jpg --person "Ada Lovelace" -c staff
    """
    with opened(settings, collection_id) as app:
        explained = app.explain(photo, person, collection_id, threshold=threshold)
    if form is Format.TABLE:
        for line in _lines(explained, collection_id):
            write(encodable(plain(line)))
    else:
        show_document(_shape(explained, photo))
    return failures.DONE if explained.verdict is Verdict.FOUND else failures.NO


def _lines(explained: Explanation, collection_id: str) -> Iterator[str]:
    name, limit = explained.person.name, explained.threshold.similarity
    match explained.verdict:
        case Verdict.NOT_ENROLLED:
            yield f"no: {name} has no face in collection {collection_id}"
            yield from map(_elsewhere, explained.elsewhere)
        case Verdict.OTHER_MODEL:
            [own] = explained.elsewhere
            yield (
                f"no: the faces of {name} were made with face model {own.model_version}, and collection "
                f"{collection_id} has model {explained.model_version}: faces of two models are not compared"
            )
            yield "delete them and enrol the photos again"
        case Verdict.NOT_THERE:
            yield f"no: {name} is on record, and collection {collection_id} does not hold their faces"
            yield f"see `facesearch reconcile -c {collection_id}`"
        case Verdict.NO_FACE:
            yield "no: the photo shows no face that can be searched"
            if explained.candidate:
                yield (
                    f"a closer look finds one of {explained.candidate} pixels on its shorter side, too small in "
                    "so large a photo: crop the photo round it, or take one from nearer"
                )
            else:
                yield "take one that shows the face larger, lit, and from the front"
        case Verdict.FOUND:
            yield f"yes: {_likeness(explained)} reaches the threshold {limit:.4g}, and nobody is nearer"
        case Verdict.OTHER_FACE:
            yield f"no: the largest face of the photo is another's, and a smaller one is {name}"
            yield f"{_likeness(explained)} reaches the threshold {limit:.4g}: search with --faces all"
        case Verdict.NEARER:
            yield f"no: another person is nearer; {_likeness(explained)}, in place {explained.place}"
        case Verdict.UNDER_THRESHOLD | Verdict.POOR_QUALITY:
            yield f"no: {_likeness(explained)} is under the threshold {limit:.4g}"
    if explained.nearer and explained.nearer.similarity >= limit:
        yield f"first comes {_who(explained)}, {explained.nearer.similarity:.2f}"
    if explained.photo and explained.verdict is not Verdict.FOUND:
        yield f"most like it of theirs: {nearby(explained.photo.path)}"
    if explained.false_match_rate:
        yield f"somebody else is so similar here in {rates.told(explained.false_match_rate)} of comparisons"
    if explained.verdict is Verdict.POOR_QUALITY:
        yield from (f"the face is poor: {_poor(one)}" for one in explained.shortcomings)


def _likeness(explained: Explanation) -> str:
    if explained.similarity is None:
        return "the similarity, less than that of thousands of other faces,"
    return f"the similarity {explained.similarity:.2f}"


def _who(explained: Explanation) -> str:
    assert explained.nearer
    person = explained.nearer.person
    return person.name if person else f"a face that is not on record ({explained.nearer.face_id})"


def _poor(one: Shortcoming) -> str:
    unit = _UNITS.get(one.what, "")
    end = "at most" if one.what in ("yaw", "pitch") else "at least"
    return (
        f"{_NAMES.get(one.what, one.what)} {one.measured:.0f}{unit}, enough is {end} {one.enough:.0f}{unit}"
    )


def _elsewhere(one: Elsewhere) -> str:
    faces = counted(one.faces, "face")
    return f"they have {faces} in collection {one.collection_id} (face model {one.model_version})"


def _shape(explained: Explanation, photo: Path) -> dict[str, Any]:
    nearer = explained.nearer
    return {
        "found": explained.verdict is Verdict.FOUND,
        "verdict": explained.verdict.value,
        "query": str(photo),
        "person": shapes.person(explained.person),
        **rates.threshold_shape(explained.threshold),
        "face_model_version": explained.model_version,
        "box": shapes.box(explained.box) if explained.box else None,
        "similarity": explained.similarity,
        "best_photo": (explained.photo.path or None) if explained.photo else None,
        "place": explained.place,
        "false_match_rate": rates.shape(explained.false_match_rate),
        "nearer": shapes.match(nearer) if nearer else None,
        "shortcomings": [
            {"what": one.what, "measured": one.measured, "enough": one.enough}
            for one in explained.shortcomings
        ],
        "candidate_pixels": explained.candidate,
        "elsewhere": [
            {"collection": one.collection_id, "faces": one.faces, "face_model_version": one.model_version}
            for one in explained.elsewhere
        ],
    }
