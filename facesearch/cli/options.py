"""The options that several commands share, so that the same flag reads and means the same everywhere."""

from __future__ import annotations

import functools
import math
import re
import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import click

from facesearch.cli.output import Format

Command = TypeVar("Command", bound=Callable[..., Any])

_COLLECTION_ID = re.compile(r"[a-zA-Z0-9_.\-]{1,255}")

PATH = click.Path(path_type=Path)


def checked_collection_id(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """A name that Rekognition takes for a collection, checked before anything starts."""
    if value is not None and not _COLLECTION_ID.fullmatch(value):
        raise click.BadParameter(
            f"{value!r} cannot name a collection: 1 to 255 of the characters a-z A-Z 0-9 _ . -"
        )
    return value


def checked_threshold(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """A similarity or a false-match rate, as it was said."""
    if value is not None:
        from facesearch.domain.calibration import parse_threshold

        try:
            parse_threshold(value)
        except ValueError as exc:
            raise click.BadParameter(str(exc)) from exc
    return value


class Percent(click.FloatRange):
    """A number from 0 to 100."""

    name = "number"

    def __init__(self) -> None:
        super().__init__(0, 100)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number from 0 to 100", param, ctx)
        return number


class Dollars(click.ParamType[Decimal]):
    """An amount of money, exact."""

    name = "dollars"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(str(value).removeprefix("$"))
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount < 0:
            self.fail(f"{value!r} is not an amount of dollars such as 5 or 0.25", param, ctx)
        return amount


collection = click.option(
    "-c",
    "--collection",
    "collection_id",
    metavar="ID",
    callback=checked_collection_id,
    required=True,
    help="Face collection.",
)
data = click.option(
    "--data",
    metavar="FILE",
    type=PATH,
    help="The collections' file.  [default: the embedded engine's own]",
)
similarity = click.option(
    "--threshold",
    metavar="N",
    type=Percent(),
    default=80.0,
    show_default=True,
    help="Least similarity that counts as a match, 0 to 100.",
)
threshold = click.option(
    "--threshold",
    metavar="N|fmr=RATE",
    callback=checked_threshold,
    help="Least similarity that counts as a match, 0 to 100, or the rate of false matches to keep to, such as "
    "fmr=1e-3.  [default: the collection's own, else 80]",
)
jobs = click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    help="Photos worked on at the same time.",
)
detail = click.option(
    "--detail",
    type=click.Choice(["fast", "auto", "high"]),
    help="How small the faces are that the embedded engine looks for.",
)
yes = click.option("--yes", is_flag=True, help="Do it without asking.")


def records(command: Command) -> Command:
    """`--database-url`, which arrives as `settings`."""
    return database_url(_with_settings(command))


def connection(command: Command) -> Command:
    """`--engine` and `--database-url`, which arrive together as `settings`."""
    return engine(database_url(_with_settings(command)))


engine = click.option(
    "--engine",
    metavar="embedded|aws|URL",
    help="Which Rekognition: this program's own, Amazon's, or the one at a URL.",
)
database_url = click.option(
    "--database-url",
    metavar="URL",
    help="Where the records are: SQLite or Postgres.",
)


def output(command: Command) -> Command:
    """`-o`, which arrives as `form`: what was asked for, or a table on a terminal and JSON elsewhere."""

    def chosen(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Format:
        return Format(value) if value else (Format.TABLE if sys.stdout.isatty() else Format.JSON)

    option = click.option(
        "-o",
        "--output",
        "form",
        type=click.Choice([form.value for form in Format]),
        callback=chosen,
        help="Form of the answer.  [default: table on a terminal, json elsewhere]",
    )
    return option(command)


def _with_settings(command: Command) -> Command:
    @functools.wraps(command)
    def resolved(
        *args: Any,
        database_url: str | None,
        engine: str | None = None,
        detail: str | None = None,
        jobs: int | None = None,
        **kwargs: Any,
    ) -> Any:
        from facesearch.settings import Settings

        settings = Settings.resolve(
            {"engine": engine, "database_url": database_url, "detail": detail, "jobs": jobs}
        )
        return command(*args, settings=settings, **kwargs)

    return resolved  # type: ignore[return-value]
