"""Users of a collection: each stands for the faces of one person. How they are compared: user_distance.py."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from facesearch.engine import errors, requests
from facesearch.engine.connections import Connections
from facesearch.engine.requests import Request

MAX_FACES = 100

_USERS = "SELECT number, user_id, status FROM users "


@dataclass(frozen=True, slots=True)
class StoredUser:
    """A user. `number` grows in the order of creating and is never given out twice."""

    number: int
    user_id: str
    status: str


@dataclass(frozen=True, slots=True)
class OwnedFace:
    """A face as far as users are concerned: its vector, and whose it is."""

    number: int
    vector: bytes
    user: int | None
    user_id: str | None


@dataclass(frozen=True, slots=True)
class ChangedUsers:
    """The users of a collection that changed since a revision, by number, and how many it has in all.

    `faces` are all theirs as (user, vector), those of one user together.
    """

    revision: int
    users: list[int]
    faces: list[tuple[int, bytes]]
    count: int


class Users:
    """The users in a store."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def named(self, collection: int, user_id: str) -> StoredUser:
        """Raises ResourceNotFoundException."""
        with self._connections.reading() as connection:
            return _find(connection, collection, user_id)

    def page(self, collection: int, after: int, limit: int) -> list[StoredUser]:
        """The users created after the one of that number, oldest first."""
        return self._select("number > ? ORDER BY number LIMIT ?", collection, after, limit)

    def by_number(self, collection: int, numbers: Sequence[int]) -> dict[int, StoredUser]:
        """The users of those numbers, as far as they are still there."""
        chosen = json.dumps(list(numbers))
        found = self._select("number IN (SELECT value FROM json_each(?))", collection, chosen)
        return {user.number: user for user in found}

    def vectors(self, user: StoredUser) -> list[bytes]:
        """The vectors of a user's faces."""
        with self._connections.reading() as connection:
            return _vectors(connection, user)

    def changed_since(self, collection: int, revision: int) -> ChangedUsers:
        """What changed after that revision of the collection's users, as of one moment."""
        since = (collection, revision)
        with self._connections.reading() as connection:
            latest, count = connection.execute(
                "SELECT user_revision, user_count FROM collections WHERE number = ?", (collection,)
            ).fetchone() or (revision, 0)
            users = connection.execute(
                "SELECT number FROM users WHERE collection = ? AND revision > ?", since
            ).fetchall()
            faces = connection.execute(
                "SELECT users.number, faces.vector FROM users JOIN faces ON faces.user = users.number "
                "WHERE users.collection = ? AND users.revision > ? ORDER BY users.number, faces.number",
                since,
            ).fetchall()
        return ChangedUsers(latest, [number for (number,) in users], faces, count)

    def numbers(self, collection: int) -> list[int]:
        """The numbers of all users of a collection."""
        return [user.number for user in self._select("TRUE", collection)]

    def change(
        self,
        collection_id: str,
        request: Request,
        make: Callable[[Changes, Mapping[str, Any]], dict[str, Any]],
        parameters: Mapping[str, Any],
        *,
        erasing: bool = False,
    ) -> dict[str, Any]:
        """Let `make` change users in one transaction, and give its answer; to a known request, the known answer.

        `erasing` is for what takes something away: whose a face was must not stay behind.
        Raises ResourceNotFoundException, IdempotentParameterMismatchException and what `make` raises.
        """
        with self._connections.erasing() if erasing else self._connections.writing() as connection:
            collection = _collection(connection, collection_id)
            answer = requests.answered(connection, request)
            if answer is None:
                answer = make(Changes(connection, collection), parameters)
                requests.keep(connection, collection, request, answer)
        return answer

    def _select(self, where: str, collection: int, *values: object) -> list[StoredUser]:
        with self._connections.reading() as connection:
            rows = connection.execute(_USERS + "WHERE collection = ? AND " + where, (collection, *values))
            return [StoredUser(*row) for row in rows]


class Changes:
    """What may be done to the users of one collection within one transaction."""

    def __init__(self, connection: sqlite3.Connection, collection: int) -> None:
        self._connection = connection
        self._collection = collection

    def named(self, user_id: str) -> StoredUser:
        """Raises ResourceNotFoundException."""
        return _find(self._connection, self._collection, user_id)

    def add_user(self, user_id: str) -> None:
        """Raises ConflictException when the id is taken."""
        try:
            self._connection.execute(
                "INSERT INTO users (collection, user_id, revision) VALUES (?, ?, ?)",
                (self._collection, user_id, self._next_revision(1)),
            )
        except sqlite3.IntegrityError:
            raise errors.user_exists(user_id) from None

    def remove_user(self, user: StoredUser) -> None:
        """The user's faces stay in the collection, and are nobody's."""
        self._next_revision(-1)
        self._connection.execute("DELETE FROM users WHERE number = ?", (user.number,))

    def owned_faces(self, face_ids: Sequence[str]) -> dict[str, OwnedFace]:
        """The faces of those ids that the collection holds, by id."""
        rows = self._connection.execute(
            "SELECT face_id, faces.number, faces.vector, user, user_id "
            "FROM faces LEFT JOIN users ON users.number = faces.user "
            "WHERE faces.collection = ? AND face_id IN (SELECT value FROM json_each(?))",
            (self._collection, json.dumps(list(face_ids))),
        )
        return {face_id: OwnedFace(*rest) for face_id, *rest in rows}

    def vectors(self, user: StoredUser) -> list[bytes]:
        """The vectors of the user's faces."""
        return _vectors(self._connection, user)

    def hand_over(self, faces: Sequence[OwnedFace], user: StoredUser, to: StoredUser | None) -> str:
        """Make these faces those of `to`, `user` itself or nobody; the status that the user has then."""
        if not faces:
            return user.status
        self._connection.execute(
            "UPDATE faces SET user = ? WHERE number IN (SELECT value FROM json_each(?))",
            (to.number if to else None, json.dumps([face.number for face in faces])),
        )
        self._connection.execute(
            "UPDATE users SET status = 'ACTIVE', revision = ? WHERE number = ?",
            (self._next_revision(0), user.number),
        )
        return "ACTIVE"

    def _next_revision(self, more_users: int) -> int:
        (revision,) = self._connection.execute(
            "UPDATE collections SET user_count = user_count + ?, user_revision = user_revision + 1 "
            "WHERE number = ? RETURNING user_revision",
            (more_users, self._collection),
        ).fetchone()
        return int(revision)


def _collection(connection: sqlite3.Connection, collection_id: str) -> int:
    found = connection.execute(
        "SELECT number FROM collections WHERE collection_id = ?", (collection_id,)
    ).fetchone()
    if found is None:
        raise errors.collection_not_found(collection_id)
    return int(found[0])


def _find(connection: sqlite3.Connection, collection: int, user_id: str) -> StoredUser:
    found = connection.execute(
        _USERS + "WHERE collection = ? AND user_id = ?", (collection, user_id)
    ).fetchone()
    if found is None:
        raise errors.user_not_found(user_id)
    return StoredUser(*found)


def _vectors(connection: sqlite3.Connection, user: StoredUser) -> list[bytes]:
    rows = connection.execute("SELECT vector FROM faces WHERE user = ? ORDER BY number", (user.number,))
    return [vector for (vector,) in rows]
