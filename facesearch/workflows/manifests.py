"""Manifests: a row for each photo says whom it shows. CSV of any spreadsheet, TSV, and JSON lines.

The columns `photo`, `person`, `key` and `notes` are known; every other one is an attribute. Encoding and separator
are found out. Rows are read one at a time, however many there are; a bad one is planned with the problem it has,
and its line.
"""

from __future__ import annotations

import codecs
import csv
import json
import os
from collections.abc import Iterator, Mapping
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TextIO

from facesearch.domain import PersonSpec, PlannedPhoto
from facesearch.errors import UsageError
from facesearch.workflows.person_files import person_spec
from facesearch.workflows.reading import is_stored

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson")
_JSON_LINES = (".jsonl", ".ndjson")
_SEPARATORS = ",;\t|"
_OWN = {"photo", "person", "key", "notes"}
_SHOWN = 20  # bad rows that are told before nothing is enrolled
_BROKEN = "\N{REPLACEMENT CHARACTER}"
_MAX_LINE = 1_048_576  # characters; a line is held in memory
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_Row = tuple[int, Mapping[str, object] | str]  # the line, and its columns or what is wrong with it


def is_manifest(path: Path) -> bool:
    """Whether a path is to be read as a manifest, by its name."""
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def check_header(path: Path) -> None:
    """Raise UsageError for a manifest that cannot be read, or has not the columns it must have."""
    for _ in islice(_rows(path), 1):
        return


def check_rows(path: Path) -> None:
    """Raise UsageError, with their lines, when any row is bad or its photo is not there."""
    bad: list[str] = []
    count = 0
    for photo in planned(path):
        problem = photo.problem
        if problem is None and not is_stored(photo.path) and not Path(photo.path).is_file():
            problem = f"there is no file {photo.path}"
        if problem:
            count += 1
            bad += [problem] if count <= _SHOWN else []
    if bad:
        more = f"\n... and {count - len(bad):,} more" if count > len(bad) else ""
        raise UsageError(
            f"{path}: {count:,} bad rows, so that nothing was enrolled (--strict):\n" + "\n".join(bad) + more
        )


def planned(path: Path) -> Iterator[PlannedPhoto]:
    """Each row's photo and whom it shows. A relative photo lies beside the manifest; s3:// is one in S3."""
    last: PersonSpec | None = None
    for line, row in _rows(path):
        where = f"{path}, line {line}"
        if isinstance(row, str):
            yield PlannedPhoto(f"{path}:{line}", None, f"line {line}: {row}")
            continue
        photo = f"{path}:{line}"
        try:
            photo = _photo(path, row)
            spec = _person(where, row)
        except UsageError as exc:
            problem = str(exc).removeprefix(f"{where}: ")
            yield PlannedPhoto(photo, None, f"line {line}: {problem}")
            continue
        last = last if spec == last else spec  # rows of one person share it, as photos of a folder do
        yield PlannedPhoto(photo, last)


def _photo(path: Path, row: Mapping[str, object]) -> str:
    text = row.get("photo")
    if not isinstance(text, str) or not text.strip():
        raise UsageError("it names no photo")
    if "\0" in text:
        raise UsageError("no file can have such a name")
    name = text.strip()
    return name if is_stored(name) else os.fspath(path.parent / name)


def _person(where: str, row: Mapping[str, object]) -> PersonSpec:
    if row.get("person") is None:
        raise UsageError("it says not whom the photo shows (person)")
    if any(isinstance(value, str) and _BROKEN in value for value in row.values()):
        raise UsageError(f"it holds a character that cannot be read ({_BROKEN}): save the file as UTF-8")
    attributes = {name: value for name, value in row.items() if name not in _OWN and value is not None}
    table = {
        "name": row["person"],
        "key": row.get("key"),
        "notes": row.get("notes"),
        "attributes": attributes,
    }
    return person_spec(where, table)


# --- from bytes to rows -------------------------------------------------------------------------------------


def _rows(path: Path) -> Iterator[_Row]:
    """The rows with the lines they begin on. Raises UsageError when the file as a whole is no manifest."""
    try:
        if not path.is_file():
            raise UsageError(f"{path} is not a file")
        encoding = _encoding(path)
        with path.open("rb") as raw, TextIOWrapper(raw, encoding, errors="replace", newline="") as text:
            yield from _json_rows(text) if path.suffix.lower() in _JSON_LINES else _table_rows(path, text)
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror or exc}") from exc


def _encoding(path: Path) -> str:
    """By the mark at its start, by the zero bytes of UTF-16, by being UTF-8 throughout; else Windows' own."""
    with path.open("rb") as file:
        start = file.read(4096)
        for bom, encoding in sorted(_BOMS, key=lambda known: -len(known[0])):
            if start.startswith(bom):
                return encoding
        even, odd = start[::2].count(0), start[1::2].count(0)
        if max(even, odd) * 4 > len(start):
            return "utf-16-be" if even > odd else "utf-16-le"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block := file.read(_MAX_LINE):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _lines(text: TextIO) -> Iterator[str]:
    """The lines; of one that is longer than any can be, as much as tells that it is."""
    while line := text.readline(_MAX_LINE):
        yield line
        while len(line) == _MAX_LINE and not line.endswith("\n"):
            line = text.readline(_MAX_LINE)


def _json_rows(text: TextIO) -> Iterator[_Row]:
    for number, line in enumerate(_lines(text), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as exc:
            yield number, f"it is not JSON: {exc}"
            continue
        if isinstance(row, dict):
            yield number, {name: None if value == "" else value for name, value in row.items()}
        else:
            yield number, "it is not a JSON object of names and values"


def _table_rows(path: Path, text: TextIO) -> Iterator[_Row]:
    lines = _lines(text)
    first = next(lines, "")
    told = first.strip().lower()
    separator = "\t" if path.suffix.lower() == ".tsv" else None
    skipped = 0
    if told.startswith("sep=") and len(told) <= 5:  # Excel's own way to say it; strip() took a tab away
        separator = told[4:] or "\t"
        first, skipped = next(lines, ""), 1
    reader = csv.reader(_chained(first, lines), delimiter=separator or _separator(first), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as exc:
        raise UsageError(f"{path}: the first line, with the columns' names, cannot be read: {exc}") from exc
    names = [name.lower() if name.lower() in _OWN else name for name in header]
    _check_names(path, names)
    while True:
        line = reader.line_num + skipped + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            end = reader.line_num + skipped
            lost = f"; the lines up to {end:,} are lost with it" if end > line else ""
            yield line, f"it cannot be read as CSV: {exc}{lost}"
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(names) :]):
            yield line, f"it has {len(cells)} cells, and there are {len(names)} columns"
            continue
        row = zip(names, cells, strict=False)
        yield line, {name: cell.strip() or None for name, cell in row if name}


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _separator(header: str) -> str:
    """The one that the header has most of, outside of quotes."""
    bare = "".join(header.split('"')[::2])
    return max(_SEPARATORS, key=bare.count)


def _check_names(path: Path, names: list[str]) -> None:
    shown = ", ".join(filter(None, names)) or "none"
    for name in ("photo", "person"):
        if name not in names:
            raise UsageError(
                f"{path} has no column {name!r} (its columns: {shown}): its first line must name at least "
                "photo and person"
            )
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise UsageError(f"{path} has the column {min(twice)!r} twice")
