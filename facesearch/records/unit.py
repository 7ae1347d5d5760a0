"""What every part of the records stands on: one transaction, and the few statements they share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Row, Table, delete, exists, or_, select, union

from facesearch.errors import DatabaseError
from facesearch.records.tables import COLLECTIONS, FACES, JOURNAL, PHOTOS, TAGGED

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

AnyRow: TypeAlias = Row[*tuple[Any, ...]]  # whose columns are asked for by name

CHUNK = 1000  # values in one statement; SQLite's own limit is 32,766


class Unit:
    """One transaction on the records. It never commits; the database that made it does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """An INSERT that can say ON CONFLICT."""
        if self._connection.dialect.name == "postgresql":
            from sqlalchemy.dialects import postgresql

            return postgresql.insert(table)
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)

    def _upsert(
        self,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        unique: Iterable[str],
        changed: Iterable[str],
    ) -> None:
        """Add the rows; one that is there already, by its `unique` columns, gets the `changed` ones."""
        if rows:
            statement = self._insert(table)
            overwrite = {name: statement.excluded[name] for name in changed}
            self._connection.execute(
                statement.on_conflict_do_update(index_elements=list(unique), set_=overwrite), rows
            )

    def _collection(self, arn: str) -> int:
        """The row number of a remembered collection."""
        found = self._connection.scalar(select(COLLECTIONS.c.id).where(COLLECTIONS.c.arn == arn))
        if found is None:
            raise DatabaseError(
                f"the records hold no collection {arn}, deleted by another command: run the same command again"
            )
        return found

    def _erase(self, faces: ColumnElement[bool], journal: ColumnElement[bool]) -> int:
        """Delete the chosen faces and journal rows, and the photos that nothing refers to any more.

        Returns how many face records went. The journal goes first, so that its choice may look at the faces.
        """
        photos = union(select(FACES.c.photo).where(faces), select(JOURNAL.c.photo).where(journal))
        touched = self._connection.scalars(photos).all()
        self._delete(JOURNAL, journal)
        erased = self._delete(FACES, faces)
        unused = (
            ~exists().where(JOURNAL.c.photo == PHOTOS.c.id),
            ~exists().where(FACES.c.photo == PHOTOS.c.id),
        )
        for chunk in chunks(touched):
            leaving = (PHOTOS.c.id.in_(chunk), *unused)
            photos_gone = self._connection.execute(
                select(PHOTOS.c.sha256, PHOTOS.c.path).where(*leaving)
            ).all()
            self._forget_labels([(digest, path) for digest, path in photos_gone])
            self._delete(PHOTOS, *leaving)
        return erased

    def _forget_labels(self, photos: Sequence[tuple[str, str]]) -> None:
        """Forget what photos show, by their sha256 and path: what they are called may say who is in them."""
        if photos:
            digests = [digest for digest, _ in photos]
            path_ids = [path_id(path) for _, path in photos]
            self._delete(TAGGED, or_(TAGGED.c.digest.in_(digests), TAGGED.c.path_id.in_(path_ids)))

    def _delete(self, table: Table, *conditions: ColumnElement[bool]) -> int:
        """Delete the rows for which all conditions hold, and return how many there were."""
        return self._connection.execute(delete(table).where(*conditions)).rowcount


def path_id(path: str) -> str:
    """64 hex digits for a path, since an index takes no long text."""
    return sha256(path.encode("utf-8", "surrogatepass")).hexdigest()


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values, once each and in their order, in lists that fit into one statement."""
    rest = iter(dict.fromkeys(values))
    while chunk := list(islice(rest, size)):
        yield chunk
