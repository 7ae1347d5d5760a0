"""From a prefix in S3 to a plan: a key below it is a path in a folder, its first part the person."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, groupby, islice

from facesearch.domain import PersonSpec, PlannedPhoto
from facesearch.domain.files import StoredPhoto
from facesearch.errors import PhotoError, UsageError
from facesearch.workflows.person_files import PERSON_FILES, is_litter, person_from
from facesearch.workflows.reading import Stored

LOOKED_THROUGH = 10_000  # objects of one person that are held while a person file among them is looked for


def check(stored: Stored, address: str) -> None:
    """Raise UsageError when there is nothing at the address, and what listing it raises."""
    if next(iter(stored.listed(address)), None) is None:
        raise UsageError(f"there is no object whose key begins so: {address}")


def planned(stored: Stored, address: str, spec: PersonSpec | None) -> Iterator[PlannedPhoto]:
    """Every object below the address and whom it shows: `spec`, or the person that the first folder is."""
    if spec is not None:
        for one in stored.listed(address):
            if one.address == address or one.address.startswith(_folder(address)):
                yield from _photo(one, spec)
        return
    root = _folder(address)
    below = stored.listed(root)
    for name, objects in groupby(below, key=lambda one: one.address[len(root) :].partition("/")[0]):
        if is_litter(name):
            continue
        yield from _person(stored, f"{root}{name}/", name, objects)


def _person(stored: Stored, folder: str, name: str, objects: Iterator[StoredPhoto]) -> Iterator[PlannedPhoto]:
    first = list(islice(objects, LOOKED_THROUGH))
    files = [one.address for one in first if one.address in _person_files(folder)]
    if len(first) == LOOKED_THROUGH:
        files = [one for file in _person_files(folder) for one in _there(stored, file)]
    inside = [one for one in first if one.address.startswith(folder)]
    problem = None if inside else "it belongs to nobody: put it in a person's folder"
    spec = None
    try:
        spec = person_from(folder, name, {file: stored.read(file) for file in files}) if inside else None
    except (UsageError, PhotoError) as exc:
        problem = str(exc)
    for one in chain(first, objects):
        yield from _photo(one, spec, problem)


def _there(stored: Stored, address: str) -> Iterator[str]:
    return (one.address for one in stored.listed(address) if one.address == address)


def _photo(one: StoredPhoto, spec: PersonSpec | None, problem: str | None = None) -> Iterator[PlannedPhoto]:
    name = one.address.rpartition("/")[2]
    if name and not is_litter(name):  # a key that ends with a slash is a folder that a console made
        yield PlannedPhoto(one.address, spec, problem, state=one.state)


def _person_files(folder: str) -> tuple[str, ...]:
    return tuple(folder + name for name in PERSON_FILES)


def _folder(address: str) -> str:
    """The address as that of a folder; a bucket by itself is one."""
    return address if address.endswith("/") else f"{address}/"
