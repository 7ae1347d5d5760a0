"""`facesearch config`: every setting, its value and where the value came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from facesearch.cli import options
from facesearch.cli.output import Column, Fit, Format, Row, View, show_list


class Setting(NamedTuple):
    name: str
    value: str
    origin: str
    variable: str
    meaning: str


@click.command()
@options.output
def config(form: Format) -> None:
    """Show each setting, its value and where it came from.

    Passwords are left out.

    \b
    Example:
      facesearch config
      FACESEARCH_ENGINE=aws facesearch config -o json
    """
    from facesearch.settings import DESCRIPTIONS, Settings, variable

    shown = Settings.resolve().shown()
    settings = [
        Setting(name, *shown[name], variable(name), meaning) for name, meaning in DESCRIPTIONS.items()
    ]
    show_list(form, SETTINGS, settings)


def _shape(setting: Setting) -> dict[str, Any]:
    return setting._asdict()


def _rows(setting: Setting) -> Iterator[Row]:
    yield _shape(setting)


SETTINGS: View[Setting] = View(
    key="settings",
    shape=_shape,
    rows=_rows,
    fields=Setting._fields,
    columns=(Column("name", "setting", Fit.WHOLE), Column("value", "value"), Column("origin", "from")),
    empty="",
)
