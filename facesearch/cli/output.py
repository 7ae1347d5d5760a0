"""Rendering: one view of a kind of thing, four forms of it on stdout.

`json` is one document with `"schema": 1`. `ndjson` is the items of that document's list, one a line, written as
they arrive. `csv` is flat rows, also written as they arrive. `table` is for reading: it fits the terminal's width.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

import click

from facesearch.cli.safe import cell, encodable, json_text
from facesearch.cli.talk import say

SCHEMA = 1

T = TypeVar("T")
Row = Mapping[str, object]


class Format(StrEnum):
    """The forms an answer can have."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"

    @property
    def streams(self) -> bool:
        """Whether each item is written when it arrives."""
        return self in (Format.NDJSON, Format.CSV)


class Fit(StrEnum):
    """What a table does with text that is wider than its column."""

    WRAP = "wrap"
    WHOLE = "whole"  # the column is made wide enough: ids, which are there to be copied
    TAIL = "tail"  # only its end is shown: paths


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column: a field of the rows, and how its values are shown."""

    field: str
    title: str
    fit: Fit = Fit.WRAP
    digits: int = 2  # after the point, for numbers that are not whole


@dataclass(frozen=True, slots=True)
class View(Generic[T]):
    """How one kind of thing is shown."""

    key: str  # the list's name in JSON
    shape: Callable[[T], dict[str, Any]]  # one item in JSON
    rows: Callable[[T], Iterable[Row]]  # one item as flat rows; may hold more than the fields
    fields: tuple[str, ...]  # CSV's columns
    columns: tuple[Column, ...]  # the table's
    empty: str  # said instead of an empty table


class Stream(Generic[T]):
    """Writes items one by one, as ndjson or csv."""

    def __init__(self, form: Format, view: View[T]) -> None:
        self._view = view
        self._csv = form is Format.CSV
        if self._csv:
            write(_csv_line(view.fields))

    def write(self, item: T) -> None:
        """One item: its line, or its rows."""
        if not self._csv:
            write(json_text(self._view.shape(item)))
            return
        for row in self._view.rows(item):
            write(_csv_line([row.get(field) for field in self._view.fields]))


def show_list(form: Format, view: View[T], items: Iterable[T], head: Row | None = None) -> None:
    """Many things. `head` is what JSON says beside the list (engine, collection ...)."""
    if form.streams:
        stream = Stream(form, view)
        for item in items:
            stream.write(item)
    elif form is Format.JSON:
        show_document({**(head or {}), view.key: [view.shape(item) for item in items]})
    else:
        show_table(view.columns, [row for item in items for row in view.rows(item)], view.empty)


def show_one(form: Format, view: View[T], item: T, name: str | None = None) -> None:
    """One thing: in JSON under its `name` or by itself, as a table with a line for each field that has a value."""
    if form.streams:
        Stream(form, view).write(item)
    elif form is Format.JSON:
        show_document({name: view.shape(item)} if name else view.shape(item))
    else:
        pairs = [
            {"field": field.replace("_", " "), "value": value}
            for row in view.rows(item)
            for field, value in row.items()
            if value is not None and field in view.fields
        ]
        show_table((Column("field", "", Fit.WHOLE), Column("value", "")), pairs, view.empty)


def show_document(document: Row) -> None:
    """A JSON document of this schema."""
    write(json_text({"schema": SCHEMA, **document}, indent=2))


def show_table(columns: Sequence[Column], rows: Sequence[Row], empty: str = "") -> None:
    """Aligned columns, as wide as the terminal allows; columns without a single value are left out."""
    if rows:
        from facesearch.cli.tables import table_text

        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        write(table_text(columns, rows, width))
    elif empty:
        say(empty)


def write(text: str) -> None:
    """A line of data on stdout."""
    click.echo(encodable(text))


def nearby(path: str) -> str:
    """A path as a person would type it: relative when it lies in or below the current folder."""
    here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118 - text in, text out: the path may be any string
    return path.removeprefix(here)


def _csv_line(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([cell(value) for value in values])
    return line.getvalue()
