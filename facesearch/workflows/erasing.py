"""Erasing a person: out of the records at once, out of every collection until the service has proved it.

One transaction writes down what must go from which collection and deletes all that the records hold of the
person: from then on nobody finds them, whatever happens next. Then, for each collection: their users and faces
are deleted, the whole collection is listed for faces that carry their id and that no record knows (of an enrolment
that was killed, or that goes on in another process), and the faces are asked for by id once more. What is not
confirmed stays written down as intended, and is tried again by the next erasing.

An enrolment that is under way finds its intents gone and stops; a call of it that was sent before may still be
answered. So a collection into which a photo of the person was on its way is not taken for clean before such a call
must have ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Collection as Several
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Protocol

from facesearch.domain import Change, ChangeState, Collection, Face, FaceDeletion, Person
from facesearch.domain.adoption import ours
from facesearch.domain.erasure import ERASE_PERSON, CollectionErasure, ErasedRecords, Erasure, ErasureState
from facesearch.domain.faces import FaceListing
from facesearch.domain.reconciliation import RecordedFace
from facesearch.errors import (
    CollectionNotFoundError,
    ServiceError,
    ServiceUnavailableError,
    ThrottledError,
    UsageError,
)
from facesearch.workflows import collections, people
from facesearch.workflows.collections import FACE_NOT_FOUND

UNDER_WAY = timedelta(minutes=15)  # from the intent of a photo to the last answer that its call can have
ROUNDS = 3  # in which what was not confirmed is tried again at once
PAUSE = 1.0  # seconds before the second round; twice as long before each further one
BATCH = 4096  # faces in one DeleteFaces


class Gateway(collections.Gateway, Protocol):
    """What erasing asks of Rekognition."""

    def list_faces(self, collection_id: str, face_ids: Sequence[str]) -> FaceListing: ...
    def delete_faces(self, collection_id: str, face_ids: Sequence[str]) -> FaceDeletion: ...
    def list_users(self, collection_id: str) -> Iterator[str]: ...
    def faces_of_user(self, collection_id: str, user_id: str) -> list[Face]: ...
    def delete_user(self, collection_id: str, user_id: str) -> str | None: ...
    def disassociate_faces(self, collection_id: str, user_id: str, face_ids: Sequence[str]) -> str | None: ...


class Records(people.Records, Protocol):
    """What erasing asks of the records."""

    def collections_of(self, person_id: str) -> list[Collection]: ...
    def begin_erasure(self, person_id: str, under_way_since: datetime) -> ErasedRecords: ...
    def recorded_faces(self, arn: str, face_ids: Sequence[str]) -> Mapping[str, RecordedFace]: ...
    def intend_for(self, arn: str, person_id: str, changes: Sequence[Change]) -> list[int]: ...
    def settle_changes(
        self,
        ids: Sequence[int],
        state: ChangeState = ...,
        *,
        reason: str | None = ...,
        request_id: str | None = ...,
    ) -> None: ...
    def open_changes(
        self, arn: str, *, person_id: str | None = None, after: int = 0, limit: int = ...
    ) -> list[Change]: ...
    def unfinished_erasures(self) -> list[str]: ...
    def erasure(self, person_id: str) -> list[CollectionErasure]: ...
    def end_erasure(self, person_id: str) -> None: ...


class Database(Protocol):
    """Gives transactions that write, and ones that only read."""

    def begin(self) -> AbstractContextManager[Records]: ...
    def read(self) -> AbstractContextManager[Records]: ...


WriteDown = Callable[[Erasure, Person | None], Erasure]  # gives it back with where it was written


def erase(
    gateway: Gateway, database: Database, ref: str, write_down: WriteDown, gone: Several[str] = ()
) -> Erasure:
    """Erase a person, or go on with an erasing that is pending, by the person's id.

    `write_down` keeps the receipt: of what is intended before anything is done, and of what was done after it.
    `gone` are the ARNs of collections that no longer exist. Raises UsageError, before anything is deleted, when
    the person may have faces in a collection that is neither on this engine nor among these.
    """
    with database.read() as records:
        known = None if ref in records.unfinished_erasures() else people.find(records, ref)
        person_id = known.id if known else ref
        places = records.collections_of(person_id) if known else _pending(records, person_id)
    missing = _missing(gateway, places, gone)
    erased = None
    if known:
        with database.begin() as records:
            erased = records.begin_erasure(person_id, datetime.now(UTC) - UNDER_WAY)
            write_down(_erasure(records, person_id, erased), known)
    with database.begin() as records:
        for arn, reason in missing.items():
            _settle_all(records, arn, person_id, reason)
    return replace(carry_on(gateway, database, person_id, write_down), records=erased)


def unfinished(database: Database) -> list[str]:
    """The ids of people whose erasing is not at its end."""
    with database.read() as records:
        return records.unfinished_erasures()


def carry_on(gateway: Gateway, database: Database, person_id: str, write_down: WriteDown) -> Erasure:
    """Go on with the erasing of a person in the collections that are on this engine."""
    with database.read() as records:
        pending = _pending(records, person_id)
    for collection in pending:
        _Erasing(gateway, database, collection, person_id).carry_out()
    with database.read() as records:
        erasure = write_down(_erasure(records, person_id), None)
    if erasure.state is ErasureState.ERASED:
        with database.begin() as records:
            records.end_erasure(person_id)
    return erasure


class _Erasing:
    """The erasing of one person in one collection."""

    def __init__(self, gateway: Gateway, database: Database, collection: Collection, person_id: str) -> None:
        self._gateway = gateway
        self._database = database
        self._collection = collection
        self._arn = collection.arn
        self._id = collection.collection_id
        self._person_id = person_id

    def carry_out(self) -> None:
        """Delete and ask until nothing is left; what stays unconfirmed is written down with the reason."""
        for round_ in range(ROUNDS):
            if round_:
                time.sleep(PAUSE * 2 ** (round_ - 1))  # a service may take seconds to show what it has done
            try:
                if not collections.is_here(self._gateway, self._collection):
                    self._not_yet("the collection is not on this engine")
                    return
                proof = self._round()
            except (ThrottledError, ServiceUnavailableError) as exc:
                self._not_yet(str(exc), exc.request_id)
            except ServiceError as exc:
                self._not_yet(str(exc), exc.request_id)
                return
            else:
                if proof is not None:
                    self._settle(proof)
                    return

    def _round(self) -> FaceListing | None:
        """Delete what is there. Gives the listing that proves it, or None when something is left."""
        known = self._known()
        there = self._gateway.list_faces(self._id, list(known))
        self._not_there(known, there)
        self._remove(there.faces)
        self._remove(self._swept())
        self._delete_own_users()
        with self._database.read() as records:
            done = [one for one in records.erasure(self._person_id) if one.collection.arn == self._arn]
        proof = self._gateway.list_faces(self._id, [*self._known(), *(f for one in done for f in one.faces)])
        if not proof.faces and not self._known():
            return proof
        self._not_yet("the service still lists faces of the person", proof.request_id)
        return None

    def _settle(self, proof: FaceListing) -> None:
        """Write down that the collection is without the person, unless a photo may still be on its way."""
        with self._database.begin() as records:
            changes = self._open(records)
            sent = [change for change in changes if change.operation == "IndexFaces"]
            until = max((c.intended_at + UNDER_WAY for c in sent if c.intended_at), default=None)
            late = until is not None and datetime.now(UTC) < until
            if late:
                when = f"{until:%Y-%m-%d %H:%M:%S} UTC"
                reason = f"a photo was on its way when the erasing began: look again after {when}"
                records.settle_changes(_ids(changes), ChangeState.INTENT, reason=reason)
            else:
                records.settle_changes(_ids(changes), request_id=proof.request_id)

    def _known(self) -> dict[str, int]:
        """The faces that are to go and not confirmed, each with its change."""
        with self._database.read() as records:
            changes = self._open(records)
        return {c.face_id: c.id for c in changes if c.operation == "DeleteFaces" and c.face_id and c.id}

    def _open(self, records: Records) -> list[Change]:
        changes: list[Change] = []
        while page := records.open_changes(
            self._arn, person_id=self._person_id, after=changes[-1].id or 0 if changes else 0
        ):
            changes += page
        return changes

    def _not_there(self, known: Mapping[str, int], there: FaceListing) -> None:
        present = {face.face_id for face in there.faces}
        absent = [change for face_id, change in known.items() if face_id not in present]
        if absent:
            with self._database.begin() as records:
                records.settle_changes(absent, reason=FACE_NOT_FOUND, request_id=there.request_id)

    @cached_property
    def _ids(self) -> set[str]:
        """The ids that the collection may have of the person: their own, and of whoever was merged into them."""
        with self._database.read() as records:
            marks = [c.user_id for c in self._open(records) if c.operation == ERASE_PERSON]
        return {self._person_id, *(id_ for id_ in marks if id_)}

    def _swept(self) -> list[Face]:
        """The faces of the whole collection that are the person's, by what it says, and nobody's in the records.

        A face that is on record was moved to somebody else since it was sent: the person's own records are gone.
        """
        found: list[Face] = []
        for page in self._gateway.pages_of_faces(self._id):
            theirs = [face for face in page if _says(face) & self._ids]
            if theirs:
                with self._database.read() as records:
                    kept = records.recorded_faces(self._arn, [face.face_id for face in theirs])
                found += [face for face in theirs if face.face_id not in kept]
        return found

    def _remove(self, faces: Sequence[Face]) -> None:
        """Delete faces, and their users first."""
        if not faces:
            return
        face_ids = [face.face_id for face in faces]
        changes = [Change("DeleteFaces", face_id, person_id=self._person_id) for face_id in face_ids]
        with self._database.begin() as records:
            numbers = dict(
                zip(face_ids, records.intend_for(self._arn, self._person_id, changes), strict=True)
            )
        for user_id in dict.fromkeys(face.user_id for face in faces if face.user_id):
            self._release(user_id, set(numbers))
        for start in range(0, len(face_ids), BATCH):
            self._delete(face_ids[start : start + BATCH], numbers)

    def _delete(self, face_ids: list[str], numbers: Mapping[str, int]) -> None:
        answer = self._gateway.delete_faces(self._id, face_ids)
        ends: dict[tuple[ChangeState, str | None], list[int]] = {}
        for face_id in answer.deleted:
            ends.setdefault((ChangeState.DONE, None), []).append(numbers[face_id])
        for face_id, reasons in answer.refused.items():
            state = ChangeState.DONE if FACE_NOT_FOUND in reasons else ChangeState.INTENT
            ends.setdefault((state, ", ".join(reasons)), []).append(numbers[face_id])
        with self._database.begin() as records:
            for (state, reason), ids in ends.items():
                records.settle_changes(ids, state, reason=reason, request_id=answer.request_id)

    def _delete_own_users(self) -> None:
        """Delete the user that has the person's id, with or without faces, and those of whoever was merged."""
        if self._gateway.describe_collection(self._id).user_count:
            for user_id in [id_ for id_ in self._gateway.list_users(self._id) if id_ in self._ids]:
                self._release(user_id, set())

    def _release(self, user_id: str, theirs: set[str]) -> None:
        """Delete a user who is the person; take their faces from one who has those of others too."""
        try:
            face_ids = {face.face_id for face in self._gateway.faces_of_user(self._id, user_id)}
            if user_id not in self._ids and face_ids - theirs:
                self._gateway.disassociate_faces(self._id, user_id, sorted(face_ids & theirs))
                return
            change = Change("DeleteUser", user_id=user_id, person_id=self._person_id)
            with self._database.begin() as records:
                ids = records.intend_for(self._arn, self._person_id, [change])
            request_id = self._gateway.delete_user(self._id, user_id)
        except CollectionNotFoundError:
            self._gateway.describe_collection(self._id)  # raises if it is the collection that is gone
            return
        with self._database.begin() as records:
            records.settle_changes(ids, request_id=request_id)

    def _not_yet(self, reason: str, request_id: str | None = None) -> None:
        """Write down why the collection is not known to be without the person."""
        with self._database.begin() as records:
            marks = [c for c in self._open(records) if c.operation == ERASE_PERSON]
            records.settle_changes(_ids(marks), ChangeState.INTENT, reason=reason, request_id=request_id)


def _says(face: Face) -> set[str]:
    """Whose a face of ours is by what the collection says: by its ExternalImageId, and by its user."""
    said = ours(face.external_image_id)
    return {said[0], face.user_id or said[0]} if said else set()


def _pending(records: Records, person_id: str) -> list[Collection]:
    return [one.collection for one in records.erasure(person_id) if one.state is ErasureState.PENDING]


def _missing(gateway: Gateway, places: Sequence[Collection], gone: Several[str]) -> Mapping[str, str]:
    """The collections that are no more, by ARN with the reason. Raises UsageError for one that is elsewhere."""
    unknown = set(gone) - {collection.arn for collection in places}
    if unknown:
        raise UsageError(f"the records know of no face of theirs in {', '.join(sorted(unknown))}")
    missing: dict[str, str] = {}
    owner = None
    for collection in places:
        here = collections.is_here(gateway, collection)
        if here and collection.arn in gone:
            raise UsageError(f"{collection.arn} is there: it is erased from like the others")
        if here:
            continue
        owner = owner or next((_owner(other) for other in collections.listed(gateway)), None)
        if collection.arn in gone:
            missing[collection.arn] = "it was said to be no more"
        elif _owner(collection) == owner:
            missing[collection.arn] = "it is no more"
        else:
            raise UsageError(
                f"they may have faces in {collection.arn}, which is not on this engine: run the same with the "
                "--engine that holds it, and AWS credentials of its account; or, if it no longer exists, "
                f"with --gone {collection.arn}"
            )
    return missing


def _owner(collection: Collection) -> str:
    """Partition, region and account."""
    return collection.arn.rpartition(":collection/")[0]


def _settle_all(records: Records, arn: str, person_id: str, reason: str) -> None:
    """Nothing is left to do in a collection that is no more."""
    while changes := records.open_changes(arn, person_id=person_id):
        records.settle_changes(_ids(changes), ChangeState.DONE, reason=reason)


def _erasure(records: Records, person_id: str, erased: ErasedRecords | None = None) -> Erasure:
    places = tuple(records.erasure(person_id))
    asked_at = min((one.asked_at for one in places), default=datetime.now(UTC))
    return Erasure(person_id, asked_at, places, erased)


def _ids(changes: Sequence[Change]) -> list[int]:
    return [change.id for change in changes if change.id is not None]
