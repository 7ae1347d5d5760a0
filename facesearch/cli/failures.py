"""The one place where an exception becomes a sentence on stderr and an exit code.

0    done
1    the asked question has the answer no (--fail-if-none, a deletion that was declined, a demo that went wrong)
2    usage: options, arguments, an unknown person, a photo that the one asked question needs and that has no use
3    partly done: some photos unreadable or failed, some faces that the service would not delete
4    configuration, credentials, rights, the database, or this machine's disk
5    the service failed
6    refused by a budget
70   a fault of facesearch itself, with its traceback
130  interrupted
141  whoever read our output stopped reading
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import click

from facesearch.cli.talk import say
from facesearch.errors import (
    BudgetError,
    ConfigurationError,
    FaceSearchError,
    PhotoError,
    ServiceError,
    UsageError,
)

DONE = 0
NO = 1
USAGE = 2
PARTLY = 3
CONFIGURATION = 4
SERVICE = 5
REFUSED = 6
FAULT = 70
INTERRUPTED = 130
CLOSED_PIPE = 141

CODES: dict[type[FaceSearchError], int] = {
    UsageError: USAGE,
    PhotoError: USAGE,
    ConfigurationError: CONFIGURATION,
    ServiceError: SERVICE,
    BudgetError: REFUSED,
}


class Program(click.Group):
    """The whole command line: its commands return their exit code (None for 0) or raise."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Click itself deals with what it raises (usage, help)."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except (click.exceptions.Exit, click.ClickException):
            raise
        except (Exception, KeyboardInterrupt) as exc:
            code = reported(exc)
        ctx.exit(code or DONE)


def reported(exc: BaseException) -> int:
    """Say what happened, and give the exit code for it."""
    if isinstance(exc, KeyboardInterrupt | click.Abort):
        if isinstance(exc, click.Abort):
            click.echo(err=True)  # a question that was left without an answer keeps its line to itself
        return INTERRUPTED
    if isinstance(exc, BrokenPipeError):
        _abandon_stdout()
        return CLOSED_PIPE
    if isinstance(exc, FaceSearchError):
        say(f"error: {exc}")
        return next((CODES[kind] for kind in type(exc).__mro__ if kind in CODES), FAULT)
    if isinstance(exc, OSError):
        say(f"error: {_in_words(exc)}")
        _abandon_stdout()
        return CONFIGURATION
    for line in "".join(traceback.format_exception(exc)).splitlines():
        say(line)
    say("error: this is a fault of facesearch and not of yours; please report it with the lines above")
    return FAULT


def _in_words(exc: OSError) -> str:
    named = [os.fsdecode(name) for name in (exc.filename, exc.filename2) if isinstance(name, str | bytes)]
    return ": ".join([*named, exc.strerror or str(exc)])


def _abandon_stdout() -> None:
    """Let the interpreter's own flush at exit succeed: what could not be written by now never will be."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
