"""Faults on purpose: an engine that throttles, fails, dawdles and loses answers, the same way at each run.

What happens to the n-th call of an operation follows from the seed, the operation and n alone, so a failing test
repeats itself, and threads that work on different operations cannot change each other's luck.
"""

from __future__ import annotations

import difflib
import math
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Self, TypeGuard

from facesearch.engine import protocol
from facesearch.engine.answering import LostAnswer
from facesearch.engine.errors import RekognitionError

if TYPE_CHECKING:
    from facesearch.engine.answering import Closing
    from facesearch.engine.protocol import Authorise, Response

# Codes by operation: one that is always answered, or several with their probabilities.
Errors = Mapping[str, str | Mapping[str, float]]

_TEXTS = {
    "InternalServerError": "Internal server error",
    "ProvisionedThroughputExceededException": "Provisioned rate exceeded.",
    "ThrottlingException": "Slow down; sudden increase in rate of requests.",
}
_THROTTLES = ("ThrottlingException", "ProvisionedThroughputExceededException")


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong, and how often. Raises ValueError, naming the option, for what cannot be.

    `throttle` is the probability of being told to slow down, by either of the two codes that AWS uses; `errors`
    are codes by operation, each among those the service model lists for it; `latency` is what every call waits, in
    seconds: a number, or the two ends of a range; `lost_answers` is the probability that a call is done and its
    answer never arrives. A call that is throttled or fails has done nothing.
    """

    throttle: float = 0.0
    errors: Errors = field(default_factory=dict)
    latency: float | tuple[float, float] = 0.0
    lost_answers: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        _check_probability("throttle", self.throttle)
        _check_probability("lost_answers", self.lost_answers)
        _check_latency(self.latency)
        for operation, codes in self.errors.items():
            if not isinstance(codes, (str, Mapping)):
                raise ValueError(
                    f"errors: {operation} is given {codes!r}, not a code or codes with probabilities"
                )
            _check_errors(operation, self.codes(operation))

    @classmethod
    def parse(
        cls,
        *,
        throttle: float = 0.0,
        errors: Iterable[str] = (),
        latency: str = "0",
        lost_answers: float = 0.0,
        seed: int = 0,
    ) -> Self:
        """The faults as a command line says them. Raises ValueError, as the class does.

        An error is OPERATION=CODE or OPERATION=CODE:PROBABILITY; latency is 0.05, or 0.05-0.4 for a range.
        """
        by_operation: dict[str, dict[str, float]] = {}
        for text in errors:
            operation, code, probability = _parse_error(text)
            codes = by_operation.setdefault(operation, {})
            if code in codes:
                raise ValueError(f"error {code} of {operation} is given twice")
            codes[code] = probability
        return cls(throttle, by_operation, _parse_latency(latency), lost_answers, seed)

    @property
    def seconds(self) -> tuple[float, float]:
        """The shortest and the longest latency."""
        return self.latency if isinstance(self.latency, tuple) else (self.latency, self.latency)

    def codes(self, operation: str) -> Mapping[str, float]:
        """The errors of an operation, each with its probability."""
        codes = self.errors.get(operation, {})
        if isinstance(codes, str):
            return {codes: 1.0}
        return codes


class FaultyEngine:
    """An engine behind faults; it answers as the engine does where none strikes. Thread-safe."""

    def __init__(self, engine: Closing, faults: Faults) -> None:
        self._engine = engine
        self._faults = faults
        self._guard = threading.Lock()
        self._streams: dict[str, Random] = {}

    def handle(self, headers: Mapping[str, str], body: bytes, authorise: Authorise | None = None) -> Response:
        """Answer one request, or fail it. Raises LostAnswer once the work is done."""
        operation = _operation(headers)
        latency, throttled, which, error, lost = self._luck(operation)
        shortest, longest = self._faults.seconds
        time.sleep(shortest + latency * (longest - shortest))
        if throttled < self._faults.throttle:
            return _refusal(operation, _THROTTLES[which < 0.5])
        for code, probability in self._faults.codes(operation).items():
            if error < probability:
                return _refusal(operation, code)
            error -= probability
        response = self._engine.handle(headers, body, authorise)
        if lost < self._faults.lost_answers:
            raise LostAnswer(operation)
        return response

    def _luck(self, operation: str) -> list[float]:
        """The next five random numbers (0 to 1) of an operation: always as many, whatever they are used for."""
        with self._guard:
            stream = self._streams.get(operation)
            if stream is None:
                stream = self._streams[operation] = Random(f"{self._faults.seed}/{operation}")  # noqa: S311
            return [stream.random() for _ in range(5)]

    def arn(self, collection_id: str) -> str:
        """The ARN that a collection of this id has, or would have."""
        return self._engine.arn(collection_id)

    def totals(self) -> tuple[int, int, int]:
        """How many collections, faces and users the store holds."""
        return self._engine.totals()

    def load(self) -> None:
        """Load what the first request for a face would wait for."""
        self._engine.load()

    def close(self) -> None:
        """Give the store back."""
        self._engine.close()


def _operation(headers: Mapping[str, str]) -> str:
    """The operation a request names; a name that is none is the engine's to refuse."""
    target = next((value for name, value in headers.items() if name.lower() == "x-amz-target"), "")
    name = target.rpartition(".")[2].strip()
    return name if name in protocol.service_model().operation_names else ""


def _refusal(operation: str, code: str) -> Response:
    text = _TEXTS.get(code, f"{operation} was made to fail with {code}.")
    return protocol.refusal(RekognitionError(code, text))


def _check_probability(option: str, value: object) -> None:
    if not (_is_number(value) and 0 <= value <= 1):
        raise ValueError(f"{option} is a probability from 0 to 1, not {value!r}")


def _check_latency(latency: object) -> None:
    ends = latency if isinstance(latency, tuple) else (latency, latency)
    if not (len(ends) == 2 and all(map(_is_number, ends)) and 0 <= ends[0] <= ends[1] < math.inf):
        raise ValueError(f"latency is a number of seconds, or a pair of them, less first, not {latency!r}")


def _check_errors(operation: str, codes: Mapping[str, float]) -> None:
    model = protocol.service_model()
    if operation not in model.operation_names:
        meant = _meant(operation, model.operation_names)
        raise ValueError(f"errors: Rekognition has no operation {operation!r}{meant}")
    modelled = sorted(shape.name for shape in model.operation_model(operation).error_shapes)
    for code, probability in codes.items():
        if code not in modelled:
            raise ValueError(f"errors: {operation} never answers {code!r}; it answers {', '.join(modelled)}")
        _check_probability(f"errors: {code} of {operation}", probability)
    if math.fsum(codes.values()) > 1:
        raise ValueError(f"errors: the probabilities of {operation} add up to more than 1")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _meant(word: str, words: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _parse_error(text: str) -> tuple[str, str, float]:
    operation, equals, rest = text.partition("=")
    code, colon, probability = rest.partition(":")
    if not (operation and equals and code):
        raise ValueError(f"an error is said as OPERATION=CODE or OPERATION=CODE:PROBABILITY, not {text!r}")
    return operation.strip(), code.strip(), _number("error", probability) if colon else 1.0


def _parse_latency(text: str) -> float | tuple[float, float]:
    shortest, dash, longest = text.partition("-")
    if not dash:
        return _number("latency", text)
    return _number("latency", shortest), _number("latency", longest)


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as exc:
        raise ValueError(f"{option}: {text!r} is no number") from exc
