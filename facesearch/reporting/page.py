"""The page round its photos: what was found first, then by what and by whom, and what a reader should know."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from facesearch import __version__
from facesearch.domain import Collection, SearchStatus
from facesearch.domain.calibration import Threshold
from facesearch.reporting import wording
from facesearch.reporting.findings import Findings, FoundPerson, Listed
from facesearch.reporting.markup import Html, element, joined, named
from facesearch.reporting.sections import chip, face_id, fact_list, photo_id

_STYLE = Path(__file__).with_name("page.css")
_MOST_LISTED = 12  # photos that a list shows without being asked


@dataclass(frozen=True, slots=True)
class Heading:
    """What a page says of the search: where, by what, when and by whom."""

    collection: Collection
    engine: str
    threshold: Threshold
    made_at: datetime
    made_by: str
    redacted: bool = False


def start(heading: Heading, findings: Findings) -> Html:
    """The page up to its first photo."""
    words, name = _verdict(findings)
    return joined(
        Html('<!doctype html>\n<html lang="en">'),
        _head((words, name)),
        Html("<body>"),
        element("a", "Skip to the photos", href="#photos", class_="skip"),
        element(
            "header",
            element(
                "p", "Face search in collection ", named(heading.collection.collection_id), class_="eyebrow"
            ),
            element("h1", words, named(name) if name else None),
            element("p", _lede(findings), class_="lede"),
            _people(findings),
            fact_list(_facts(heading)),
            class_="top",
        ),
        _contents(findings.photos),
        Html('<main id="photos">'),
    )


def end(heading: Heading) -> Html:
    """The page after its last photo."""
    said = [
        "A match says that software finds two faces alike. It does not prove who somebody is: look at the faces "
        "yourself before anything follows from it."
    ]
    if heading.redacted:
        said.append(
            "Everybody who was not found is made unrecognisable. What is blurred cannot be brought back."
        )
    if known := heading.threshold.calibration:
        said.append(
            f"False matches were measured on {wording.counted(known.people, 'person', 'people')} of this "
            f"collection on {wording.moment(known.made_at)}; each range holds at 95 %."
        )
    said.append(f"The collection is {heading.collection.arn}.")
    said.append(
        f"Made by facesearch {__version__}. This page holds all it shows and loads nothing from anywhere."
    )
    return joined(
        Html("</main>"),
        element("footer", *(element("p", sentence) for sentence in said)),
        Html("</body></html>\n"),
    )


def _head(verdict: tuple[str, str]) -> Html:
    style = _STYLE.read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element("title", "".join(verdict)),
        element("style", Html(style)),
    )


# --- what was found ---------------------------------------------------------------------------------------------


def _verdict(findings: Findings) -> tuple[str, str]:
    """The answer in words, and the name that belongs behind them."""
    people = findings.people
    if not people:
        return "Nobody was found", ""
    if len(people) == 1:
        return "Found: ", wording.who(people[0].best)
    return f"{wording.counted(len(people), 'person', 'people')} found", ""


def _lede(findings: Findings) -> str:
    photos = wording.counted(len(findings.photos), "photo")
    unmatched = findings.faces - findings.found
    counts = f"{findings.found:,} found" + (f", {unmatched:,} without a match" if unmatched else "")
    faces = f"{wording.counted(findings.faces, 'face')} in {photos}"
    sentences = [f"{faces}: {counts}." if findings.faces else f"{faces}."]
    for status, said in (
        (SearchStatus.NO_FACE, "without a face"),
        (SearchStatus.UNREADABLE, "that could not be read"),
    ):
        if findings.answers[status]:
            sentences.append(f"{wording.counted(findings.answers[status], 'photo')} {said}.")
    return " ".join(sentences)


def _people(findings: Findings) -> Html | None:
    """Who was found where; nothing where the heading has said it all."""
    people = findings.people
    if not people or len(people) == len(findings.photos) == 1:
        return None
    return element("ol", *(_found(person, len(findings.photos)) for person in people), class_="people")


def _found(person: FoundPerson, photos: int) -> Html:
    """A name, the best similarity, and links: to the faces of one photo, or to one face in each of many."""
    if photos > 1:
        places = list({number: (number, place) for number, place in reversed(person.places)}.values())[::-1]
    else:
        places = person.places
    rest = len(places) - _MOST_LISTED
    links = (
        element(
            "a", f"photo {number}" if photos > 1 else f"face {place + 1}", href=f"#{face_id(number, place)}"
        )
        for number, place in places[:_MOST_LISTED]
    )
    return element(
        "li",
        element("span", named(wording.who(person.best)), class_="who"),
        element("span", f"{person.best.similarity:.2f} similar", class_="best"),
        element("span", *_spaced(links), f" and {rest:,} more" if rest > 0 else None, class_="where"),
    )


def _spaced(links: Iterable[Html]) -> Iterator[str]:
    for place, link in enumerate(links):
        yield from (", ", link) if place else (link,)


def _facts(heading: Heading) -> Iterator[tuple[str, str]]:
    collection = heading.collection
    yield "threshold", wording.threshold(heading.threshold)
    known = heading.threshold.calibration
    if known and (rate := known.rate_at(heading.threshold.similarity)):
        yield "false matches at it", wording.false_matches(rate)
    yield "engine", heading.engine
    yield "face model version", collection.model_version
    yield "collection", f"{collection.collection_id}, {wording.counted(collection.face_count, 'face')}"
    yield "made", wording.moment(heading.made_at)
    yield "by", heading.made_by


def _contents(photos: Sequence[Listed]) -> Html | None:
    if len(photos) < 2:
        return None
    items = (
        element(
            "li",
            element("a", named(wording.file_name(photo.path)), href=f"#{photo_id(photo.number)}"),
            chip(photo.status),
        )
        for photo in photos
    )
    contents = element(
        "details",
        element("summary", wording.counted(len(photos), "photo")),
        element("ol", *items),
        open=len(photos) <= _MOST_LISTED,
    )
    return element("nav", contents, aria_label="Photos")
