"""One photo on the page: itself with a box round each face, and beside it each face with whom it resembles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from facesearch.domain import Box, PersonMatch, PhotoSearch, SearchedFace, SearchStatus
from facesearch.reporting import wording
from facesearch.reporting.markup import Html, element, joined, named
from facesearch.reporting.pictures import Picture


@dataclass(frozen=True, slots=True)
class ShownMatch:
    """A match with the face it was enrolled with, or the reason why that cannot be shown."""

    match: PersonMatch
    portrait: Picture | str


@dataclass(frozen=True, slots=True)
class ShownFace:
    """A face of the photo as it is shown, and its matches; `unnamed` more are left out of a redacted page."""

    face: SearchedFace
    portrait: Picture | str
    matches: tuple[ShownMatch, ...]
    unnamed: int = 0


@dataclass(frozen=True, slots=True)
class ShownPhoto:
    """A photo, the `number`th of the page, as it is shown or with the reason why it cannot be."""

    number: int
    result: PhotoSearch
    picture: Picture | str
    faces: tuple[ShownFace, ...]
    path: str | None  # None on a redacted page, which gives the file's name alone


def photo_section(photo: ShownPhoto, threshold: float) -> Html:
    """All that is said of one photo."""
    id_ = photo_id(photo.number)
    title = f"{id_}-title"
    return element(
        "section",
        element(
            "header",
            element(
                "h2",
                element("span", f"photo {photo.number}", class_="nth"),
                " ",
                named(wording.file_name(photo.result.path)),
                id=title,
            ),
            chip(photo.result.status),
            element("p", named(photo.path), class_="path") if photo.path else None,
        ),
        _picture(photo),
        element("div", *(_face(photo, place, threshold) for place in range(len(photo.faces))), class_="faces")
        if photo.faces
        else None,
        id=id_,
        class_=_layout(photo),
        aria_labelledby=title,
    )


def _layout(photo: ShownPhoto) -> str:
    """An upright photo, or one of one face, has its faces beside it where there is room; others below."""
    upright = isinstance(photo.picture, Picture) and photo.picture.height > photo.picture.width
    kinds = ["photo"]
    if len(photo.faces) == 1:
        kinds.append("single")
    if photo.faces and (upright or len(photo.faces) == 1):
        kinds.append("beside")
    return " ".join(kinds)


def photo_id(number: int) -> str:
    """What a photo's section is linked to by."""
    return f"photo-{number}"


def face_id(number: int, place: int) -> str:
    """What a face is linked to by; `place` begins at 0."""
    return f"{photo_id(number)}-face-{place + 1}"


def chip(status: SearchStatus) -> Html:
    """The answer in two words."""
    return element("span", wording.ANSWERS[status], class_=f"chip {status.value}")


# --- the photo --------------------------------------------------------------------------------------------------


def _picture(photo: ShownPhoto) -> Html:
    reason = photo.result.reason
    if isinstance(photo.picture, str):
        return element("p", reason or photo.picture, class_="nothing wide")
    name = wording.file_name(photo.result.path)
    boxes = [_box(photo, place) for place in range(len(photo.faces))]
    alt = f"{name}, {wording.counted(len(boxes), 'face')} marked" if boxes else name
    return element(
        "figure",
        element(
            "div",
            photo.picture.element(alt),
            element("svg", *boxes, class_="boxes", width="100%", height="100%") if boxes else None,
            class_="marked",
        ),
        element("figcaption", reason) if reason else None,
    )


def _box(photo: ShownPhoto, place: int) -> Html | None:
    """A face's box with its number, which leads to what is said of it.

    Places are shares of the picture and not of a viewBox, so that lines and numbers keep their size on a phone.
    """
    shown = photo.faces[place]
    area = _visible(shown.face.box)
    if area is None:
        return None
    x, y, width, height = (f"{100 * value:.3f}%" for value in area)
    box: dict[str, str | float] = {"x": x, "y": y, "width": width, "height": height, "rx": 5}
    kind = "found" if shown.face.matches else "unknown"
    number = element(
        "svg",
        element("circle", r=12),
        element("text", str(place + 1), dy="0.36em", text_anchor="middle"),
        x=x,
        y=y,
        overflow="visible",
    )
    return element(
        "a",
        element("rect", class_="ground", **box),
        element("rect", class_="line", **box),
        number,
        href=f"#{face_id(photo.number, place)}",
        class_=kind,
        aria_label=f"Face {place + 1}: {_headline(shown)}",
    )


def _visible(box: Box) -> tuple[float, float, float, float] | None:
    """The part of a box that is in the picture as left, top, width, height; None where there is none."""
    if not all(map(isfinite, (box.left, box.top, box.width, box.height))):
        return None
    left, top = max(box.left, 0.0), max(box.top, 0.0)
    width, height = min(box.left + box.width, 1.0) - left, min(box.top + box.height, 1.0) - top
    return (left, top, width, height) if width > 0 and height > 0 else None


# --- its faces --------------------------------------------------------------------------------------------------


def _face(photo: ShownPhoto, place: int, threshold: float) -> Html:
    shown = photo.faces[place]
    id_ = face_id(photo.number, place)
    heading = element(
        "h3",
        element("span", str(place + 1), class_="number"),
        " ",
        named(_headline(shown)),
        id=f"{id_}-title",
    )
    return element(
        "article",
        heading,
        joined(*_matches(shown, threshold)) if shown.matches else _unmatched(shown, threshold),
        id=id_,
        class_="found" if shown.face.matches else "unknown",
        aria_labelledby=f"{id_}-title",
    )


def _headline(shown: ShownFace) -> str:
    if shown.face.matches:
        return wording.who(shown.face.matches[0])
    return "not searched" if shown.face.reason else "nobody found"


def _unmatched(shown: ShownFace, threshold: float) -> Html:
    said = shown.face.reason or f"No face of the collection reaches the threshold {threshold:.4g}."
    return joined(
        element("div", _portrait(shown.portrait, "in this photo"), class_="pair"), element("p", said)
    )


def _matches(shown: ShownFace, threshold: float) -> Iterator[Html]:
    best, *others = shown.matches
    yield _match(shown, best, threshold)
    if others:
        items = [
            element(
                "li",
                element("h4", named(wording.who(other.match))),
                _match(shown, other, threshold),
            )
            for other in others
        ]
        summary = f"{wording.counted(len(others), 'more person', 'more people')} above the threshold"
        yield element("details", element("summary", summary), element("ol", *items), class_="others")
    if shown.unnamed:
        more = wording.counted(shown.unnamed, "more person", "more people")
        yield element("p", f"{more} above the threshold, not shown.", class_="note")


def _match(shown: ShownFace, one: ShownMatch, threshold: float) -> Html:
    match = one.match
    return joined(
        element(
            "div",
            _portrait(shown.portrait, "in this photo"),
            _portrait(one.portrait, "on record"),
            class_="pair",
        ),
        element(
            "p",
            element("strong", f"{match.similarity:.2f}"),
            f" similar · threshold {threshold:.4g}",
            class_="score",
        ),
        _bar(match.similarity, threshold),
        _facts(match),
    )


def _portrait(portrait: Picture | str, caption: str) -> Html:
    shown = (
        portrait.element(f"the face {caption}")
        if isinstance(portrait, Picture)
        else element("p", portrait, class_="nothing")
    )
    return element("figure", shown, element("figcaption", caption))


def _bar(similarity: float, threshold: float) -> Html:
    """The similarity on a scale of 0 to 100 with a mark at the threshold; the text above it says the same."""
    return element(
        "svg",
        element("rect", class_="all", y=4, width="100%", height=8, rx=4),
        element("rect", class_="reached", y=4, width=f"{similarity:.2f}%", height=8, rx=4),
        element("rect", class_="threshold", x=f"{threshold:.2f}%", width=2, height=16),
        class_="bar",
        width="100%",
        height=16,
        aria_hidden="true",
    )


def _facts(match: PersonMatch) -> Html:
    facts: list[tuple[str, str | None]] = [
        ("next person", wording.margin(match)),
        ("faces that agree", wording.agreement(match)),
        ("false matches", wording.false_matches(match.false_match_rate) if match.false_match_rate else None),
        ("key", named(match.person.key) if match.person and match.person.key else None),
        ("photo on record", named(wording.file_name(match.photo.path)) if match.photo else None),
        ("FaceId", match.face_id),
        ("UserId", match.user_id),
    ]
    return fact_list((name, value) for name, value in facts if value)


def fact_list(facts: Iterator[tuple[str, str]]) -> Html:
    """Names with what they are."""
    pairs = (element("div", element("dt", name), element("dd", value)) for name, value in facts)
    return element("dl", *pairs)
