"""What the program says to the person at the keyboard: on stderr, so that stdout holds data alone."""

from __future__ import annotations

import sys

import click

from facesearch.plain import plain


def say(text: str) -> None:
    """One line on stderr."""
    click.echo(plain(text), err=True)


def agreed(consequence: str, *, yes: bool, otherwise: str = "nothing was deleted") -> bool:
    """Whether to go on with what destroys: `--yes` said so, or the person at the terminal does.

    `otherwise` is said when they do not.
    Raises click's UsageError where there is nobody to ask.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError(f"{plain(consequence)} Nobody can be asked here: add --yes to do it.")
    if click.confirm(f"{plain(consequence)} Go on?", err=True):
        return True
    say(otherwise)
    return False


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 face`, `2 faces`, `3 people`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
