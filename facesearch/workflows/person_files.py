"""Who photos show, as a person file or a row of a manifest says it: checked, and in the form that is kept."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path

from facesearch.domain import PersonSpec
from facesearch.errors import UsageError

PERSON_FILES = ("person.toml", "person.json")
MAX_KEY = 512  # characters, which every database can hold in a unique index
_LITTER = {"thumbs.db", "ehthumbs.db", "desktop.ini"}
_PERSON_FIELDS = {"name", "key", "attributes", "notes"}


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
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc}") from exc
    return _from_table(path, _parsed(str(path), content), folder.name)


def person_from(folder: str, name: str, files: Mapping[str, bytes]) -> PersonSpec:
    """Who a folder is that is not on disk, by its name and its person files. Raises UsageError."""
    if len(files) > 1:
        raise UsageError(f"{folder} has both {' and '.join(PERSON_FILES)}: keep one")
    for path, content in files.items():
        return _from_table(path, _parsed(path, content), name)
    return PersonSpec(name=person_name(name))


def is_litter(name: str) -> bool:
    """Whether a file or folder of that name is no photo: what systems leave lying about, and person files."""
    return name.startswith(".") or name.lower() in _LITTER or name in PERSON_FILES


def _from_table(path: object, table: Mapping[str, object], name: str) -> PersonSpec:
    unknown = table.keys() - _PERSON_FIELDS
    if unknown:
        raise UsageError(f"{path}: no such field: {', '.join(sorted(unknown))}; there are "
                         f"{', '.join(sorted(_PERSON_FIELDS))}")  # fmt: skip
    return person_spec(path, table, name)


def person_spec(where: object, table: Mapping[str, object], name: str = "") -> PersonSpec:
    """Who a table of `name`, `key`, `attributes` and `notes` means; `name` is for one that gives none.

    Raises UsageError, which begins with `where`.
    """
    return PersonSpec(
        name=person_name(_text(where, table, "name") or name),
        key=_text(where, table, "key"),
        attributes=_attributes(where, table),
        notes=_text(where, table, "notes"),
    )


def _parsed(path: str, content: bytes) -> Mapping[str, object]:
    import tomllib

    try:
        text = content.decode("utf-8-sig")
        table = tomllib.loads(text) if path.endswith(".toml") else json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"{path} cannot be read: {exc}") from exc
    if not isinstance(table, dict):
        raise UsageError(f"{path} must hold one table of names and values")
    return table


def _text(path: object, table: Mapping[str, object], name: str) -> str | None:
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


def _attributes(path: object, table: Mapping[str, object]) -> dict[str, object] | None:
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
