"""The engine's durable collections, faces and vectors: one SQLite file that many threads and processes share.

Every change is one transaction, on disk before the method returns. What is deleted is overwritten in the file and
cut out of the write-ahead log: erased biometrics must not linger. A vector is little-endian float32.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from facesearch.engine import errors
from facesearch.engine.connections import Connections
from facesearch.engine.snapshots import Snapshot
from facesearch.engine.vectors import VectorFiles

_COLLECTIONS = (
    "SELECT number, collection_id, model_version, created_at, face_count, revision, user_count, user_revision "
    "FROM collections "
)
_FACES = (
    "SELECT number, face_id, image_id, external_image_id, left, top, width, height, confidence, model_version, "
    "(SELECT user_id FROM users WHERE users.number = faces.user) FROM faces "
)
_CHOSEN = "collection = ? AND face_id IN (SELECT value FROM json_each(?))"

# Two boxes of one image are the same face when they share this part of what both cover. A detector's own two faces
# never do; the same face seen on another processor, or by another number of threads, always does.
_SAME_FACE = 0.5


@dataclass(frozen=True, slots=True)
class StoredCollection:
    """A collection. `number` is never given out twice, so it tells a collection from a later one of its name."""

    number: int
    collection_id: str
    model_version: str
    created_at: datetime
    face_count: int
    revision: int  # moves with every change of the collection's faces, whichever process made it
    user_count: int
    user_revision: int  # moves with every change of its users


@dataclass(frozen=True, slots=True)
class NewFace:
    """A face to store: its box in ratios of the upright image, its confidence (0..100) and its vector."""

    left: float
    top: float
    width: float
    height: float
    confidence: float
    vector: bytes


@dataclass(frozen=True, slots=True)
class StoredFace:
    """A face as it is stored. `number` grows in the order of storing and is never given out twice."""

    number: int
    face_id: str
    image_id: str
    external_image_id: str | None
    left: float
    top: float
    width: float
    height: float
    confidence: float
    model_version: str
    user_id: str | None = None


class Store:
    """Collections and faces. A path of None keeps them in memory, for the threads of this process.

    Raises StoreError when the file cannot be used. `account_id` (12 digits) tells one store from another.
    """

    def __init__(self, path: Path | None) -> None:
        self._connections = Connections(path)
        with self._connections.reading() as connection:
            self.account_id, self.token_key = connection.execute(
                "SELECT account_id, token_key FROM store"
            ).fetchone()
        self.vector_files = VectorFiles(path, self.account_id)

    @property
    def connections(self) -> Connections:
        """The way to what else is kept in the same file."""
        return self._connections

    def close(self) -> None:
        """Give the file back; the store cannot be used afterwards."""
        self._connections.close()

    # --- collections ---

    def create_collection(self, collection_id: str, model_version: str, tags: Mapping[str, str]) -> None:
        """Raises ResourceAlreadyExistsException."""
        with self._connections.writing() as connection:
            try:
                number = connection.execute(
                    "INSERT INTO collections (collection_id, model_version, created_at) VALUES (?, ?, ?)",
                    (collection_id, model_version, round(datetime.now(UTC).timestamp(), 3)),
                ).lastrowid
            except sqlite3.IntegrityError:
                raise errors.collection_exists(collection_id) from None
            connection.executemany(
                "INSERT INTO tags (collection, key, value) VALUES (?, ?, ?)",
                [(number, key, value) for key, value in tags.items()],
            )

    def collection(self, collection_id: str) -> StoredCollection:
        """Raises ResourceNotFoundException."""
        with self._connections.reading() as connection:
            return _collection(connection, collection_id)

    def collections(self, after: int, limit: int) -> list[StoredCollection]:
        """The collections made after the one of that number, oldest first."""
        with self._connections.reading() as connection:
            rows = connection.execute(
                _COLLECTIONS + "WHERE number > ? ORDER BY number LIMIT ?", (after, limit)
            ).fetchall()
        return [_stored_collection(row) for row in rows]

    def totals(self) -> tuple[int, int, int]:
        """How many collections there are, and how many faces and users they hold together."""
        with self._connections.reading() as connection:
            totals: tuple[int, int, int] = connection.execute(
                "SELECT count(*), coalesce(sum(face_count), 0), coalesce(sum(user_count), 0) FROM collections"
            ).fetchone()
        return totals

    def delete_collection(self, collection_id: str) -> int:
        """Delete a collection with all that belongs to it; its number. Raises ResourceNotFoundException."""
        with self._connections.erasing() as connection:
            number = _collection(connection, collection_id).number
            connection.execute("DELETE FROM collections WHERE number = ?", (number,))
            self.vector_files.remove(number)
        return number

    # --- faces ---

    def add_faces(
        self,
        collection_id: str,
        model_version: str,
        image_id: str,
        external_image_id: str | None,
        faces: Sequence[NewFace],
    ) -> list[StoredFace]:
        """Store the faces of one image, in their order; one stored before for this image and id is kept as it is.

        Raises ResourceNotFoundException, InvalidParameterException when the collection is of another model, and
        ValueError for a vector that is not finite: nothing could ever be found beside it.
        """
        if not all(_finite(face.vector) for face in faces):
            raise ValueError(
                f"the face model {model_version} made a vector that is not finite; nothing was stored"
            )
        with self._connections.writing() as connection:
            collection = _collection(connection, collection_id)
            if collection.model_version != model_version:
                raise errors.other_model(collection_id, collection.model_version, model_version)
            known = _select_faces(
                connection,
                "collection = ? AND image_id = ? AND external_image_id IS ?",
                (collection.number, image_id, external_image_id),
            )
            stored = []
            added = 0
            for face in faces:
                same = next((one for one in known if _overlap(one, face) >= _SAME_FACE), None)
                if same is None:
                    same = _insert(connection, collection, image_id, external_image_id, face)
                    added += 1
                else:
                    known.remove(same)
                stored.append(same)
            _count(connection, collection.number, added)
        return stored

    def faces(
        self,
        collection: int,
        after: int,
        limit: int,
        face_ids: Sequence[str] | None = None,
        user: int | None = None,
    ) -> list[StoredFace]:
        """The faces stored after the one of that number, in the order of storing.

        Of `face_ids` alone if given, and of the user of that number alone if given.
        """
        where = "collection = ? AND number > ?"
        values: list[object] = [collection, after]
        if face_ids is not None:
            where += " AND face_id IN (SELECT value FROM json_each(?))"
            values.append(json.dumps(list(face_ids)))
        if user is not None:
            where += " AND user = ?"
            values.append(user)
        with self._connections.reading() as connection:
            return _select_faces(connection, where, values, limit)

    def faces_by_number(self, collection: int, numbers: Sequence[int]) -> dict[int, StoredFace]:
        """The faces of those numbers, as far as they are still there."""
        with self._connections.reading() as connection:
            faces = _select_faces(
                connection,
                "collection = ? AND number IN (SELECT value FROM json_each(?))",
                (collection, json.dumps(list(numbers))),
            )
        return {face.number: face for face in faces}

    def vector(self, collection: int, face_id: str) -> tuple[int, bytes] | None:
        """A face's number and vector, or None when the collection does not hold it."""
        with self._connections.reading() as connection:
            found: tuple[int, bytes] | None = connection.execute(
                "SELECT number, vector FROM faces WHERE collection = ? AND face_id = ?", (collection, face_id)
            ).fetchone()
        return found

    def delete_faces(self, collection_id: str, face_ids: Sequence[str]) -> tuple[set[str], dict[str, str]]:
        """Delete faces; the ids of those that were deleted, and for those that are a user's the UserId.

        Raises ResourceNotFoundException.
        """
        with self._connections.erasing() as connection:
            number = _collection(connection, collection_id).number
            chosen = (number, json.dumps(list(face_ids)))
            kept = _select_faces(connection, _CHOSEN + " AND user IS NOT NULL", chosen)
            deleted = dict(
                connection.execute(
                    f"DELETE FROM faces WHERE {_CHOSEN} AND user IS NULL RETURNING face_id, number",  # noqa: S608
                    chosen,
                ).fetchall()
            )
            _count(connection, number, -len(deleted))
            self.vector_files.erase(number, deleted.values())
        return set(deleted), {face.face_id: str(face.user_id) for face in kept}

    @contextmanager
    def snapshot(self, collection: int) -> Iterator[Snapshot]:
        """The vectors of one collection, unmoved by what others write meanwhile."""
        with self._connections.reading() as connection:
            yield Snapshot(connection, collection)

    @contextmanager
    def settled(self, collection: int) -> Iterator[Snapshot]:
        """A snapshot during which nobody writes, in any process."""
        with self._connections.writing() as connection:
            yield Snapshot(connection, collection)


def _collection(connection: sqlite3.Connection, collection_id: str) -> StoredCollection:
    row = connection.execute(_COLLECTIONS + "WHERE collection_id = ?", (collection_id,)).fetchone()
    if row is None:
        raise errors.collection_not_found(collection_id)
    return _stored_collection(row)


def _stored_collection(row: tuple[int, str, str, float, int, int, int, int]) -> StoredCollection:
    number, collection_id, model_version, created_at, *revisions = row
    return StoredCollection(
        number, collection_id, model_version, datetime.fromtimestamp(created_at, UTC), *revisions
    )


def _select_faces(
    connection: sqlite3.Connection, where: str, parameters: Sequence[object], limit: int = -1
) -> list[StoredFace]:
    rows = connection.execute(_FACES + "WHERE " + where + " ORDER BY number LIMIT ?", (*parameters, limit))
    return [StoredFace(*row) for row in rows]


def _insert(
    connection: sqlite3.Connection,
    collection: StoredCollection,
    image_id: str,
    external_image_id: str | None,
    face: NewFace,
) -> StoredFace:
    face_id = str(uuid.uuid4())
    box = (face.left, face.top, face.width, face.height)
    metadata = (face_id, image_id, external_image_id, *box, face.confidence, collection.model_version)
    number = connection.execute(
        "INSERT INTO faces (face_id, image_id, external_image_id, left, top, width, height, confidence, "
        "model_version, collection, vector) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*metadata, collection.number, face.vector),
    ).lastrowid
    assert number is not None  # an INSERT that did not raise has one
    return StoredFace(number, *metadata)


def _count(connection: sqlite3.Connection, collection: int, more: int) -> None:
    if more:
        connection.execute(
            "UPDATE collections SET face_count = face_count + ?, revision = revision + 1 WHERE number = ?",
            (more, collection),
        )


def _finite(vector: bytes) -> bool:
    import numpy as np

    from facesearch.engine import scan

    return scan.all_finite(np.frombuffer(vector, "<f4"))


def _overlap(one: StoredFace | NewFace, other: StoredFace | NewFace) -> float:
    """What two boxes share, as a part of what they cover together."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    shared = max(width, 0.0) * max(height, 0.0)
    covered = one.width * one.height + other.width * other.height - shared
    return shared / covered if covered > 0 else 0.0
