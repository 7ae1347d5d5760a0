"""Faces that must leave a collection again, since they are not the one that was chosen of a photo.

They are written down and then deleted many at a time, for the service takes far fewer calls of DeleteFaces than of
IndexFaces. A run that dies in between leaves intents, which the next one carries out.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from facesearch.domain import Change, ChangeState, Collection
from facesearch.errors import ServiceUnavailableError, ThrottledError
from facesearch.workflows.collections import FACE_NOT_FOUND
from facesearch.workflows.enrolling.ports import Database, Gateway, Records

DELETE_FACES = "DeleteFaces"
MANY = 100  # faces that are worth a call
WAIT = 1.0  # seconds that fewer faces wait for others


class Superfluous:
    """The superfluous faces of one collection, from the intent to the settlement."""

    def __init__(self, gateway: Gateway, database: Database, collection: Collection) -> None:
        self._gateway = gateway
        self._database = database
        self._collection = collection
        self._waiting: dict[str, int] = {}  # the change of each face
        self._deleted_at = time.monotonic()

    def take_up(self) -> None:
        """Delete what earlier runs left."""
        after = 0
        while True:
            with self._database.read() as records:
                page = records.open_changes(self._collection.arn, after=after)
            if not page:
                return
            for change in page:  # those of a person are the business of their erasure
                if change.operation == DELETE_FACES and change.person_id is None:
                    assert change.face_id is not None and change.id is not None, "DeleteFaces is of faces"
                    self._waiting[change.face_id] = change.id
            self.delete()
            after = page[-1].id or after

    def intend(self, records: Records, face_ids: Iterable[str]) -> None:
        """Write down that the faces are about to be deleted."""
        fresh = list(dict.fromkeys(face_ids))
        if fresh:
            changes = [Change(DELETE_FACES, face_id) for face_id in fresh]
            ids = records.intend_changes(self._collection.arn, changes)
            self._waiting.update(zip(fresh, ids, strict=True))

    def delete_if_due(self) -> None:
        """Delete them when they are many, or have waited."""
        if len(self._waiting) >= MANY or (self._waiting and time.monotonic() - self._deleted_at >= WAIT):
            self.delete()

    def delete(self) -> None:
        """Delete them now. What the service does not confirm stays written down for the next run."""
        if not self._waiting:
            return
        changes, self._waiting = self._waiting, {}
        self._deleted_at = time.monotonic()
        try:
            answer = self._gateway.delete_faces(self._collection.collection_id, list(changes))
        except (ThrottledError, ServiceUnavailableError) as exc:
            with self._database.begin() as records:
                records.settle_changes(
                    list(changes.values()), ChangeState.INTENT, reason=str(exc), request_id=exc.request_id
                )
            return
        gone = [*answer.deleted, *(id_ for id_, why in answer.refused.items() if FACE_NOT_FOUND in why)]
        with self._database.begin() as records:
            records.settle_changes([changes.pop(face_id) for face_id in gone if face_id in changes])
            records.drop_faces(self._collection.arn, gone)
            for face_id, change in changes.items():
                reasons = ", ".join(answer.refused.get(face_id, ())) or "the service did not say"
                records.settle_changes([change], ChangeState.INTENT, reason=reasons)
