"""Repeated calls: botocore's own retries are the only ones, pinned; here is heard how many a call took.

A throttled try is told at once to whoever paces the calls, long before botocore has given up on the call.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from facesearch.domain import Call
from facesearch.errors import ServiceError
from facesearch.service_errors import is_throttle

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient


class Retries:
    """Listens to the tries of one client's IndexFaces calls. Safe to share between threads."""

    def __init__(self, client: RekognitionClient) -> None:
        self._current = threading.local()
        self._on_throttle: Callable[[], None] | None = None
        client.meta.events.register("needs-retry.rekognition.IndexFaces", self._tried)

    @contextmanager
    def telling(self, on_throttle: Callable[[], None]) -> Iterator[None]:
        """Call `on_throttle`, in whatever thread, for each throttled try that is made in the block."""
        self._on_throttle = on_throttle
        try:
            yield
        finally:
            self._on_throttle = None

    @contextmanager
    def counted(self) -> Iterator[None]:
        """One call is made in the block; a ServiceError that leaves it says what the call took."""
        self._current.attempts = 0
        self._current.started = time.monotonic()
        try:
            yield
        except ServiceError as exc:
            call = self.last(exc.request_id)
            exc.attempts, exc.milliseconds = call.attempts, call.milliseconds
            raise

    def last(self, request_id: str | None) -> Call:
        """What the call that this thread is in took, up to now."""
        milliseconds = round(1000 * (time.monotonic() - self._current.started))
        return Call(request_id, self._current.attempts, milliseconds)

    def _tried(self, attempts: int, response: tuple[Any, Mapping[str, Any]] | None, **_: Any) -> None:
        """Of botocore, after each try. It must answer nothing, or it would be taken for a wish to retry."""
        self._current.attempts = attempts
        listener = self._on_throttle
        if listener and response is not None and is_throttle(response[1]):
            listener()
