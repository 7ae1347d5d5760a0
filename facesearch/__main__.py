"""`python -m facesearch` is the `facesearch` command."""

from __future__ import annotations

import atexit
import gc

OFTEN = 20_000  # new objects after which the youngest are looked through; Python's own number is 700


def main() -> None:
    """Run the command line with a garbage collector that suits a program that loads much and soon ends.

    Hardly anything that loading makes is garbage, so it is looked through less often. At the end nothing is looked
    through: it goes with the process. Together that is about a tenth of what a short command takes.
    """
    gc.set_threshold(OFTEN)
    atexit.register(gc.freeze)
    from facesearch.cli import main as command

    command(prog_name="facesearch")


if __name__ == "__main__":
    main()
