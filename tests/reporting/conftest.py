"""Photos that show nobody, searches of them as they might have come out, and pages read back."""

from __future__ import annotations

import base64
import hashlib
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from facesearch import photos
from facesearch.domain import (
    Box,
    Collection,
    Person,
    PersonMatch,
    Photo,
    PhotoSearch,
    SearchedFace,
    SearchStatus,
)
from facesearch.domain.calibration import Threshold
from facesearch.reporting.page import Heading
from facesearch.reporting.report import Report

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
VOID = {"br", "img", "link", "meta"}


@dataclass
class Element:
    """A tag of a page with its attributes and all text in it."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A page as a browser's parser would see it, near enough; every element must be closed as it was opened."""

    html: str
    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        assert len(element.attributes) == len(attrs)
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    def all(self, tag: str, class_: str | None = None) -> list[Element]:
        """Every element of a tag, of a class if one is given."""
        return [
            one
            for one in self.elements
            if one.tag == tag and (class_ is None or class_ in (one.attributes.get("class") or "").split())
        ]

    def text(self, tag: str, class_: str | None = None) -> str:
        """The text of the one element of a tag."""
        [element] = self.all(tag, class_)
        return element.text

    def pictures(self) -> list[bytes]:
        """The JPEG files inside the page."""
        urls = [image.attributes["src"] or "" for image in self.all("img")]
        return [base64.b64decode(re.sub("^data:image/jpeg;base64,", "", url), validate=True) for url in urls]

    def images(self) -> list[Image.Image]:
        """The same, decoded."""
        return [Image.open(BytesIO(data)) for data in self.pictures()]


@dataclass
class Search:
    """Makes photos in a folder and answers about them."""

    folder: Path

    def photo(self, name: str = "query.jpg", size: tuple[int, int] = (600, 400), seed: int = 1) -> Path:
        """A file of noise, which compresses badly: no two pixels are alike."""
        path = self.folder / name
        small = Image.frombytes("RGB", (60, 40), random.Random(seed).randbytes(60 * 40 * 3))
        small.resize(size, Image.Resampling.NEAREST).save(path, "JPEG", quality=90)
        return path

    def match(
        self, name: str | None = "Ada Lovelace", similarity: float = 97.5, **more: object
    ) -> PersonMatch:
        """A match with a face that was enrolled from a photo of its own; None is somebody not on record."""
        if name is None:
            return PersonMatch(None, similarity, "f" * 36, None, **more)  # type: ignore[arg-type]
        path = self.photo(f"enrolled-{len(list(self.folder.iterdir()))}.jpg", seed=int(similarity * 100))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        known: dict[str, object] = {
            "person": Person(hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32], name),
            "photo": Photo(digest, str(path)),
            "box": Box(0.3, 0.3, 0.2, 0.3),
            "enrolled": 3,
        }
        return PersonMatch(similarity=similarity, face_id="f" * 36, **{**known, **more})  # type: ignore[arg-type]

    def found(self, path: Path, *faces: Sequence[PersonMatch], **more: object) -> PhotoSearch:
        """What a search said of a photo: the matches of each of its faces, which stand side by side."""
        seen = tuple(
            SearchedFace(Box(0.05 + 0.3 * place, 0.3, 0.2, 0.3), 99.0, tuple(matches))
            for place, matches in enumerate(faces)
        )
        status = SearchStatus.MATCHED if any(faces) else SearchStatus.UNMATCHED
        known: dict[str, object] = {"status": status, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        return PhotoSearch(str(path), faces=seen, **{**known, **more})  # type: ignore[arg-type]


@pytest.fixture
def search(tmp_path: Path) -> Search:
    folder = tmp_path / "photos"
    folder.mkdir()
    return Search(folder)


@pytest.fixture
def heading() -> Heading:
    return Heading(
        Collection("staff", "arn:aws:rekognition:eu-west-1:1:collection/staff", "1.0", NOON, 21),
        "embedded",
        Threshold(80.0, "asked"),
        NOON,
        "anna on porch",
    )


@pytest.fixture
def made(tmp_path: Path, heading: Heading) -> Callable[..., Page]:
    """made(result, ...): the page about these answers, read back."""

    def make(*results: PhotoSearch, head: Heading = heading) -> Page:
        path = tmp_path / "page.html"
        with Report(path, head, lambda address: photos.read(Path(address))) as report:
            for result in results:
                report.add(result)
        return Page(path.read_text(encoding="utf-8"))

    return make
