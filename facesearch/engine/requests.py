"""What was answered to a ClientRequestToken, so that a request which comes twice is done once.

The answer is kept in the transaction that makes the change: either both are on disk or neither is. Rekognition
does not say for how long its tokens are good; here it is a day, or the latest 10,000 requests of the store if
these are fewer. They go with their collection.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from facesearch.engine import errors

KEPT_SECONDS = 24 * 3600.0
KEPT_REQUESTS = 10_000

_TOKEN = "ClientRequestToken"  # noqa: S105 - a member's name


@dataclass(frozen=True, slots=True)
class Request:
    """An operation and its parameters, but for the token: that alone tells whether it was asked before."""

    operation: str
    token: str | None
    digest: bytes

    @classmethod
    def of(cls, operation: str, parameters: Mapping[str, Any]) -> Request:
        """The request that these parameters make; without a token it is never the same as another."""
        asked = {name: value for name, value in parameters.items() if name != _TOKEN}
        canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return cls(operation, parameters.get(_TOKEN), hashlib.sha256(canonical.encode()).digest())


def answered(connection: sqlite3.Connection, request: Request) -> dict[str, Any] | None:
    """What was answered to this request before; None for a new one.

    Raises IdempotentParameterMismatchException for a token that came with other parameters.
    """
    if request.token is None:
        return None
    found = connection.execute(
        "SELECT digest, answer FROM requests WHERE operation = ? AND token = ? AND made_at > ?",
        (request.operation, request.token, time.time() - KEPT_SECONDS),
    ).fetchone()
    if found is None:
        return None
    digest, answer = found
    if digest != request.digest:
        raise errors.token_in_use(request.token)
    known: dict[str, Any] = json.loads(answer)
    return known


def keep(connection: sqlite3.Connection, collection: int, request: Request, answer: dict[str, Any]) -> None:
    """Remember an answer, and forget those of long ago."""
    if request.token is None:
        return
    now = time.time()
    connection.execute("DELETE FROM requests WHERE made_at <= ?", (now - KEPT_SECONDS,))
    newest = connection.execute(
        "INSERT INTO requests (collection, operation, token, digest, answer, made_at) VALUES (?, ?, ?, ?, ?, ?)",
        (collection, request.operation, request.token, request.digest, json.dumps(answer), now),
    ).lastrowid
    assert newest is not None  # an INSERT that did not raise has one
    connection.execute("DELETE FROM requests WHERE number <= ?", (newest - KEPT_REQUESTS,))
