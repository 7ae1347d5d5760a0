"""The face models of an engine, each loaded when a request first needs it, and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from facesearch.engine import errors
from facesearch.engine.errors import ModelError

if TYPE_CHECKING:
    from facesearch.engine.models.chosen import ChosenModels
    from facesearch.engine.storage import StoredCollection
    from facesearch.engine.vision.recognizer import Recognizer


class Recognizers:
    """The model that new collections get, and the one that a collection has.

    `default` is called once. `by_version` gives any other model, and the default one too if it is asked for by its
    version; it raises ModelError. Without it there is no model but the default.
    """

    def __init__(
        self,
        chosen: ChosenModels,
        default: Callable[[], Recognizer],
        by_version: Callable[[str], Recognizer] | None,
    ) -> None:
        self._chosen = chosen
        self._default = default
        self._by_version = by_version
        self._guard = threading.Lock()
        self._loaded: dict[str | None, Recognizer] = {}

    def current(self) -> Recognizer:
        """The model that a collection made now is bound to. Raises InvalidParameterException."""
        version = self._chosen.current() if self._by_version else None
        try:
            return self._get(version)
        except ModelError as exc:
            raise errors.model_missing(None, self._name(str(version)), str(exc)) from exc

    def of(self, collection: StoredCollection) -> Recognizer:
        """The model that made a collection's vectors. Raises InvalidParameterException when it is not there."""
        theirs = collection.model_version
        try:
            found = self._get(theirs if self._by_version else None)
        except ModelError as exc:
            raise errors.model_missing(collection.collection_id, self._name(theirs), str(exc)) from exc
        if found.model_version != theirs:
            raise errors.other_model(collection.collection_id, theirs, found.model_version)
        return found

    def _get(self, version: str | None) -> Recognizer:
        found = self._loaded.get(version)
        if found is None:
            with self._guard:
                found = self._loaded.get(version) or self._load(version)
                self._loaded[version] = self._loaded[found.model_version] = found
        return found

    def _load(self, version: str | None) -> Recognizer:
        if version is None or self._by_version is None:
            return self._default()
        return self._by_version(version)

    def _name(self, version: str) -> str:
        """A version in words: what it stands for, as far as the store knows."""
        known = self._chosen.known(version)
        if known is None:
            return f"version {version}"
        of_file = f", SHA-256 {known.sha256}" if known.sha256 else ""
        return f"{known.name} (version {version}{of_file})"
