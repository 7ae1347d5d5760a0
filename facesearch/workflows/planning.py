"""From folders to a plan: which files are to be enrolled, and whom each of them shows.

A subfolder is a person. Folders are walked lazily and in the order of their names, so a plan of a million photos
takes no more memory than one of ten; their paths are strings, since a Path takes ten times as long to make.
Nothing is passed over in silence: what cannot be enrolled (a photo that belongs to nobody, a folder without
rights, a broken person file) is planned with the problem it has.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from facesearch.domain import PersonSpec, PlannedPhoto
from facesearch.errors import UsageError
from facesearch.workflows import buckets, manifests
from facesearch.workflows.person_files import is_litter, person_name, read_person
from facesearch.workflows.reading import Stored, is_stored


def plan(
    paths: Sequence[Path | str], stored: Stored, person: str | None = None, *, strict: bool = False
) -> Iterator[PlannedPhoto]:
    """Every file under `paths` with the person it shows. A path may be s3://bucket/prefix.

    With `person` the paths are files, or folders of files, that all show them. Without it the paths are folders
    whose subfolders are people, and manifests, which say of each photo whom it shows. Raises UsageError, before
    the first photo, when that is not what the paths are; if `strict`, also for any bad row of a manifest.
    """
    spec = PersonSpec(name=person_name(person)) if person is not None else None
    places = [path if is_stored(str(path)) else Path(path) for path in paths]
    for path in places:
        if isinstance(path, Path):
            _check_shape(path, spec)
        else:
            buckets.check(stored, path)
    for path in places if strict else ():
        if isinstance(path, Path) and manifests.is_manifest(path):
            manifests.check_rows(path)
    return _planned(places, stored, spec)


def _planned(places: Sequence[Path | str], stored: Stored, spec: PersonSpec | None) -> Iterator[PlannedPhoto]:
    for path in places:
        if isinstance(path, str):
            yield from buckets.planned(stored, path, spec)
        elif spec is None and manifests.is_manifest(path):
            yield from manifests.planned(path)
        elif not path.is_dir():
            yield PlannedPhoto(str(path), spec)
        elif spec is not None:
            yield from _photos(str(path), spec)
        else:
            yield from _people(str(path))


def _check_shape(path: Path, spec: PersonSpec | None) -> None:
    if not path.exists():
        raise UsageError(f"there is no file or folder {path}")
    if spec is None and manifests.is_manifest(path):
        manifests.check_header(path)
        return
    if not path.is_dir():
        if spec is None:
            raise UsageError(
                f"{path} belongs to nobody: say whom it shows with --person NAME, or give a manifest "
                f"({', '.join('*' + suffix for suffix in manifests.SUFFIXES)})"
            )
        return
    try:
        folders, files = _entries(str(path))
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}") from exc
    if spec is not None and folders:
        raise UsageError(
            f"{path} has subfolders ({Path(folders[0]).name} ...): with --person give the folder that "
            "holds photos of that one person, or the files themselves"
        )
    if spec is None and files and not folders:
        raise UsageError(
            f"{path} holds photos and no subfolders: give the folder above it, where each subfolder is a person, "
            "or say whom the photos show with --person NAME"
        )


def _people(folder: str) -> Iterator[PlannedPhoto]:
    people, loose = _entries(folder)
    for path in loose:
        yield PlannedPhoto(path, None, "it belongs to nobody: put it in a person's subfolder")
    for path in people:
        try:
            spec = read_person(Path(path))
        except UsageError as exc:
            for photo in _photos(path, None):
                yield PlannedPhoto(photo.path, None, photo.problem or str(exc))
        else:
            yield from _photos(path, spec)


def files(paths: Iterable[Path | str]) -> Iterator[str]:
    """The paths that are files, or nothing at all, and in place of each folder the files in it and below."""
    for path in (os.fspath(path) for path in paths):
        if os.path.isdir(path):  # noqa: PTH112 - walked as text, which is several times as fast
            yield from (photo.path for photo in _photos(path, None))
        else:
            yield path


def _photos(folder: str, spec: PersonSpec | None) -> Iterator[PlannedPhoto]:
    """Every file in a folder and the folders below it; links to folders below it are not followed."""
    try:
        folders, files = _entries(folder)
    except OSError as exc:
        yield PlannedPhoto(folder, spec, f"the folder cannot be read: {exc.strerror}")
        return
    for path in files:
        yield PlannedPhoto(path, spec)
    for path in folders:
        if not Path(path).is_symlink():
            yield from _photos(path, spec)


def _entries(folder: str) -> tuple[list[str], list[str]]:
    """The subfolders and the files of a folder, in order of name, without what systems leave lying about."""
    folders: list[str] = []
    files: list[str] = []
    prefix = "" if folder == os.curdir else f"{folder.rstrip(os.sep)}{os.sep}"
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = entry.name
            if is_litter(name):
                continue
            (folders if entry.is_dir() else files).append(prefix + name)
    return folders, files
