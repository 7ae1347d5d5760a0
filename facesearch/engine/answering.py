"""What stands behind the doors to an engine, in-process and HTTP: the engine itself, or one behind faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from facesearch.engine.protocol import Authorise, Response


class Answering(Protocol):
    """What answers requests of AWS JSON 1.1."""

    def handle(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer one request. Raises LostAnswer."""
        ...


class Served(Answering, Protocol):
    """What a server serves."""

    def handle(self, headers: Mapping[str, str], body: bytes, authorise: Authorise | None = None) -> Response:
        """Answer one request. `authorise` is asked before anything is done. Raises LostAnswer."""
        ...

    def arn(self, collection_id: str) -> str:
        """The ARN of a collection."""
        ...

    def totals(self) -> tuple[int, int, int]:
        """How many collections, faces and users there are."""
        ...


class Closing(Served, Protocol):
    """What is made ready before the first request, and closed at the end."""

    def load(self) -> None:
        """Load what the first request for a face would wait for. Raises WeightsError and RekognitionError."""
        ...

    def close(self) -> None:
        """Give the store back."""
        ...


class LostAnswer(Exception):  # noqa: N818 - nothing failed in the engine, only on the way back
    """The request is done, and the connection is to break before its answer is out."""
