"""`facesearch search`: who is in these photos."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facesearch.cli import failures, options, rates, shapes
from facesearch.cli.output import Column, Fit, Format, Row, View, nearby, show_list
from facesearch.cli.progress import Progress
from facesearch.cli.session import opened
from facesearch.cli.talk import counted, say

if TYPE_CHECKING:
    from facesearch.app import FaceSearch
    from facesearch.domain import GivenPhoto, PersonMatch, PhotoSearch, SearchedFace
    from facesearch.domain.calibration import Rate
    from facesearch.reporting.report import Report
    from facesearch.settings import Settings

STDIN = "-"

_ANSWERS = {  # in words, by SearchStatus
    "matched": "found",
    "unmatched": "no match",
    "no_face": "no face",
    "unreadable": "unreadable",
}


def _faces(_ctx: click.Context, _param: click.Parameter, value: str) -> int | None:
    """How many faces: None for every one."""
    if value in ("all", "largest"):
        return None if value == "all" else 1
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise click.BadParameter(f"{value!r} is not all, largest, or a number such as 3")
    return int(value)


@click.command()
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True, type=click.Path())
@options.collection
@options.threshold
@click.option(
    "--faces",
    metavar="all|largest|N",
    default="largest",
    show_default=True,
    callback=_faces,
    help="Which faces of a photo are searched for: every one, the largest, or the N largest.",
)
@click.option(
    "--by",
    type=click.Choice(["face", "user"]),
    default="face",
    show_default=True,
    help="Hold photos against each face, or against all faces of a person at once.",
)
@click.option(
    "--max-matches", metavar="N", type=click.IntRange(min=1), help="At most this many people a photo."
)
@click.option("--fail-if-none", is_flag=True, help="Exit with 1 when nobody was found in one of the photos.")
@click.option(
    "--save", metavar="DIR", type=options.PATH, help="Write each photo there with boxes and names drawn."
)
@click.option(
    "--report", metavar="FILE", type=options.PATH, help="Write an HTML page to show there, in one file."
)
@click.option(
    "--redact", is_flag=True, help="Make everyone who was not found unrecognisable in --report and --save."
)
@click.option("--record", is_flag=True, help="Write down who was seen where, for `facesearch sightings`.")
@options.jobs
@options.detail
@options.connection
@options.output
def search(
    photos: tuple[str, ...],
    collection_id: str,
    threshold: str | None,
    faces: int | None,
    by: str,
    max_matches: int | None,
    fail_if_none: bool,
    save: Path | None,
    report: Path | None,
    redact: bool,
    record: bool,
    settings: Settings,
    form: Format,
) -> int:
    """Find the people of a collection in photos.

    The largest face of each photo is searched for, or with --faces all every one. A folder stands for all files in
    it and below, and - for a photo on stdin.

    \b
    Example:
      facesearch search visitor.jpg -c staff
      facesearch search door/*.jpg -c staff --threshold 90 -o ndjson
      camera | facesearch search - -c staff
      facesearch search party/ -c staff --faces all --save marked/ --record
      facesearch search visitor.jpg -c staff --report found.html --redact
    """
    if photos.count(STDIN) > 1:
        raise click.UsageError("- stands for the one photo on stdin, and can be given once")
    if by == "user" and threshold and threshold.startswith("fmr"):
        raise click.UsageError(
            "rates of false matches were measured on faces: with --by user give a similarity"
        )
    if redact and not (report or save):
        raise click.UsageError("--redact is for what --report and --save write")
    answers: Counter[str] = Counter()  # by SearchStatus
    with (
        opened(settings, collection_id) as app,
        app.report(report, collection_id, threshold=threshold, redact=redact)
        if report
        else nullcontext() as page,
        _progress(app, photos, form) as progress,
    ):
        app.expect_photos()
        if faces != 1 and app.engine == "aws":
            searching = "SearchUsersByImage" if by == "user" else "SearchFacesByImage"
            say(f"each photo takes a call of DetectFaces, and each of its faces one of {searching}")
        limit = app.threshold(collection_id, threshold)
        if meaning := rates.threshold_said(limit):
            say(meaning)
        given = [_given(app, photo) for photo in photos]
        found = app.search(
            given,
            collection_id,
            threshold=threshold,
            max_matches=max_matches,
            faces=faces,
            by=by,
            record=record,
        )
        head = {"engine": app.engine, "collection": collection_id, **rates.threshold_shape(limit)}
        with closing(found):  # what is under way ends before the engine is closed, whatever happens here
            show_list(
                form, SEARCHES, progress.track(_saved(app, _told(found, page, answers), save, redact)), head
            )
    if report:
        say(f"the page is {report}")
    if answers["unreadable"]:
        say(f"{counted(answers['unreadable'], 'photo')} could not be read")
        return failures.PARTLY
    nobody = answers["unmatched"] + answers["no_face"]
    return failures.NO if fail_if_none and nobody else failures.DONE


def _progress(app: FaceSearch, photos: Sequence[str], form: Format) -> Progress:
    """Folders are gone through for their number while the search is going on."""
    if not any(Path(photo).is_dir() for photo in photos):
        return Progress("searching", len(photos), quiet=form.streams)
    return Progress("searching", count=lambda: sum(1 for _ in app.photos(photos)), quiet=form.streams)


def _given(app: FaceSearch, photo: str) -> str | GivenPhoto:
    return app.given(sys.stdin.buffer, "stdin") if photo == STDIN else photo


def _told(
    results: Iterable[PhotoSearch], page: Report | None, answers: Counter[str]
) -> Iterator[PhotoSearch]:
    """The results, each counted under its answer and written into the page."""
    for result in results:
        answers[result.status] += 1
        if page:
            page.add(result)
        yield result


def _saved(
    app: FaceSearch, results: Iterable[PhotoSearch], folder: Path | None, redact: bool
) -> Iterator[PhotoSearch]:
    """The results, each drawn into the folder when it shows a face."""
    drawn = 0
    for result in results:
        if folder and result.faces:
            app.draw(result, folder, redact=redact)
            drawn += 1
        yield result
    if folder:
        say(f"{counted(drawn, 'photo')} drawn in {folder}")


def _rows(result: PhotoSearch) -> Iterator[Row]:
    """A row for each match; for a face or a photo without one, a row that says so."""
    answer = {
        "photo": result.path,
        "shown_photo": nearby(result.path),
        "status": result.status.value,
        "answer": _ANSWERS[result.status],
        "reason": result.reason,
        "who": result.reason,
    }
    if not result.faces:
        yield answer
    for face in result.faces:
        if not face.matches:
            said = (
                {"answer": "not searched", "reason": face.reason, "who": face.reason} if face.reason else {}
            )
            yield {**answer, "answer": "no match", **said, **_face(face)}
        for match in face.matches:
            person, photo = match.person, match.photo
            yield {
                **answer,
                **_face(face),
                "person_id": person.id if person else None,
                "person_key": person.key if person else None,
                "person_name": person.name if person else None,
                "who": person.name if person else f"not on record: {_unknown(match)}",
                "similarity": match.similarity,
                **_rate(match.false_match_rate),
                "margin": match.margin,
                "face_id": match.face_id,
                "user_id": match.user_id,
                "agreeing_faces": match.agreeing,
                "enrolled_faces": match.enrolled,
                "agreeing": _agreeing(match),
                "matched_photo": photo.path if photo else None,
                "shown_match": nearby(photo.path) if photo else None,
            }


def _unknown(match: PersonMatch) -> str:
    return f"user {match.user_id}" if match.user_id else f"face {match.face_id}"


def _agreeing(match: PersonMatch) -> str | None:
    if not match.enrolled:
        return None
    return f"{match.enrolled} as one" if match.user_id else f"{match.agreeing} of {match.enrolled}"


def _rate(rate: Rate | None) -> Row:
    if rate is None:
        return {}
    return {
        "false_match_rate": rate.estimate,
        "false_match_low": rate.low,
        "false_match_high": rate.high,
        "false_match_told": rates.told(rate),
    }


def _face(face: SearchedFace) -> Row:
    return {
        "confidence": face.confidence,
        "box_left": face.box.left,
        "box_top": face.box.top,
        "box_width": face.box.width,
        "box_height": face.box.height,
    }


_FIELDS = (
    "photo", "status", "reason", "person_id", "person_key", "person_name", "similarity", "face_id",
    "matched_photo", "confidence", "box_left", "box_top", "box_width", "box_height",
    "agreeing_faces", "enrolled_faces", "margin", "false_match_rate", "false_match_low", "false_match_high",
    "user_id",
)  # fmt: skip

SEARCHES: View[PhotoSearch] = View(
    key="photos",
    shape=shapes.photo_search,
    rows=_rows,
    fields=_FIELDS,
    columns=(
        Column("shown_photo", "photo", Fit.TAIL),
        Column("answer", "answer", Fit.WHOLE),
        Column("who", "person or reason"),
        Column("person_key", "key"),
        Column("similarity", "similarity"),
        Column("false_match_told", "somebody else is", Fit.WHOLE),
        Column("margin", "margin"),
        Column("agreeing", "faces"),
        Column("shown_match", "matched photo", Fit.TAIL),
    ),
    empty="no photos",
)
