"""Face models by version, ready to look at faces: those that come with the engine, and those that were added."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from facesearch.engine.errors import ModelError, ModelMissingError
from facesearch.engine.models.definition import Definition
from facesearch.engine.models.library import Library
from facesearch.engine.vision.built_in import BUILT_IN, DLIB

if TYPE_CHECKING:
    from facesearch.engine.vision.recognizer import Finder, Recognizer


class Models:
    """Loads each model once; all share one detector. `cache` and `detail` are DlibRecognizer.load's."""

    def __init__(self, library: Library, cache: Path | None, detail: str = "auto") -> None:
        self._library = library
        self._cache = cache
        self._detail = detail
        self._guard = threading.RLock()
        self._finder: Finder | None = None
        self._loaded: dict[str, Recognizer] = {}

    def default(self) -> Recognizer:
        """The model of collections for which no other was chosen."""
        return self.load(DLIB.version)

    def load(self, version: str) -> Recognizer:
        """The model of a version. Raises ModelError, which names no path: it may be told to whoever asks."""
        with self._guard:
            if version not in self._loaded:
                self._loaded[version] = self._made(version)
            return self._loaded[version]

    def over(self, network: bytes, definition: Definition) -> Recognizer:
        """A model that need not be in the library."""
        from facesearch.engine.models.network import Added, AddedRecognizer

        return AddedRecognizer(self._found(), Added(network, definition), definition)

    def _made(self, version: str) -> Recognizer:
        from facesearch.engine.vision.recognizer import DlibRecognizer

        if version in BUILT_IN:
            return DlibRecognizer.load(self._cache, model=BUILT_IN[version], finder=self._found())
        try:
            definition = self._library.of_version(version)
            return self.over(self._library.network(definition), definition)
        except ModelMissingError:
            raise
        except ModelError as exc:
            raise ModelError(
                "Its files on this machine are damaged: see `facesearch engine models verify`."
            ) from exc

    def _found(self) -> Finder:
        from facesearch.engine.vision.recognizer import Finder

        with self._guard:
            self._finder = self._finder or Finder.load(self._cache, detail=self._detail)
            return self._finder
