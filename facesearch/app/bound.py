"""What the use cases are bound to: one engine and one database, each opened when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Self

from facesearch.settings import Settings, without_password

if TYPE_CHECKING:
    from facesearch.records.database import Database
    from facesearch.rekognition import Rekognition


class Bound:
    """The settings, the gateway and the database that a FaceSearch works with."""

    def __init__(
        self,
        settings: Settings,
        open_gateway: Callable[[], tuple[Rekognition, Callable[[], None]]],
        open_database: Callable[[], Database],
    ) -> None:
        self.settings = settings
        self._open_gateway = open_gateway
        self._open_database = open_database
        self._closing: list[Callable[[], None]] = []

    def close(self) -> None:
        """Let go of the engine's store and of the database."""
        while self._closing:
            self._closing.pop()()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def engine(self) -> str:
        """Who answers: `embedded`, `aws`, or the endpoint's URL."""
        return without_password(self.settings.engine)

    @cached_property
    def _gateway(self) -> Rekognition:
        gateway, close = self._open_gateway()
        self._closing.append(close)
        return gateway

    @cached_property
    def _database(self) -> Database:
        database = self._open_database()
        self._closing.append(database.close)
        return database
