"""The command line. `main` is the `facesearch` command; each group of commands has a file of its own.

Loading this loads click and the domain's nouns. What a command needs beyond that, it imports when it runs.
"""

from __future__ import annotations

import click

from facesearch import __version__
from facesearch.cli.aws import aws
from facesearch.cli.bucket import bucket
from facesearch.cli.calibrate import calibrate
from facesearch.cli.collections import collection
from facesearch.cli.compare import compare
from facesearch.cli.configuration import config
from facesearch.cli.database import db
from facesearch.cli.demo import demo
from facesearch.cli.detect import detect
from facesearch.cli.engine import engine
from facesearch.cli.enroll import enroll
from facesearch.cli.explain import explain
from facesearch.cli.faces import face
from facesearch.cli.failures import Program
from facesearch.cli.people import person
from facesearch.cli.portability import export, import_
from facesearch.cli.reconcile import reconcile
from facesearch.cli.runs import runs
from facesearch.cli.search import search
from facesearch.cli.sightings import sightings
from facesearch.cli.status import status
from facesearch.cli.tags import tag, tags
from facesearch.cli.usage import usage
from facesearch.cli.verify import verify

__all__ = ["main"]


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
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


for _command in (
    enroll,
    search,
    detect,
    compare,
    verify,
    explain,
    calibrate,
    tag,
    tags,
    collection,
    person,
    face,
    sightings,
    status,
    reconcile,
    runs,
    usage,
    export,
    import_,
    bucket,
    aws,
    engine,
    db,
    config,
    demo,
):
    main.add_command(_command)
