"""What leaves for the service: the calls it answered, counted by operation, and a budget asked before each."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.model import OperationModel
    from mypy_boto3_rekognition import RekognitionClient


class Budget(Protocol):
    """What a call must be affordable for."""

    def take(self, operation: str) -> None: ...
    def give_back(self, operation: str) -> None: ...


class Meter:
    """Counts the calls of one client. A call that is repeated counts once, when it is answered.

    With a `budget` every call is taken from it before it is made, and given back when the service refuses it: AWS
    bills what it answers. Safe to share between threads.
    """

    def __init__(self, client: RekognitionClient) -> None:
        self.budget: Budget | None = None
        self._answered: Counter[str] = Counter()
        self._lock = threading.Lock()
        client.meta.events.register("before-call.rekognition", self._before)
        client.meta.events.register("after-call.rekognition", self._after)

    def answered(self) -> dict[str, int]:
        """The answered calls by operation since they were last taken."""
        with self._lock:
            return dict(self._answered)

    def take(self) -> dict[str, int]:
        """The answered calls by operation since they were last taken; they are counted from nothing again."""
        with self._lock:
            answered, self._answered = self._answered, Counter()
        return dict(answered)

    def _before(self, model: OperationModel, **_: Any) -> None:
        if self.budget:
            self.budget.take(model.name)

    def _after(self, http_response: AWSResponse, model: OperationModel, **_: Any) -> None:
        if http_response.status_code < 300:
            with self._lock:
                self._answered[model.name] += 1
        elif self.budget:
            self.budget.give_back(model.name)
