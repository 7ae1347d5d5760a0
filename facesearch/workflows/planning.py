"""From folders to a plan: which files are to be enrolled, and whom each of them shows.

A subfolder is a person. Folders are walked lazily and in the order of their names, so a plan of a million photos
takes no more memory than one of ten; their paths are strings, since a Path takes ten times as long to make.
Nothing is passed over in silence: what cannot be enrolled (a photo that belongs to nobody, a folder without
rights, a broken person file) is planned with the problem it has.
"""

from __future__ import annotations

import json
import os
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path

from facesearch.domain import PersonSpec, PlannedPhoto
from facesearch.errors import UsageError

PERSON_FILES = ("person.toml", "person.json")
_LITTER = {"thumbs.db", "ehthumbs.db", "desktop.ini"}
MAX_KEY = 512  # characters, which every database can hold in a unique index
_PERSON_FIELDS = {"name", "key", "attributes", "notes"}


def plan(paths: Sequence[Path], person: str | None = None) -> Iterator[PlannedPhoto]:
    """Every file under `paths` with the person it shows.

    With `person` the paths are files, or folders of files, that all show them. Without it the paths are folders
    whose subfolders are people. Raises UsageError, before the first photo, when that is not what the paths are.
    """
    spec = PersonSpec(name=person_name(person)) if person is not None else None
    for path in paths:
        _check_shape(path, spec)
    return _planned(paths, spec)


def _planned(paths: Sequence[Path], spec: PersonSpec | None) -> Iterator[PlannedPhoto]:
    for path in paths:
        if not path.is_dir():
            yield PlannedPhoto(str(path), spec)
        elif spec is not None:
            yield from _photos(str(path), spec)
        else:
            yield from _people(str(path))


def _check_shape(path: Path, spec: PersonSpec | None) -> None:
    if not path.exists():
        raise UsageError(f"there is no file or folder {path}")
    if not path.is_dir():
        if spec is None:
            raise UsageError(f"{path} belongs to nobody: say whom it shows with --person NAME")
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
            if name.startswith(".") or name.lower() in _LITTER or name in PERSON_FILES:
                continue
            (folders if entry.is_dir() else files).append(prefix + name)
    return folders, files


def read_person(folder: Path) -> PersonSpec:
    """Who a subfolder is: its name, and its person.toml or person.json with `key`, `attributes` and `notes`.

    The file may also give the `name`, for one that no folder can have. Raises UsageError naming the file.
    """
    present = [folder / name for name in PERSON_FILES if (folder / name).exists()]
    if len(present) > 1:
        raise UsageError(f"{folder} has both {' and '.join(PERSON_FILES)}: keep one")
    if not present:
        return PersonSpec(name=person_name(folder.name))
    path = present[0]
    table = _read_table(path)
    unknown = table.keys() - _PERSON_FIELDS
    if unknown:
        raise UsageError(f"{path}: no such field: {', '.join(sorted(unknown))}; there are "
                         f"{', '.join(sorted(_PERSON_FIELDS))}")  # fmt: skip
    return PersonSpec(
        name=person_name(_text(path, table, "name") or folder.name),
        key=_text(path, table, "key"),
        attributes=_attributes(path, table),
        notes=_text(path, table, "notes"),
    )


def _read_table(path: Path) -> Mapping[str, object]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        table = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError) as exc:
        raise UsageError(f"{path} cannot be read: {exc}") from exc
    if not isinstance(table, dict):
        raise UsageError(f"{path} must hold one table of names and values")
    return table


def _text(path: Path, table: Mapping[str, object], name: str) -> str | None:
    value = table.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UsageError(f"{path}: {name} must be text, not {value!r}")
    text = str(value).strip()
    if name == "key" and not 0 < len(text) <= MAX_KEY:
        raise UsageError(f"{path}: key must have 1 to {MAX_KEY} characters")
    if not _is_plain(text):
        raise UsageError(f"{path}: {name} holds a NUL or half a character")
    return text


def _attributes(path: Path, table: Mapping[str, object]) -> dict[str, object] | None:
    """Attributes as JSON can hold them: TOML's dates and times become ISO 8601 text."""
    value = table.get("attributes")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise UsageError(f"{path}: attributes must be a table of names and values")
    try:
        text = json.dumps(value, default=_as_text, ensure_ascii=False, allow_nan=False)
    except ValueError as exc:
        raise UsageError(f"{path}: attributes cannot be kept: {exc}") from exc
    if not _is_plain(text) or "\\u0000" in text:
        raise UsageError(f"{path}: attributes hold a NUL or half a character")
    plain: dict[str, object] = json.loads(text)
    return plain


def _as_text(value: object) -> str:
    assert isinstance(value, datetime | date | time), "TOML and JSON know no other values"
    return value.isoformat()


def person_name(text: str) -> str:
    """The name as it is kept: composed (NFC, whatever the file system does), without space around it."""
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise UsageError("a person's name is empty")
    if not _is_plain(name):
        raise UsageError(f"the name {text!r} is not valid Unicode: rename the folder, or give another name")
    return name


def _is_plain(text: str) -> bool:
    """Whether every database can hold the text: no NUL, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
