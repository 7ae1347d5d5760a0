"""Changes of collections other than enrolments: an intent before the call, its settlement after it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from facesearch.domain import Change, ChangeState
from facesearch.records.tables import CHANGES, COLLECTIONS, now
from facesearch.records.unit import AnyRow, Unit, chunks

BATCH = 4096  # what one DeleteFaces takes, and so what is asked for at a time


class ChangeRecords(Unit):
    """Intended and settled changes, by the collection they are made to."""

    def intend_changes(self, arn: str, changes: Sequence[Change]) -> list[int]:
        """Write down that the changes are about to be made. Returns their ids, in their order.

        A change that is open already (same operation, face and user) is not written twice: its id is given.
        Raises DatabaseError for a collection that is not remembered.
        """
        collection = self._collection(arn)
        known = self._open_alike(collection, changes)
        fresh = [key for key in dict.fromkeys(map(_key, changes)) if key not in known]
        people = {_key(change): change.person_id for change in changes}
        moment = now()
        rows = [
            {
                "collection": collection,
                "operation": operation,
                "face_id": face_id,
                "user_id": user_id,
                "person": people[operation, face_id, user_id],
                "state": ChangeState.INTENT.value,
                "attempts": 0,
                "intended_at": moment,
            }
            for operation, face_id, user_id in fresh
        ]
        if rows:
            numbers = self._connection.scalars(
                insert(CHANGES).returning(CHANGES.c.id, sort_by_parameter_order=True), rows
            ).all()
            known.update(zip(fresh, numbers, strict=True))
        return [known[_key(change)] for change in changes]

    def settle_changes(
        self,
        ids: Sequence[int],
        state: ChangeState = ChangeState.DONE,
        *,
        reason: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Write down that one call was made for each of these changes, and how it ended.

        INTENT says that it was tried and is not confirmed: the change stays open with the reason. Ids of rows that
        are gone (with their collection) are passed over.
        """
        settled_at = None if state is ChangeState.INTENT else now()
        for some in chunks(ids):
            self._connection.execute(
                update(CHANGES)
                .where(CHANGES.c.id.in_(some))
                .values(
                    state=state.value,
                    reason=reason,
                    request_id=request_id,
                    attempts=CHANGES.c.attempts + 1,
                    settled_at=settled_at,
                )
            )

    def open_changes(
        self, arn: str, *, person_id: str | None = None, after: int = 0, limit: int = BATCH
    ) -> list[Change]:
        """Changes that were intended and not settled, the oldest first; `after` is the last id of a page."""
        statement = (
            select(CHANGES)
            .join(COLLECTIONS, COLLECTIONS.c.id == CHANGES.c.collection)
            .where(COLLECTIONS.c.arn == arn, CHANGES.c.state == ChangeState.INTENT.value)
            .where(CHANGES.c.id > after)
            .order_by(CHANGES.c.id)
            .limit(limit)
        )
        if person_id is not None:
            statement = statement.where(CHANGES.c.person == person_id)
        return [_change(row) for row in self._connection.execute(statement)]

    def _open_alike(self, collection: int, changes: Sequence[Change]) -> dict[_Key, int]:
        """The open changes that have the face or the user of one of these."""
        statement = select(CHANGES.c.operation, CHANGES.c.face_id, CHANGES.c.user_id, CHANGES.c.id).where(
            CHANGES.c.collection == collection, CHANGES.c.state == ChangeState.INTENT.value
        )
        faces = chunks(change.face_id for change in changes if change.face_id is not None)
        users = chunks(change.user_id for change in changes if change.face_id is None and change.user_id)
        asked = [statement.where(CHANGES.c.face_id.in_(some)) for some in faces]
        asked += [statement.where(CHANGES.c.face_id.is_(None), CHANGES.c.user_id.in_(some)) for some in users]
        return {(row[0], row[1], row[2]): row[3] for one in asked for row in self._connection.execute(one)}


_Key = tuple[str, str | None, str | None]


def _key(change: Change) -> _Key:
    return change.operation, change.face_id, change.user_id


def _change(row: AnyRow) -> Change:
    return Change(
        operation=row.operation,
        face_id=row.face_id,
        user_id=row.user_id,
        person_id=row.person,
        id=row.id,
        state=ChangeState(row.state),
        reason=row.reason,
        attempts=row.attempts,
        request_id=row.request_id,
        intended_at=row.intended_at,
    )
