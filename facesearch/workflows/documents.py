"""Documents about photos: JSON, each beside nobody else's, in a folder or in S3.

A document is written under the condition that it is still the one that was read, so that of two who work on one
photo the slower learns of it and looks again.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from facesearch.errors import UnreadablePhotoError
from facesearch.workflows.reading import SCHEME, is_stored

SCHEMA = 1
MAX_KEY = 1024  # bytes of a key in S3


class Documents(Protocol):
    """Documents by their address. A mark says which one was read; None that there was none."""

    def read(self, address: str) -> tuple[bytes, str] | None: ...
    def write(self, address: str, content: bytes, mark: str | None) -> bool: ...


class Anywhere:
    """Documents in S3 and in files."""

    def __init__(self, stored: Documents) -> None:
        self._stored = stored

    def read(self, address: str) -> tuple[bytes, str] | None:
        """The document and its mark; None where there is none."""
        if is_stored(address):
            return self._stored.read(address)
        try:
            content = Path(address).read_bytes()
        except FileNotFoundError:
            return None
        return content, hashlib.sha256(content).hexdigest()

    def write(self, address: str, content: bytes, mark: str | None) -> bool:
        """Write it, a file whole or not at all. False, and nothing written, when it is no longer the one read."""
        if is_stored(address):
            return self._stored.write(address, content, mark)
        path = Path(address)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.parent / f".{os.getpid()}-{threading.get_ident()}.part"
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return True


def address_of(place: str, name: str) -> str:
    """Where the document about a photo lies: below `place` as the photo lies below its own folder, plus `.json`.

    `name` is the photo's path below that folder, with slashes. Raises UnreadablePhotoError where there is no such
    place: a key of S3 may be longer than another key can be, or lead out of a folder.
    """
    if is_stored(place):
        address = f"{place.rstrip('/')}/{name}.json"
        _, _, key = address.removeprefix(SCHEME).partition("/")
        if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY:
            raise UnreadablePhotoError(
                f"its key is too long: with `.json` it must fit into {MAX_KEY:,} bytes"
            )
        return address
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise UnreadablePhotoError("its key does not name a place in a folder")
    return f"{Path(place, *parts)}.json"


def written(document: Mapping[str, Any]) -> bytes:
    """A document as bytes: readable Unicode, or escapes where a path holds what is none."""
    whole = {"schema": SCHEMA, **document}
    try:
        return json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=2).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(whole, allow_nan=False, indent=2).encode() + b"\n"


def parsed(content: bytes) -> Mapping[str, Any] | None:
    """The document; None for bytes that are none of this schema."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("schema") == SCHEMA else None
