"""Tables for reading: aligned columns within a width, whatever script and however long the text in them is.

Loads rich, so it is itself loaded only when a table is shown.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from facesearch.cli.output import Column, Fit, Row
from facesearch.cli.safe import encodable
from facesearch.plain import plain

UNBOUNDED = 100_000  # columns, where no terminal sets a width
LEAST = {Fit.WRAP: 8, Fit.TAIL: 14}  # columns below which text is not squeezed


def table_text(columns: Sequence[Column], rows: Sequence[Row], width: int | None) -> str:
    """The table's lines, without those columns that hold no value at all.

    A terminal too narrow for the ids and for a few letters of everything else gets lines longer than it is wide.
    """
    used = [column for column in columns if any(row.get(column.field) is not None for row in rows)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    table.show_header = any(column.title for column in used)
    for column in used:
        number = all(_is_number(row.get(column.field)) for row in rows)
        fixed = number or column.fit is Fit.WHOLE
        table.add_column(column.title, no_wrap=fixed, justify="right" if number else "left")
    for row in rows:
        table.add_row(*(_Cell(_told(row.get(column.field), column), column.fit) for column in used))
    paper = io.StringIO()
    console = Console(file=paper, width=UNBOUNDED, color_system=None, legacy_windows=False)
    console.width = max(width or UNBOUNDED, console.measure(table).minimum)
    console.print(table)
    return "\n".join(line.rstrip() for line in paper.getvalue().splitlines())


@dataclass(frozen=True, slots=True)
class _Cell:
    """Text that knows how far it may be squeezed."""

    text: str
    fit: Fit

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        full = cell_len(self.text)
        return Measurement(min(full, LEAST.get(self.fit, full)), full)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = _tail(self.text, options.max_width) if self.fit is Fit.TAIL else self.text
        yield Text(text, overflow="fold", no_wrap=options.no_wrap, justify=options.justify)


def _tail(text: str, width: int) -> str:
    """The end of the text, as much as the width holds, with an ellipsis where the beginning is missing."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[1:]
    return f"…{text}"


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _told(value: object, column: Column) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return encodable(plain(f"{value:.{column.digits}f}" if isinstance(value, float) else str(value)))
