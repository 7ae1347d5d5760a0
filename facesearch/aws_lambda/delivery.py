"""One event, object by object: what was done is told, what failed is delivered again, what can never work is set
aside with its reason. Nothing that goes wrong with one object keeps the others from being done.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from facesearch.aws_lambda.events import Message, ObjectEvent, messages, objects
from facesearch.errors import FaceSearchError, InvalidRequestError, PhotoError, UsageError

_log = logging.getLogger(__name__)
_log.setLevel(logging.INFO)  # what Lambda's own handler writes would otherwise begin with warnings

_OF_THE_OBJECT = frozenset(
    {
        "ImageTooLargeException",
        "InvalidImageFormatException",
        "InvalidParameterException",
        "SerializationException",
        "ValidationException",
    }
)

Work = Callable[[ObjectEvent], str | None]


class DeadLetters(Protocol):
    """The queue for what can never work."""

    def send(self, body: str, reason: str) -> None: ...


def delivered(event: Mapping[str, Any], work: Work, dead_letters: DeadLetters | None) -> dict[str, Any]:
    """Do the work for each object of an event; it says how that ended, None for one that is passed over.

    For a batch of SQS the answer names the messages that must be delivered again, any other event is raised again
    by FaceSearchError with all reasons.
    """
    failed: dict[str | None, list[str]] = {}
    done: list[dict[str, str]] = []
    for message in messages(event):
        reasons = _message_done(message, work, dead_letters, done)
        if reasons:
            failed[message.id] = reasons
    if None in failed:
        raise FaceSearchError("; ".join(failed[None]))
    return {"objects": done, "batchItemFailures": [{"itemIdentifier": id_} for id_ in failed]}


def _message_done(
    message: Message, work: Work, dead_letters: DeadLetters | None, done: list[dict[str, str]]
) -> list[str]:
    """Do the work of one message, and say why it must be delivered again, if it must."""
    try:
        found = list(objects(message.content))
    except UsageError as exc:
        body = (
            message.content if isinstance(message.content, str) else json.dumps(message.content, default=str)
        )
        return _set_aside(body, f"message {message.id}", exc, dead_letters)
    reasons: list[str] = []
    for one in found:
        try:
            outcome = work(one)
        except Exception as exc:  # of one object, whose event is delivered again or set aside
            if _can_never_work(exc):
                reasons += _set_aside(json.dumps(one.event, default=str), one.address, exc, dead_letters)
            else:
                reasons.append(_told(one.address, exc))
        else:
            done.append({"object": one.address, "outcome": outcome or "passed over"})
            _say(logging.INFO, object=one.address, outcome=outcome or "passed over")
    return reasons


def _can_never_work(exc: Exception) -> bool:
    if isinstance(exc, InvalidRequestError):
        return exc.code in _OF_THE_OBJECT
    return isinstance(exc, PhotoError | UsageError)


def _set_aside(body: str, what: str, exc: Exception, dead_letters: DeadLetters | None) -> list[str]:
    """Send it where a person will look; a reason comes back where that could not be done."""
    if dead_letters is None:
        return [_told(what, exc)]
    try:
        dead_letters.send(body, _about(what, exc))
    except FaceSearchError as trouble:
        return [_told(what, exc), _told("DEAD_LETTER_QUEUE_URL", trouble)]
    _say(logging.ERROR, object=what, outcome="dead letter", reason=str(exc))
    return []


def _told(what: str, exc: Exception) -> str:
    ours = isinstance(exc, FaceSearchError)
    _say(logging.ERROR, not ours, object=what, outcome="failed", reason=f"{type(exc).__name__}: {exc}")
    return _about(what, exc)


def _about(what: str, exc: Exception) -> str:
    """The reason with what it is about, which some reasons begin with."""
    return str(exc) if str(exc).startswith(what) else f"{what}: {exc}"


def _say(level: int, with_traceback: bool = False, /, **what: str) -> None:
    """One line of JSON in the log, whatever a key holds."""
    _log.log(level, json.dumps(what), exc_info=with_traceback)
