"""What a store knows of face models: which one new collections are made with, and what its versions stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from facesearch.engine.connections import Connections


@dataclass(frozen=True, slots=True)
class KnownModel:
    """What a version stands for. `sha256` is that of the network's file, None for a model that comes along."""

    version: str
    name: str
    sha256: str | None


@contextmanager
def opened(store: Path) -> Iterator[ChosenModels]:
    """The choice in a store's file, which is made if it is not there. Raises StoreError."""
    connections = Connections(store)
    try:
        yield ChosenModels(connections)
    finally:
        connections.close()


class ChosenModels:
    """The choice of every process that works on the store."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def current(self) -> str | None:
        """The version that new collections are made with; None for the engine's default."""
        with self._connections.reading() as connection:
            (version,) = connection.execute("SELECT model FROM store").fetchone()
        return None if version is None else str(version)

    def choose(self, model: KnownModel | None) -> None:
        """Make the collections of from now on with a model; None is the engine's default."""
        with self._connections.writing() as connection:
            if model is not None:
                connection.execute(
                    "INSERT INTO models (version, name, sha256) VALUES (?, ?, ?) "
                    "ON CONFLICT (version) DO UPDATE SET name = excluded.name",
                    (model.version, model.name, model.sha256),
                )
            connection.execute("UPDATE store SET model = ?", (model.version if model else None,))

    def known(self, version: str) -> KnownModel | None:
        """What a version stands for, if it was ever chosen."""
        with self._connections.reading() as connection:
            found = connection.execute(
                "SELECT version, name, sha256 FROM models WHERE version = ?", (version,)
            ).fetchone()
        return KnownModel(*found) if found else None

    def collections(self) -> Mapping[str, int]:
        """How many collections were made with each version."""
        with self._connections.reading() as connection:
            rows = connection.execute(
                "SELECT model_version, count(*) FROM collections GROUP BY model_version"
            )
            return MappingProxyType(dict(rows.fetchall()))
