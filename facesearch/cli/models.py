"""`facesearch engine models`: the embedded engine's face models, and which one new collections are made with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facesearch.cli import failures, options
from facesearch.cli.output import Column, Fit, Format, Row, View, show_list, show_one
from facesearch.cli.talk import say

if TYPE_CHECKING:
    from facesearch.engine.models.catalogue import Entry, Verdict


@click.group()
def models() -> None:
    """List, add, verify and choose the models that tell faces apart.

    A collection keeps the model it was made with; the choice is for collections made later.

    \b
    Example:
      facesearch engine models use accurate
    """


@models.command("list")
@options.data
@options.output
def list_(data: Path | None, form: Format) -> None:
    """List all face models, with how many collections were made with each.

    \b
    Example:
      facesearch engine models list
    """
    from facesearch.bootstrap import open_models
    from facesearch.settings import Settings

    with open_models(Settings.resolve(), data) as catalogue:
        show_list(form, MODELS, catalogue.entries())


@models.command()
@click.argument("file", type=options.PATH)
@options.data
@options.output
def add(file: Path, data: Path | None, form: Format) -> None:
    """Add a face model from a TOML or ONNX file.

    The TOML file describes an ONNX network beside it. A network of ArcFace's kind, whose one input is
    1 x 3 x 112 x 112, needs none. What is added is tried on drawn faces and copied: the files may go afterwards.
    A network is a program: add those you trust.

    \b
    Example:
      facesearch engine models add sface.toml
    """
    from facesearch.bootstrap import open_models
    from facesearch.settings import Settings

    with open_models(Settings.resolve(), data) as catalogue:
        entry = catalogue.add(file)
    show_one(form, MODELS, entry)
    _warn(entry)
    say(f"new collections are made with it after: facesearch engine models use {entry.name}")


@models.command()
@click.argument("name", required=False)
@options.data
@options.output
def verify(name: str | None, data: Path | None, form: Format) -> int:
    """Check face models and try them on drawn faces.

    Their files are read anew. Without NAME all are checked. The exit code is 1 if one is not sound.

    \b
    Example:
      facesearch engine models verify accurate
    """
    from facesearch.bootstrap import open_models
    from facesearch.settings import Settings

    with open_models(Settings.resolve(), data) as catalogue:
        verdicts = list(catalogue.verify(name))
    show_list(form, VERDICTS, verdicts)
    return failures.NO if any(verdict.problem for verdict in verdicts) else failures.DONE


@models.command()
@click.argument("name")
@options.data
@options.output
def use(name: str, data: Path | None, form: Format) -> None:
    """Choose the face model of new collections.

    It is for collections made from now on, by any process; those that are there keep theirs.

    \b
    Example:
      facesearch engine models use accurate
    """
    from facesearch.bootstrap import open_models
    from facesearch.settings import Settings

    with open_models(Settings.resolve(), data) as catalogue:
        entry = catalogue.use(name)
    show_one(form, MODELS, entry)
    _warn(entry)


def _warn(entry: Entry) -> None:
    if not entry.calibrated:
        say(
            f"the similarities of {entry.name} are a guess: `similarity` in a TOML file says what they are, and "
            "benchmarks/accuracy.py measures it"
        )


def _rows(entry: Entry) -> Iterator[Row]:
    yield {**asdict(entry), "chosen": "yes" if entry.chosen else None}


def _verdict_shape(verdict: Verdict) -> dict[str, Any]:
    trial = verdict.trial
    return {
        "name": verdict.entry.name,
        "version": verdict.entry.version,
        "sha256": verdict.entry.sha256,
        "sound": verdict.problem is None,
        "problem": verdict.problem,
        "dimensions": trial and trial.dimensions,
        "seconds_per_face": trial and trial.seconds,
        "same_person": trial and {"similarity": trial.same, "distance": trial.same_distance},
        "other_person": trial and {"similarity": trial.other, "distance": trial.other_distance},
    }


def _verdict_rows(verdict: Verdict) -> Iterator[Row]:
    trial = verdict.trial
    yield {
        **_verdict_shape(verdict),
        "state": verdict.problem or "sound",
        "milliseconds": trial and trial.seconds * 1e3,
        "same_person": trial and trial.same,
        "other_person": trial and trial.other,
    }


MODELS: View[Entry] = View(
    key="models",
    shape=asdict,
    rows=_rows,
    fields=(
        "name",
        "version",
        "dimensions",
        "input",
        "licence",
        "sha256",
        "built_in",
        "calibrated",
        "chosen",
        "collections",
    ),
    columns=(
        Column("name", "model", Fit.WHOLE),
        Column("version", "version", Fit.WHOLE),
        Column("dimensions", "dimensions"),
        Column("licence", "licence"),
        Column("chosen", "for new collections"),
        Column("collections", "collections"),
    ),
    empty="",
)

VERDICTS: View[Verdict] = View(
    key="models",
    shape=_verdict_shape,
    rows=_verdict_rows,
    fields=(
        "name",
        "version",
        "sha256",
        "state",
        "dimensions",
        "milliseconds",
        "same_person",
        "other_person",
    ),
    columns=(
        Column("name", "model", Fit.WHOLE),
        Column("version", "version", Fit.WHOLE),
        Column("state", "state"),
        Column("dimensions", "dimensions"),
        Column("milliseconds", "ms/face", digits=1),
        Column("same_person", "same person", digits=1),
        Column("other_person", "two people", digits=1),
    ),
    empty="",
)
