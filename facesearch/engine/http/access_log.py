"""One line of JSON on stderr for each request, and for everything else that is worth a line.

It tells what was asked, by which key and how it ended, and never what was in it: no image, no id of a face, a user
or a collection.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from facesearch.engine import protocol

log = logging.getLogger(__name__)

_CREDENTIAL = re.compile(r"Credential=([A-Z0-9]{16,128})/")
_MAX_PATH = 100


@dataclass(slots=True)
class Exchange:
    """What is known of one request on its way through the server."""

    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    operation: str | None = None  # None unless it is one of Rekognition's
    access_key_id: str | None = None  # as claimed
    error: str | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    status: int = 0

    def read(self, headers: Mapping[str, str]) -> None:
        """Take from the headers (lower-case names) what may be told."""
        name = headers.get("x-amz-target", "").strip().partition(".")[2]
        self.operation = name if name in protocol.service_model().operation_names else None
        claimed = _CREDENTIAL.search(headers.get("authorization", ""))
        self.access_key_id = claimed[1] if claimed else None


def write(exchange: Exchange, method: str, path: str, seconds: float) -> None:
    """The line of a request that is over."""
    fields = {
        "request_id": exchange.request_id,
        "method": method,
        "path": path[:_MAX_PATH],
        "operation": exchange.operation,
        "status": exchange.status,
        "error": exchange.error,
        "ms": round(seconds * 1000, 1),
        "bytes_in": exchange.bytes_in,
        "bytes_out": exchange.bytes_out,
        "access_key_id": exchange.access_key_id,
        "process": os.getpid(),
    }
    log.info("request", extra={"fields": fields})


def to_stderr() -> None:
    """Send this program's log to stderr, a line of JSON for each record."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    log.setLevel(logging.INFO)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": moment, "level": record.levelname.lower(), "message": record.getMessage()}
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)
