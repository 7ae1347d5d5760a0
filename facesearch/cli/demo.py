"""`facesearch demo`: the main job on the sample photos, every answer checked against what is known of them."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facesearch.cli import failures
from facesearch.cli.enroll import summary
from facesearch.cli.output import Column, Fit, Row, nearby, show_table
from facesearch.cli.progress import Progress
from facesearch.cli.talk import counted, say
from facesearch.domain import EnrolmentReport, PhotoSearch, PhotoStatus, SearchStatus

if TYPE_CHECKING:
    from facesearch.app import FaceSearch
    from facesearch.settings import Settings

COLLECTION = "demo"


@dataclass(frozen=True, slots=True)
class Query:
    """A sample photo to search with, and the truth about it."""

    path: Path
    kind: str  # person, stranger, group, empty or rotated
    shows: tuple[str, ...]  # the folders of the people in it
    has_face: bool
    answer: str | None  # whose face is the largest: a folder, None for a stranger


@click.command()
def demo() -> int:
    """Enrol the sample people, search, and check every answer.

    It has a home of its own, which it removes again.

    \b
    Example:
      facesearch demo
    """
    from facesearch.bootstrap import open_app
    from facesearch.shipped import shipped

    started = time.monotonic()
    samples = shipped("sample_images")
    queries = read_queries(samples)
    with _own_home() as settings, open_app(settings) as app:
        report = _enrol(app, samples / "people")
        results = _search(app, [query.path for query in queries])
    rows = [checked(query, result) for query, result in zip(queries, results, strict=True)]
    show_table(COLUMNS, rows)
    right = sum(row["verdict"] == "right" for row in rows)
    say(
        f"{right} of {len(rows)} answers right, {time.monotonic() - started:.1f} s; no photo and no face was kept."
    )
    for line in _NEXT:
        say(line)
    complete = report.counts.get(PhotoStatus.ENROLLED, 0) == report.total
    return failures.DONE if right == len(rows) and complete else failures.NO


def read_queries(samples: Path) -> list[Query]:
    """The queries of labels.json."""
    labels = json.loads((samples / "labels.json").read_text(encoding="utf-8"))
    return [
        Query(
            path=samples / query["photo"],
            kind=query["kind"],
            shows=tuple(query["shows"]),
            has_face=bool(query["faces"]),
            answer=_largest(query["faces"]),
        )
        for query in labels["queries"]
    ]


def checked(query: Query, result: PhotoSearch) -> Row:
    """A row of the table: what is in the photo, what was found, and whether that is right.

    Right is: no face in a photo without one, nobody for a stranger, else the person of the largest face first.
    """
    matches = [match for face in result.faces for match in face.matches]
    best = matches[0] if matches else None
    name = best.person.name if best and best.person else None
    if not query.has_face:
        right = result.status is SearchStatus.NO_FACE
    elif query.answer is None:
        right = result.status is SearchStatus.UNMATCHED
    else:
        right = result.status is SearchStatus.MATCHED and name == query.answer
    return {
        "photo": query.path.name,
        "there": _who_is_there(query),
        "found": name or _NOBODY.get(result.status, "a face not on record"),
        "similarity": best.similarity if best else None,
        "verdict": "right" if right else "WRONG",
    }


@contextmanager
def _own_home() -> Iterator[Settings]:
    """Settings for records and an engine of the demo's own, removed afterwards.

    Only the cache is the user's, where links can be made: what is computed there once serves every later command.
    """
    from facesearch.settings import Settings

    with tempfile.TemporaryDirectory(prefix="facesearch-demo-") as folder:
        home = Path(folder)
        cache = Settings.resolve({"engine": "embedded"}).cache
        records = f"sqlite:///{home / 'facesearch.db'}"
        settings = Settings.resolve({"engine": "embedded", "home": home, "database_url": records})
        with suppress(OSError):
            cache.mkdir(parents=True, exist_ok=True)
            settings.cache.symlink_to(cache, target_is_directory=True)
        yield settings


def _enrol(app: FaceSearch, people: Path) -> EnrolmentReport:
    say(f"$ facesearch enroll {nearby(str(people))} -c {COLLECTION}")
    with Progress("enrolling", sum(1 for _ in app.plan([people]))) as progress:
        report = app.enroll([people], COLLECTION, on_photo=lambda _: progress.advance())
    for line in summary(report):
        say(line)
    for problem in report.problems:
        say(f"  {problem.path}: {problem.reason}")
    return report


def _search(app: FaceSearch, photos: Sequence[Path]) -> list[PhotoSearch]:
    say(f"$ facesearch search {nearby(str(photos[0].parent))}/* -c {COLLECTION}")
    with Progress("searching", len(photos)) as progress:
        return list(progress.track(app.search(photos, COLLECTION)))


def _largest(faces: Sequence[dict[str, object]]) -> str | None:
    def area(face: dict[str, object]) -> float:
        box = face["box"]
        assert isinstance(box, dict), "labels.json gives each face its box"
        return float(box["width"] * box["height"])

    person = max(faces, key=area)["person"] if faces else None
    return None if person is None else str(person)


def _who_is_there(query: Query) -> str:
    if not query.has_face:
        return "nobody"
    if query.answer is None:
        return "a stranger"
    others = len(query.shows) - 1
    with_others = f" and {counted(others, 'other')}" if others else ""
    return f"{query.answer}{with_others}{', rotated' if query.kind == 'rotated' else ''}"


_NOBODY = {
    SearchStatus.UNMATCHED: "nobody known",
    SearchStatus.NO_FACE: "no face",
    SearchStatus.UNREADABLE: "unreadable",
}
_NEXT = (
    "Next, with a folder of your own where each subfolder is a person:",
    "  facesearch enroll people/ -c staff",
    "  facesearch search visitor.jpg -c staff",
)
COLUMNS = (
    Column("photo", "photo"),
    Column("there", "who is there"),
    Column("found", "who was found"),
    Column("similarity", "similarity"),
    Column("verdict", "verdict", Fit.WHOLE),
)
