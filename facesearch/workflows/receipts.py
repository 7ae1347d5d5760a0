"""Receipts of erasures: JSON for an auditor, without biometrics, and without a name unless somebody asks for it.

A receipt is there before the first thing is deleted, and is written anew as the erasing goes on. What an earlier
state of it says and the records no longer hold stays in it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from facesearch.domain import Person
from facesearch.domain.erasure import CollectionErasure, Erasure, ErasureState

KIND = "facesearch erasure receipt"

_LISTED = (
    "After the deletion ListFaces was asked for every one of face_ids and for the whole collection, "
    "and answered with no face of the person."
)
_GONE = "The collection does not exist, and what it held went with it."


class Receipts:
    """The receipts of one engine in a folder, one file for each person, named by the person's id."""

    def __init__(self, folder: Path, engine: str, version: str, *, named: bool = False) -> None:
        self._folder = folder
        self._engine = engine
        self._version = version
        self._named = named

    def path(self, person_id: str) -> Path:
        """Where the receipt of a person is."""
        return self._folder / f"{person_id}.json"

    def write(self, erasure: Erasure, person: Person | None) -> Erasure:
        """Write how far an erasing is. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.path(erasure.person_id)
        document = self._document(erasure, person, _read(path))
        write_whole(path, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        return replace(erasure, receipt=str(path))

    def _document(
        self, erasure: Erasure, person: Person | None, earlier: Mapping[str, Any]
    ) -> dict[str, Any]:
        whom: dict[str, Any] = dict(earlier.get("person", {})) or {"id": erasure.person_id}
        if person and self._named:
            whom |= {"name": person.name, "key": person.key}
        known = {one["arn"]: one for one in earlier.get("collections", ())}
        return {
            "schema": 1,
            "kind": KIND,
            "facesearch": self._version,
            "engine": self._engine,
            "person": whom,
            "state": erasure.state.value,
            "asked_at": earlier.get("asked_at") or _moment(erasure.asked_at),
            "written_at": _moment(datetime.now(UTC)),
            "records_deleted": asdict(erasure.records) if erasure.records else earlier.get("records_deleted"),
            "collections": [
                _collection(one, known.get(one.collection.arn, {})) for one in erasure.collections
            ],
        }


def write_whole(path: Path, text: str) -> None:
    """Put a file in its place at once and for good, for its owner alone. Raises OSError."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "x", encoding="utf-8", opener=_for_owner) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _collection(one: CollectionErasure, earlier: Mapping[str, Any]) -> dict[str, Any]:
    face_ids = list(dict.fromkeys([*earlier.get("face_ids", ()), *one.faces]))
    return {
        "arn": one.collection.arn,
        "collection_id": one.collection.collection_id,
        "state": one.state.value,
        "reason": one.reason,
        "faces_deleted": len(face_ids),
        "users_deleted": max(one.users, earlier.get("users_deleted", 0)),
        "face_ids": face_ids,
        "deletion_request_ids": list(
            dict.fromkeys([*earlier.get("deletion_request_ids", ()), *one.request_ids])
        ),
        "proof": _proof(one, len(face_ids)),
        "not_confirmed": [{"what": what, "reason": reason} for what, reason in one.waiting.items()],
    }


def _proof(one: CollectionErasure, faces: int) -> dict[str, Any] | None:
    if one.state is ErasureState.PENDING:
        return None
    return {
        "at": _moment(one.settled_at) if one.settled_at else None,
        "statement": _LISTED if one.state is ErasureState.ERASED else _GONE,
        "asked_for": faces if one.state is ErasureState.ERASED else 0,
        "still_listed": 0,
        "request_id": one.proof,
    }


def _read(path: Path) -> Mapping[str, Any]:
    """What was written down earlier; nothing where there is no receipt that can be read."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) and document.get("kind") == KIND else {}


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds")


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
