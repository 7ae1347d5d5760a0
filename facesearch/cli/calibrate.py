"""`facesearch calibrate`: what a similarity means in one collection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from facesearch.cli import options, rates, shapes
from facesearch.cli.output import Column, Fit, Format, Row, View, nearby, show_list
from facesearch.cli.progress import Progress
from facesearch.cli.session import opened
from facesearch.cli.talk import counted, say
from facesearch.domain.calibration import Calibration, Measured, NearPair, Point, WantedRate, people_for

if TYPE_CHECKING:
    from facesearch.settings import Settings

_RATES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
_SIMILARITIES = (70.0, 80.0, 90.0, 95.0, 99.0)
_ALIKE = 90.0  # people who are more so are named, since they may be one


class Line(NamedTuple):
    """A threshold as it would be asked for, and what would happen at it; None where so few people cannot tell."""

    asked: str
    similarity: float | None
    point: Point | None
    note: str | None = None


@click.command()
@options.collection
@click.option(
    "--faces",
    metavar="N",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Faces that are searched for at most, one of every person first.",
)
@click.option("--plot", metavar="FILE", type=options.PATH, help="Draw the curves, as .png or .svg.")
@options.jobs
@options.connection
@options.output
def calibrate(
    collection_id: str,
    faces: int,
    plot: Path | None,
    settings: Settings,
    form: Format,
) -> None:
    """Measure what a similarity means in a collection.

    Faces of the collection are searched for in it, each without itself. How often somebody else is found, and how
    often the person themselves is missed, is kept for the collection and its face model: then --threshold fmr=1e-3
    can be asked for, and each match says how often somebody else is so similar.

    Each face takes a call of SearchFaces. The ranges are of 95 % and take people, not faces, for independent.

    \b
    Example:
      facesearch calibrate -c staff --plot staff.png
      facesearch search visitor.jpg -c staff --threshold fmr=1e-3
    """
    if plot is not None and plot.suffix.lower() not in (".png", ".svg"):
        raise click.BadParameter(f"{plot} is neither .png nor .svg", param_hint="--plot")
    with opened(settings, collection_id) as app:
        calls, cost = app.calibration_cost(collection_id, faces=faces)
        if app.engine == "aws":
            say(f"this takes {counted(calls, 'call')} of SearchFaces, ${cost:,.3f} on AWS")
        with Progress("searching", calls, quiet=form.streams, thing="face") as progress:
            measured = app.calibrate(collection_id, faces=faces, on_face=progress.advance)
        _say_besides(measured)
        calibration = measured.calibration
        if plot is not None:
            app.draw_calibration(collection_id, calibration, plot)
            say(f"curves drawn in {plot}")
        head = {"engine": app.engine, "collection": collection_id, **_head(measured)}
        show_list(form, LINES, _lines(calibration), head)


def _say_besides(measured: Measured) -> None:
    calibration = measured.calibration
    say(
        f"{counted(calibration.faces, 'face')} of {counted(calibration.people, 'person', 'people')}: "
        f"{calibration.comparisons:,} comparisons with somebody else, {calibration.own:,} with the same person"
    )
    if measured.gone:
        say(
            f"{counted(measured.gone, 'face')} on record {'is' if measured.gone == 1 else 'are'} not in the "
            "collection; see `facesearch reconcile`"
        )
    if not calibration.own:
        say("nobody has two faces here, so nothing is known of misses")
    for pair in measured.nearest:
        if pair.similarity >= _ALIKE:
            one, other = (f"{person.name} ({nearby(photo.path)})" for person, photo in _sides(pair))
            say(f"very alike, perhaps one person on record twice: {one} and {other}, {pair.similarity:.2f}")


def _sides(pair: NearPair) -> Iterator[Any]:
    return zip(pair.people, pair.photos, strict=True)


def _head(measured: Measured) -> dict[str, Any]:
    calibration = measured.calibration
    return {
        "face_model_version": calibration.model_version,
        "made_at": shapes.moment(calibration.made_at),
        "faces": calibration.faces,
        "people": calibration.people,
        "comparisons": calibration.comparisons,
        "own_comparisons": calibration.own,
        "finest_rate": calibration.finest,
        "faces_gone": measured.gone,
        "nearest": [
            {
                "similarity": pair.similarity,
                "people": [shapes.person(person) for person in pair.people],
                "photos": [photo.path or None for photo in pair.photos],
            }
            for pair in measured.nearest
        ],
        "curve": [{"threshold": point.similarity, **_point(point)} for point in calibration.points],
    }


def _lines(calibration: Calibration) -> Iterator[Line]:
    """What the usual rates and similarities are here."""
    for rate in _RATES:
        asked = str(WantedRate(rate))
        if rate < calibration.finest:
            yield Line(asked, None, None, f"takes {people_for(rate):,} people")
        elif point := calibration.reaching(rate):
            yield Line(asked, point.similarity, point)
        else:
            yield Line(asked, None, None, "some people are too alike")
    for similarity in _SIMILARITIES:
        if point := calibration.at(similarity):
            yield Line(f"{similarity:g}", similarity, point)


def _point(point: Point) -> dict[str, Any]:
    return {
        "false_match_rate": rates.shape(point.false_matches),
        "false_find_rate": rates.shape(point.false_finds),
        "miss_rate": rates.shape(point.misses),
    }


def _shape(line: Line) -> dict[str, Any]:
    nothing = dict.fromkeys(("false_match_rate", "false_find_rate", "miss_rate"))
    return {
        "asked": line.asked,
        "threshold": line.similarity,
        **(_point(line.point) if line.point else nothing),
        "note": line.note,
    }


def _rows(line: Line) -> Iterator[Row]:
    row: dict[str, object] = {"asked": line.asked, "threshold": line.similarity, "note": line.note}
    if line.point:
        for name, rate in (
            ("false_match", line.point.false_matches),
            ("false_find", line.point.false_finds),
            ("miss", line.point.misses),
        ):
            if rate:
                row |= {f"{name}_rate": rate.estimate, f"{name}_low": rate.low, f"{name}_high": rate.high}
                row[f"{name}_told"] = f"{rates.told(rate)} ({rates.spread(rate)})"
    yield row


LINES: View[Line] = View(
    key="thresholds",
    shape=_shape,
    rows=_rows,
    fields=(
        "asked", "threshold", "false_match_rate", "false_match_low", "false_match_high", "miss_rate", "miss_low",
        "miss_high", "false_find_rate", "false_find_low", "false_find_high", "note",
    ),
    columns=(
        Column("asked", "--threshold", Fit.WHOLE),
        Column("threshold", "similarity"),
        Column("false_match_told", "somebody else matches (95 %)"),
        Column("miss_told", "an own photo misses (95 %)"),
        Column("false_find_told", "a stranger finds somebody (95 %)"),
        Column("note", "note", Fit.WHOLE),
    ),
    empty="",
)  # fmt: skip
