"""`python -m facesearch` is the `facesearch` command."""

from __future__ import annotations

import atexit
import gc

LOADING = 200_000  # new objects after which the youngest are looked through; more than loading makes
OFTEN = 20_000  # the same later on; Python's own number is 700


def main() -> None:
    """Run the command line with a garbage collector that suits a program that loads much and soon ends.

    Hardly anything that loading makes is garbage, so none of it is looked through, and what comes after it less
    often than usual. At the end nothing is looked through: it goes with the process. Together that is more than
    a tenth of what a short command takes.
    """
    gc.set_threshold(LOADING)
    gc.callbacks.append(_loaded)
    atexit.register(gc.freeze)
    from facesearch.cli import main as command

    command(prog_name="facesearch")


def _loaded(phase: str, _: object) -> None:
    """After the first look through what there is, look more often."""
    if phase == "stop":
        gc.callbacks.remove(_loaded)
        gc.set_threshold(OFTEN)


if __name__ == "__main__":
    main()
