"""A page written while a search goes on: each photo is on disk before the next is looked at."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from facesearch import photos, redaction
from facesearch.domain import Box, PersonMatch, Photo, PhotoSearch, SearchedFace, SearchStatus
from facesearch.errors import FaceSearchError, PhotoError, UsageError
from facesearch.reporting import page, pictures, sections
from facesearch.reporting.findings import Findings
from facesearch.reporting.page import Heading
from facesearch.reporting.pictures import Picture
from facesearch.reporting.sections import ShownFace, ShownMatch, ShownPhoto

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".html", ".htm")
_KEPT = 256  # portraits of those who are found again and again, some 10 KB each


class Report:
    """A page about a search, for the length of a `with` block; put in its place if that is left without error.

    `read` gives an enrolled photo's bytes by its path. A redacted page shows and names nobody but those who were
    found.
    """

    def __init__(self, path: Path, heading: Heading, read: Callable[[str], bytes]) -> None:
        self._path = path
        self._heading = heading
        self._read = read
        self._findings = Findings()
        self._portrait = lru_cache(_KEPT)(self._make_portrait)
        self._opened = ExitStack()
        self._body: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Raises UsageError where no page can be written, before anything was searched."""
        check(self._path)
        try:
            self._body = self._opened.enter_context(tempfile.TemporaryFile(dir=self._path.parent))
        except OSError as exc:
            raise _unwritten(self._path, exc) from exc
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._opened:
            if error is None:
                self._finish()

    def add(self, result: PhotoSearch) -> None:
        """Write down what was found in one photo. Raises OSError when the disk is full."""
        assert self._body, "a report takes photos inside its with block"
        section = sections.photo_section(
            self._shown(self._findings.add(result), result), self._heading.threshold.similarity
        )
        self._body.write(section.encode())

    def _finish(self) -> None:
        assert self._body
        unfinished = self._path.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            with unfinished.open("xb") as file:
                file.write(page.start(self._heading, self._findings).encode())
                self._body.seek(0)
                shutil.copyfileobj(self._body, file)
                file.write(page.end(self._heading).encode())
            unfinished.replace(self._path)
        except OSError as exc:
            raise _unwritten(self._path, exc) from exc
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)

    # --- what is shown of a photo

    def _shown(self, number: int, result: PhotoSearch) -> ShownPhoto:
        photo = self._looked_at(result)
        if isinstance(photo, str):
            picture: Picture | str = photo
        else:
            picture = pictures.whole(photo)
        faces = tuple(self._face(photo, face) for face in result.faces)
        return ShownPhoto(number, result, picture, faces, None if self._heading.redacted else result.path)

    def _looked_at(self, result: PhotoSearch) -> Image | str:
        """The photo as it may be shown, or why it is not."""
        if result.status is SearchStatus.UNREADABLE:
            return "The photo could not be read."
        if self._heading.redacted and result.status is not SearchStatus.MATCHED:
            return "The photo is left out, as nobody was found in it."
        try:
            content = photos.read(result.source)
            if sha256(content).hexdigest() != result.sha256:
                return "The file has changed since it was searched."
            photo = photos.open_content(content, result.path)
        except PhotoError as exc:
            return f"The photo cannot be shown: {exc.reason}."
        return redaction.redact(photo, result.faces) if self._heading.redacted else photo

    def _face(self, photo: Image | str, face: SearchedFace) -> ShownFace:
        kept = 1 if self._heading.redacted else len(face.matches)
        matches = tuple(ShownMatch(match, self._enrolled(match)) for match in face.matches[:kept])
        if isinstance(photo, str) or (self._heading.redacted and not matches):
            portrait: Picture | str = "not shown"
        else:
            portrait = pictures.face(photo, face.box) or "not shown"
        return ShownFace(face, portrait, matches, len(face.matches) - len(matches))

    def _enrolled(self, match: PersonMatch) -> Picture | str:
        """The face that a match was enrolled with, or why it cannot be shown."""
        if match.user_id is not None:
            return "Found by all their faces together."
        if match.photo is None:
            return "The records do not know this face."
        if not match.photo.path:
            return "Its photo was never seen here."
        return self._portrait(match.photo, match.box) if match.box else "not shown"

    def _make_portrait(self, of: Photo, box: Box) -> Picture | str:
        try:
            content = self._read(of.path)
            if sha256(content).hexdigest() != of.sha256:
                return "The file has changed since it was enrolled."
            photo = photos.open_content(content, of.path)
        except FaceSearchError as exc:  # no rights in S3 is no reason to lose the page either
            return f"The photo cannot be shown: {exc.reason if isinstance(exc, PhotoError) else exc}."
        if self._heading.redacted:
            photo = redaction.leave_only(photo, [box])
        return pictures.face(photo, box) or "not shown"


def check(path: Path) -> None:
    """Raises UsageError for a path where a page would take the place of something else, or that has no folder."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path} is no name for a page: let it end in .html")
    if path.exists() and not path.is_file():
        raise UsageError(f"cannot write {path}: there is something there that is not a file")


def _unwritten(path: Path, exc: OSError) -> UsageError:
    return UsageError(f"cannot write {path}: {exc.strerror or exc}")
