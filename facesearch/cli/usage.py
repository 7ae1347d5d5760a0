"""`facesearch usage`: how many calls the service answered, and what AWS asks for so many."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import options
from facesearch.cli.output import Column, Format, Row, View, show_list
from facesearch.cli.session import opened
from facesearch.domain import Usage

if TYPE_CHECKING:
    from facesearch.settings import Settings


def _month(_ctx: click.Context, _param: click.Parameter, value: str | None) -> date | None:
    """The first day of a month said as 2026-11."""
    if value is None:
        return None
    try:
        return date.fromisoformat(f"{value}-01")
    except ValueError as exc:
        raise click.BadParameter(f"{value!r} is not a month such as 2026-11") from exc


@click.command()
@click.option("--month", metavar="YYYY-MM", callback=_month, help="Only this month (UTC).")
@options.records
@options.output
def usage(month: date | None, settings: Settings, form: Format) -> None:
    """Show how many billed calls the service answered, by month.

    The cost is what AWS asks for so many calls; other engines are counted alike and cost nothing. What other
    programs call is not in it.

    \b
    Example:
      facesearch usage
      facesearch usage --month 2026-11 -o csv
    """
    with opened(settings) as app:
        show_list(form, USAGE, app.usage(month))


def _shape(usage: Usage) -> dict[str, Any]:
    return {
        "month": f"{usage.month:%Y-%m}",
        "engine": usage.engine,
        "operation": usage.operation,
        "calls": usage.calls,
        "aws_dollars": None if usage.cost is None else float(usage.cost),
    }


def _rows(usage: Usage) -> Iterator[Row]:
    yield {**_shape(usage), "cost": None if usage.cost is None else f"${usage.cost:,.3f}"}


USAGE: View[Usage] = View(
    key="usage",
    shape=_shape,
    rows=_rows,
    fields=("month", "engine", "operation", "calls", "aws_dollars"),
    columns=(
        Column("month", "month"),
        Column("engine", "engine"),
        Column("operation", "operation"),
        Column("calls", "calls"),
        Column("cost", "at AWS prices"),
    ),
    empty="no calls yet",
)
