"""How far a run over many photos is: a bar on a terminal's stderr, and a sentence when it is stopped."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

import click

from facesearch.cli.talk import counted, say

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

T = TypeVar("T")


class Progress:
    """Counts photos, or other things, for the length of a `with` block; an interruption that leaves it is told.

    Where the total is not known beforehand, `count` finds it out meanwhile, for a bar alone. `quiet` keeps the bar
    away where lines of data may be appearing on the same terminal, itself or through a pipe.
    """

    def __init__(
        self,
        doing: str,
        total: int | None = None,
        *,
        count: Callable[[], int] | None = None,
        afterwards: str = "",
        thing: str = "photo",
        quiet: bool = False,
    ) -> None:
        self.total = total
        self._count = count
        self.done = 0
        self._afterwards = afterwards
        self._thing = thing
        self._bar: RichProgress | None = None
        if (total is None or total > 1) and not quiet and sys.stderr.isatty():
            self._bar = _bar(lambda: self.done)
            self._bar.add_task(doing, total=total)

    def __enter__(self) -> Progress:
        if self._bar:
            self._bar.start()
            if self._count:
                threading.Thread(target=self._find_total, daemon=True, name="count").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        barred = self._bar is not None
        self.finish()
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            if sys.stderr.isatty() and not barred:
                click.echo(err=True)  # leaves the line on which the terminal shows ^C; the bar clears its own
            things = counted(self.done if self.total is None else self.total, self._thing)
            done = things if self.total is None else f"{self.done:,} of {things}"
            say(f"stopped; {done} done{self._afterwards}")

    def _find_total(self) -> None:
        """In a thread of its own, beside the work. What cannot be counted the work itself complains of."""
        assert self._count is not None
        with suppress(Exception):
            self.total = self._count()
            if bar := self._bar:
                bar.update(bar.task_ids[0], total=self.total)

    def advance(self, count: int = 1) -> None:
        """So many more are done."""
        self.done += count  # the bar looks when it is drawn

    def track(self, items: Iterable[T]) -> Iterator[T]:
        """The items, each counted once it has been dealt with; the bar goes with the last of them."""
        for item in items:
            yield item
            self.advance()
        self.finish()

    def finish(self) -> None:
        """Take the bar off the screen."""
        if self._bar:
            self._bar.stop()
            self._bar = None


def _bar(done: Callable[[], int]) -> RichProgress:
    """A bar that looks how many are done whenever it is drawn: to be told of each takes longer than counting."""
    from rich.console import Console, RenderableType
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.1f}/s")

    class Bar(RichProgress):
        def get_renderables(self) -> Iterable[RenderableType]:
            for task in self.task_ids:
                self.update(task, completed=done())
            yield from super().get_renderables()

    return Bar(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),  # leaves room for the ^C of a terminal, which would wrap a full line
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # stdout is data, and none of the bar's business
    )
