"""The command line. `main` is the `facesearch` command; each group of commands has a file of its own.

Loading this loads click, and the file of a command when it is looked at. What a command needs beyond the domain's
nouns, it imports when it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import cast

import click

from facesearch import __version__
from facesearch.cli.failures import Program

__all__ = ["main"]

# Where each command is: the file here, and its name in it.
_HOMES = {
    "enroll": "enroll.enroll",
    "search": "search.search",
    "detect": "detect.detect",
    "compare": "compare.compare",
    "verify": "verify.verify",
    "explain": "explain.explain",
    "calibrate": "calibrate.calibrate",
    "tag": "tags.tag",
    "tags": "tags.tags",
    "collection": "collections.collection",
    "person": "people.person",
    "face": "faces.face",
    "sightings": "sightings.sightings",
    "status": "status.status",
    "reconcile": "reconcile.reconcile",
    "runs": "runs.runs",
    "usage": "usage.usage",
    "export": "portability.export",
    "import": "portability.import_",
    "bucket": "bucket.bucket",
    "aws": "aws.aws",
    "engine": "engine.engine",
    "db": "database.db",
    "config": "configuration.config",
    "demo": "demo.demo",
}


class _Commands(Mapping[str, click.Command]):
    """Every command by its name, loaded when it is first looked at: a run needs one, and all take long to load."""

    def __getitem__(self, name: str) -> click.Command:
        file, _, attribute = _HOMES[name].partition(".")
        command: click.Command = getattr(import_module(f"{__name__}.{file}"), attribute)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(_HOMES)

    def __len__(self) -> int:
        return len(_HOMES)


@click.group(
    cls=Program,
    commands=cast("MutableMapping[str, click.Command]", _Commands()),  # which click only reads
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="facesearch")
def main() -> None:
    """Enrol people from photos into a face collection and find them again by photo.

    The embedded engine needs no account and no network; --engine aws runs the same commands on Amazon Rekognition.

    \b
    Example:
      facesearch enroll people/ -c staff
      facesearch search visitor.jpg -c staff

    `facesearch config` shows what holds where no option is given, and why.

    \b
    Exit codes:
      0    done
      1    the answer is no
      2    usage
      3    partly done
      4    configuration, credentials, database or disk
      5    the service failed
      6    refused by a budget
      70   a fault of facesearch itself
      130  interrupted
      141  the reader of the output went away
    """
