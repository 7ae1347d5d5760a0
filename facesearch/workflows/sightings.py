"""Sightings: writing down who was seen in searched photos, and looking it up."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from datetime import datetime
from pathlib import Path
from typing import Protocol

from facesearch import photos
from facesearch.domain import Collection, Photo, PhotoSearch, SearchedFace, SearchStatus
from facesearch.domain.sightings import Sighting
from facesearch.errors import PhotoError
from facesearch.workflows import people


class Records(people.Records, Protocol):
    """What sightings ask of the records."""

    def replace_sightings(
        self, arn: str, photo: Photo, faces: Sequence[SearchedFace], threshold: float
    ) -> int: ...
    def sightings(
        self,
        person_id: str | None = None,
        *,
        sha256: str | None = None,
        path: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[Sighting]: ...


class Database(Protocol):
    """Gives transactions that write, and ones that only read."""

    def begin(self) -> AbstractContextManager[Records]: ...
    def read(self) -> AbstractContextManager[Records]: ...


def recorded(
    database: Database, collection: Collection, found: Generator[PhotoSearch], threshold: float
) -> Generator[PhotoSearch]:
    """The answers of a search, each written down before it is given on: the best match of every face.

    A photo is known by its content: what an earlier search of it said is replaced, also by nobody. A photo that
    could not be read says nothing.
    """
    with closing(found):
        for result in found:
            if result.sha256 is not None and result.status is not SearchStatus.UNREADABLE:
                path = result.path if result.given else _absolute(result.path)
                with database.begin() as records:
                    records.replace_sightings(
                        collection.arn, Photo(result.sha256, path), result.faces, threshold
                    )
            yield result


def listed(
    database: Database,
    ref: str | None = None,
    *,
    photo: Path | str | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> Iterator[Sighting]:
    """Sightings, the newest first: of a person (id, key or name), of a photo, since a moment.

    A photo that is there is known by its content wherever it lies; one that is not, by its path. Raises UsageError
    for an unknown person.
    """
    sha256 = path = None
    if photo is not None:
        try:
            sha256 = photos.sha256_of(Path(photo))
        except PhotoError:
            path = _absolute(photo)
    with database.read() as records:
        person_id = None if ref is None else people.find(records, ref).id
        yield from records.sightings(person_id, sha256=sha256, path=path, since=since, limit=limit)


def _absolute(path: Path | str) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - Path.absolute would leave a .. in it, and one photo two paths
