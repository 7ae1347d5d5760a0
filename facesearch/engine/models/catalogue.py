"""The face models of this machine, as one works with them: list, add, verify, and choose for a store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facesearch.engine.errors import ModelError, ModelMissingError
from facesearch.engine.models import inspection
from facesearch.engine.models.chosen import ChosenModels, KnownModel
from facesearch.engine.models.definition import Definition
from facesearch.engine.models.library import Library
from facesearch.engine.models.loading import Models
from facesearch.engine.vision import weights
from facesearch.engine.vision.built_in import BUILT_IN, DLIB, BuiltIn

if TYPE_CHECKING:
    from facesearch.engine.models.inspection import Trial

_DIMENSIONS = 128
_LICENCE = "CC0-1.0"


@dataclass(frozen=True, slots=True)
class Entry:
    """A face model. `chosen`: new collections are made with it; `collections`: so many were, in the store."""

    name: str
    version: str
    dimensions: int
    licence: str
    sha256: str
    input: str
    built_in: bool
    calibrated: bool
    chosen: bool
    collections: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of verifying a model: what it said of the sample faces, or what is wrong with it."""

    entry: Entry
    trial: Trial | None
    problem: str | None


class Catalogue:
    """The models of a library and of the engine, and the choice of one store."""

    def __init__(self, library: Library, chosen: ChosenModels, models: Models) -> None:
        self._library = library
        self._chosen = chosen
        self._models = models

    def entries(self) -> list[Entry]:
        """All models, those of the engine first. Raises ModelError for a damaged definition."""
        return [*map(self._of_engine, BUILT_IN.values()), *map(self._added, self._library.all())]

    def add(self, path: Path) -> Entry:
        """Add a model: see Library.add. Raises ModelError."""

        def trial(network: bytes, definition: Definition) -> object:
            return inspection.tried(self._models.over(network, definition))

        return self._added(self._library.add(path, trial))

    def find(self, name: str) -> Entry:
        """The model of that name. Raises ModelMissingError."""
        entries = self.entries()
        found = [entry for entry in entries if entry.name == name]
        if not found:
            names = ", ".join(entry.name for entry in entries)
            raise ModelMissingError(f"no face model is called {name!r}; there are {names}")
        if len(found) > 1:  # added by two processes at the same moment
            versions = ", ".join(entry.version for entry in found)
            raise ModelError(
                f"several face models are called {name!r}: versions {versions}; add one by another name"
            )
        return found[0]

    def use(self, name: str) -> Entry:
        """Make the store's collections of from now on with a model, which is tried first. Raises ModelError."""
        verdict = self._verdict(self.find(name))
        if verdict.problem:
            raise ModelError(verdict.problem)
        entry = verdict.entry
        known = KnownModel(entry.version, entry.name, None if entry.built_in else entry.sha256)
        self._chosen.choose(None if entry.version == DLIB.version else known)
        return self.find(name)

    def verify(self, name: str | None = None) -> Iterator[Verdict]:
        """Read each model's files anew, or those of one, and use it on the sample faces. Raises ModelError."""
        for entry in [self.find(name)] if name else self.entries():
            yield self._verdict(entry)

    def _verdict(self, entry: Entry) -> Verdict:
        try:
            if entry.built_in:
                weights.read(weights.DESCRIPTOR)
                recognizer = self._models.load(entry.version)
            else:
                definition = self._library.of_version(entry.version)
                recognizer = self._models.over(self._library.network(definition), definition)
            return Verdict(entry, inspection.tried(recognizer), None)
        except (ModelError, weights.WeightsError) as exc:
            return Verdict(entry, None, str(exc))

    def _of_engine(self, model: BuiltIn) -> Entry:
        return self._entry(
            name=model.name,
            version=model.version,
            dimensions=_DIMENSIONS,
            licence=_LICENCE,
            sha256=weights.DESCRIPTOR.sha256,
            input=f"150 x 150, dlib's points, {2 * len(model.views)} crops",
            built_in=True,
            calibrated=True,
        )

    def _added(self, model: Definition) -> Entry:
        assert model.dimensions is not None  # a definition without them does not enter a library
        return self._entry(
            name=model.name,
            version=model.version,
            dimensions=model.dimensions,
            licence=model.licence,
            sha256=model.sha256,
            input=model.input,
            built_in=False,
            calibrated=model.similarity is not None,
        )

    def _entry(self, *, version: str, **said: object) -> Entry:
        chosen = (self._chosen.current() or DLIB.version) == version
        collections = self._chosen.collections().get(version, 0)
        return Entry(version=version, chosen=chosen, collections=collections, **said)  # type: ignore[arg-type]
