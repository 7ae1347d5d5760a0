"""Changes of a collection that were written down, made: faces taken from users and given to them, faces and users
deleted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from facesearch.domain import Change, ChangeState, Collection
from facesearch.errors import CollectionNotFoundError, InvalidRequestError, ServiceError
from facesearch.workflows.collections import FACE_NOT_FOUND
from facesearch.workflows.reconciling.ports import Database, Gateway

CREATE_USER, ASSOCIATE = "CreateUser", "AssociateFaces"
DISASSOCIATE, DELETE_FACES, DELETE_USER = "DisassociateFaces", "DeleteFaces", "DeleteUser"
AT_ONCE = 100  # faces that one AssociateFaces takes

_OF_A_USER = "ASSOCIATED_TO_AN_EXISTING_USER"
_TOO_MANY = "ServiceQuotaExceededException"
_OF_ANOTHER = "ASSOCIATED_TO_A_DIFFERENT_USER"


@dataclass(slots=True)
class Carried:
    """How changes ended: the ids of those done, and why the service refused others, by FaceId or UserId."""

    done: set[int] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)


def repeatable(change: Change) -> bool:
    """Whether a change that was left can be made by itself; those of a person are part of their erasure."""
    return change.person_id is None and change.operation in (
        CREATE_USER,
        ASSOCIATE,
        DISASSOCIATE,
        DELETE_FACES,
        DELETE_USER,
    )


def carry_out(
    gateway: Gateway, database: Database, collection: Collection, changes: Iterable[Change]
) -> Carried:
    """Make changes that are written down, and write down how each ended; records of deleted faces go with them.

    A face must leave its user before the service deletes it or gives it to another, so that these changes come
    first. What is gone already counts as done: whoever died before writing it down may have done it. Raises what
    ends a command (no answer, no rights); what was not done then stays open.
    """
    carrying = _Carrying(gateway, database, collection)
    by_operation: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_operation[change.operation].append(change)
    for user_id, some in _by_user(by_operation[DISASSOCIATE]):
        carrying.disassociate(user_id, some)
    if by_operation[DELETE_FACES]:
        carrying.delete_faces(by_operation[DELETE_FACES])
    for change in by_operation[CREATE_USER]:
        carrying.create_user(change)
    for user_id, some in _by_user(by_operation[ASSOCIATE]):
        for start in range(0, len(some), AT_ONCE):
            carrying.associate(user_id, some[start : start + AT_ONCE])
    for change in by_operation[DELETE_USER]:
        carrying.delete_user(change)
    return carrying.carried


def _by_user(changes: Iterable[Change]) -> Iterable[tuple[str, list[Change]]]:
    of_users: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        of_users[change.user_id or ""].append(change)
    return of_users.items()


class _Carrying:
    def __init__(self, gateway: Gateway, database: Database, collection: Collection) -> None:
        self.carried = Carried()
        self._gateway = gateway
        self._database = database
        self._id = collection.collection_id
        self._arn = collection.arn

    def disassociate(self, user_id: str, changes: Sequence[Change]) -> None:
        face_ids = [change.face_id for change in changes if change.face_id]
        try:
            request_id = self._gateway.disassociate_faces(self._id, user_id, face_ids)
        except CollectionNotFoundError:  # what the service says of a user that is gone
            self._done(changes, None)
        except InvalidRequestError as exc:
            self._refused(changes, {user_id: str(exc)}, str(exc))
        else:
            self._done(changes, request_id)

    def delete_faces(self, changes: Sequence[Change]) -> None:
        answer = self._gateway.delete_faces(
            self._id, [change.face_id for change in changes if change.face_id]
        )
        kept = {
            face_id: ", ".join(why) for face_id, why in answer.refused.items() if FACE_NOT_FOUND not in why
        }
        gone = [change for change in changes if change.face_id not in kept]
        self._done(gone, answer.request_id)
        for reason in set(kept.values()):
            some = [change for change in changes if kept.get(change.face_id or "") == reason]
            said = f"it belongs to a user of the collection ({reason})" if reason == _OF_A_USER else reason
            self._refused(some, {change.face_id: said for change in some if change.face_id}, said)

    def create_user(self, change: Change) -> None:
        """Make the user of somebody who is on record (still)."""
        request_id = None
        if self._is_known(change.user_id or ""):
            request_id = self._gateway.create_user(self._id, change.user_id or "")
        self._done([change], request_id)

    def associate(self, user_id: str, changes: Sequence[Change]) -> None:
        """Give faces to the user of somebody who is on record (still); a user whom others deleted is made anew."""
        if not self._is_known(user_id):
            self._done(changes, None, given=False)
            return
        face_ids = [change.face_id for change in changes if change.face_id]
        try:
            answer = self._gateway.associate_faces(self._id, user_id, face_ids)
        except CollectionNotFoundError:  # what the service says of a user that is gone
            self._gateway.create_user(self._id, user_id)
            answer = self._gateway.associate_faces(self._id, user_id, face_ids)
        except ServiceError as exc:
            if exc.code != _TOO_MANY:
                raise
            self._refused(changes, {user_id: str(exc)}, str(exc))
            return
        theirs = [change for change in changes if change.face_id not in answer.refused]
        gone = [c for c in changes if FACE_NOT_FOUND in answer.refused.get(c.face_id or "", ())]
        kept = [c for c in changes if c not in theirs and c not in gone]
        self._done(theirs, answer.request_id)
        self._done(gone, answer.request_id, given=False)
        for change in kept:
            reason = ", ".join(answer.refused[change.face_id or ""])
            said = (
                f"it belongs to another user of the collection ({reason})"
                if reason == _OF_ANOTHER
                else reason
            )
            self._refused([change], {change.face_id or "": said}, said)

    def _is_known(self, person_id: str) -> bool:
        """A user of somebody who was erased meanwhile is not made again."""
        with self._database.read() as records:
            return bool(records.names_of([person_id]))

    def delete_user(self, change: Change) -> None:
        user_id = change.user_id or ""
        try:
            request_id = self._gateway.delete_user(self._id, user_id)
        except CollectionNotFoundError:
            self._done([change], None)
        except InvalidRequestError as exc:
            self._refused([change], {user_id: str(exc)}, str(exc))
        else:
            self._done([change], request_id)

    def _done(self, changes: Sequence[Change], request_id: str | None, *, given: bool = True) -> None:
        """Write down that the changes are made; faces were `given` to users if it is not said otherwise."""
        if not changes:
            return
        ids = [change.id for change in changes if change.id is not None]
        deleted = [c.face_id for c in changes if c.operation == DELETE_FACES and c.face_id]
        users: dict[str, str | None] = {
            c.face_id: None for c in changes if c.operation == DISASSOCIATE and c.face_id
        }
        if given:
            users |= {c.face_id: c.user_id for c in changes if c.operation == ASSOCIATE and c.face_id}
        gone = [c.user_id for c in changes if c.operation == DELETE_USER and c.user_id]
        with self._database.begin() as records:
            records.give_to_users(self._arn, users)
            records.without_users(self._arn, gone)
            records.delete_faces(self._arn, deleted)
            records.settle_changes(ids, request_id=request_id)
        self.carried.done.update(ids)

    def _refused(self, changes: Sequence[Change], why: Mapping[str, str], reason: str) -> None:
        ids = [change.id for change in changes if change.id is not None]
        with self._database.begin() as records:
            records.settle_changes(ids, ChangeState.REFUSED, reason=reason)
        self.carried.refused.update(why)
