"""Tagging many photos: those of files, folders and S3, several at a time, each remembered in the records."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import NamedTuple, Protocol

from facesearch.domain.files import StoredPhoto
from facesearch.domain.labels import PhotoLabels, TaggedPhoto, TagStatus
from facesearch.errors import InvalidRequestError, PhotoError, UsageError
from facesearch.workflows import planning
from facesearch.workflows.documents import address_of
from facesearch.workflows.person_files import is_litter
from facesearch.workflows.reading import is_stored
from facesearch.workflows.tagging import Tagger
from facesearch.workflows.threads import in_order


class Stored(Protocol):
    """What is asked of S3."""

    def listed(self, address: str) -> Iterator[StoredPhoto]: ...


class Records(Protocol):
    """What is asked of the records."""

    def known_labels(self, engine: str, photos: Sequence[str]) -> Mapping[str, PhotoLabels]: ...
    def keep_labels(self, engine: str, labels: PhotoLabels) -> None: ...


class Database(Protocol):
    """Gives transactions that write, and ones that only read."""

    def begin(self) -> AbstractContextManager[Records]: ...
    def read(self) -> AbstractContextManager[Records]: ...


class ToTag(NamedTuple):
    """A photo, and its path below the folder that was named, with slashes; `problem` says why it is left out."""

    photo: str
    name: str
    problem: str | None = None


def planned(paths: Sequence[Path | str], stored: Stored, to: str | None) -> Iterator[ToTag]:
    """Every photo under the paths: files, folders, and s3://bucket/prefix. Files have absolute paths.

    Raises UsageError, before the first photo, for a path with nothing there and for documents that would lie among
    the photos, where they would be taken for photos themselves.
    """
    places = [str(path) if is_stored(str(path)) else os.path.abspath(path) for path in paths]  # noqa: PTH100
    target = to if to is None or is_stored(to) else os.path.abspath(to)  # noqa: PTH100
    for place in places:
        if is_stored(place):
            if next(iter(stored.listed(place)), None) is None:
                raise UsageError(f"there is no object whose key begins so: {place}")
        elif not Path(place).exists():
            raise UsageError(f"there is no file or folder {place}")
        if target is not None and _folder(target).startswith(_folder(place)):
            raise UsageError(f"{to} lies in {place}: the documents would be taken for photos next time")
    photos = (photo for place in places for photo in _under(place, stored))
    return _apart(photos) if target is not None and len(places) > 1 else photos


def _apart(photos: Iterable[ToTag]) -> Iterator[ToTag]:
    """The photos of several places; two of one name would have one document."""
    taken: dict[str, str] = {}
    for one in photos:
        first = taken.setdefault(one.name, one.photo)
        problem = None if first == one.photo else f"its document is that of {first}: tag them apart"
        yield one._replace(problem=problem)


def tag_all(
    tagger: Tagger,
    database: Database,
    engine: str,
    photos: Iterable[ToTag],
    to: str | None,
    jobs: int,
) -> Generator[TaggedPhoto]:
    """Tag every photo and remember its labels. The answers come in the photos' order, as soon as they are there.

    What is wrong with one photo is its own answer; what concerns the service as a whole is raised. Running the
    same again asks nothing that is known. Closing the generator waits for the calls under way.
    """

    def tagged(given: tuple[ToTag, PhotoLabels | None]) -> TaggedPhoto:
        one, known = given
        try:
            if one.problem:
                raise PhotoError(one.problem)
            document = address_of(to, one.name) if to is not None else None
            return tagger(one.photo, document, known)
        except PhotoError as exc:
            return TaggedPhoto(one.photo, TagStatus.UNREADABLE, reason=exc.reason)
        except InvalidRequestError as exc:
            return TaggedPhoto(one.photo, TagStatus.UNREADABLE, reason=str(exc))

    def with_known() -> Iterator[tuple[ToTag, PhotoLabels | None]]:
        for one in photos:
            with database.read() as records:
                known = records.known_labels(engine, [one.photo]).get(one.photo)
            yield one, known

    with closing(in_order(tagged, with_known(), jobs, "tag")) as answers:
        for (_, known), answer in answers:
            if answer.labels is not None and answer.labels != known:
                with database.begin() as records:
                    records.keep_labels(engine, answer.labels)
            yield answer


def _under(place: str, stored: Stored) -> Iterator[ToTag]:
    folder = _folder(place)
    if is_stored(place):
        for one in stored.listed(place):
            inside = one.address.startswith(folder)
            name = one.address[len(folder) :] if inside else one.address.rpartition("/")[2]
            if (inside or one.address == place) and is_photo(name):
                yield ToTag(one.address, name)
    elif Path(place).is_dir():
        for path in planning.files([place]):
            yield ToTag(path, path[len(folder) :].replace(os.sep, "/"))
    else:
        yield ToTag(place, Path(place).name)


def is_photo(name: str) -> bool:
    """Whether a key may be a photo's: neither a folder that a console made nor what systems leave lying about."""
    last = name.rpartition("/")[2]
    return bool(last) and not is_litter(last)


def _folder(place: str) -> str:
    separator = "/" if is_stored(place) else os.sep
    return place if place.endswith(separator) else place + separator
