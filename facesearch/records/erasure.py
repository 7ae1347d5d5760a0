"""Erasing people: their rows go at once, and what the service has yet to confirm is kept until it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import delete, exists, func, select, union, update
from sqlalchemy.orm import aliased

from facesearch.domain import Change, ChangeState, Collection, PhotoStatus
from facesearch.domain.erasure import ERASE_PERSON, CollectionErasure, ErasedRecords, ErasureState
from facesearch.records.changes import ChangeRecords
from facesearch.records.tables import (
    INTENT,
    ChangeRow,
    CollectionRow,
    FaceRow,
    FileRow,
    JournalRow,
    MergedRow,
    PersonRow,
    PhotoRow,
    RunRow,
    SightingRow,
)
from facesearch.records.unit import chunks

_INTENT = ChangeState.INTENT.value


class ErasureRecords(ChangeRecords):
    """People on their way out."""

    def collections_of(self, person_id: str) -> list[Collection]:
        """The collections in which something of a person may be: enrolled, tried, or to be changed."""
        known = union(
            select(FaceRow.collection).where(FaceRow.person == person_id),
            select(JournalRow.collection).where(JournalRow.person == person_id),
            select(ChangeRow.collection).where(ChangeRow.person == person_id),
        ).subquery()
        statement = select(CollectionRow).where(CollectionRow.id.in_(select(known.c[0])))
        return [_collection(row) for row in self._session.scalars(statement.order_by(CollectionRow.id))]

    def begin_erasure(self, person_id: str, under_way_since: datetime) -> ErasedRecords:
        """Write down what is to go from which collection, and delete everything about the person here.

        A photo of theirs that was about to be sent since that moment may be stored at any time still: this is
        kept as an intended IndexFaces without a face. Whoever was merged into them goes with them: collections may
        hold faces under their ids.
        """
        merged = select(MergedRow.id).where(MergedRow.person == person_id).order_by(MergedRow.id)
        ids = [person_id, *self._session.scalars(merged)]
        self._drop_settled(person_id)
        for collection in self.collections_of(person_id):
            faces = self._session.scalars(
                select(FaceRow.face_id)
                .join(CollectionRow, CollectionRow.id == FaceRow.collection)
                .where(FaceRow.person == person_id, CollectionRow.arn == collection.arn)
                .order_by(FaceRow.id)
            ).all()
            changes = [Change("DeleteFaces", face_id=face_id, person_id=person_id) for face_id in faces]
            if self._under_way(person_id, collection.arn, under_way_since):
                changes.append(Change("IndexFaces", user_id=person_id, person_id=person_id))
            changes += [Change(ERASE_PERSON, user_id=id_, person_id=person_id) for id_ in ids]
            self.intend_for(collection.arn, person_id, changes)
        return self._delete_records(person_id)

    def intend_for(self, arn: str, person_id: str, changes: Sequence[Change]) -> list[int]:
        """Intend changes that are a person's, even where others intended the same; their ids."""
        ids = self.intend_changes(arn, changes)
        for some in chunks(ids):
            self._session.execute(
                update(ChangeRow)
                .where(ChangeRow.id.in_(some))
                .values(person=person_id)
                .execution_options(synchronize_session=False)
            )
        return ids

    def unfinished_erasures(self) -> list[str]:
        """The ids of people whose erasing is not at its end, the oldest first."""
        marker, other = aliased(ChangeRow), aliased(ChangeRow)
        unfinished = (marker.state == _INTENT) | exists().where(
            other.person == marker.person, other.operation != ERASE_PERSON
        )
        statement = (
            select(marker.person)
            .where(marker.operation == ERASE_PERSON, unfinished)
            .group_by(marker.person)
            .order_by(func.min(marker.id))
        )
        return [person for person in self._session.scalars(statement) if person is not None]

    def erasure(self, person_id: str) -> list[CollectionErasure]:
        """How far the erasing of a person is; empty for somebody who was never erased from a collection."""
        rows = self._session.execute(
            select(ChangeRow, CollectionRow)
            .join(CollectionRow, CollectionRow.id == ChangeRow.collection)
            .where(ChangeRow.person == person_id)
            .order_by(ChangeRow.collection, ChangeRow.id)
        )
        by_collection = [
            (_collection(pairs[0][1]), [change for change, _ in pairs])
            for pairs in (list(group) for _, group in groupby(rows, key=lambda row: row[1].id))
        ]
        return [
            _erasure(collection, changes)
            for collection, changes in by_collection
            if any(change.operation == ERASE_PERSON for change in changes)
        ]

    def end_erasure(self, person_id: str) -> None:
        """Forget every change for a person but that they were erased."""
        self._session.execute(
            delete(ChangeRow).where(ChangeRow.person == person_id, ChangeRow.operation != ERASE_PERSON)
        )

    def being_erased(self, arn: str, external_ids: Mapping[str, str | None]) -> set[str]:
        """Those of the faces (FaceId to ExternalImageId) that are to go with their person."""
        statement = (
            select(ChangeRow.person)
            .join(CollectionRow, CollectionRow.id == ChangeRow.collection)
            .where(CollectionRow.arn == arn, ChangeRow.state == _INTENT)
        )
        people = set(self._session.scalars(statement.where(ChangeRow.operation == ERASE_PERSON)))
        if not people:
            return set()
        marked = statement.with_only_columns(ChangeRow.user_id).where(ChangeRow.operation == ERASE_PERSON)
        ids = people | set(self._session.scalars(marked))
        hidden = {id_ for id_, external in external_ids.items() if (external or "").partition(":")[0] in ids}
        hidden -= self._on_record(arn, hidden)
        for some in chunks(external_ids.keys() - hidden):
            doomed = select(ChangeRow.face_id).join(CollectionRow, CollectionRow.id == ChangeRow.collection)
            hidden.update(
                self._session.scalars(
                    doomed.where(
                        CollectionRow.arn == arn,
                        ChangeRow.state == _INTENT,
                        ChangeRow.person.in_(people),
                        ChangeRow.face_id.in_(some),
                    )
                )
            )
        return hidden

    def _on_record(self, arn: str, face_ids: Iterable[str]) -> set[str]:
        """Those of the faces that are somebody's: they were moved from whom their ExternalImageId says."""
        statement = select(FaceRow.face_id).join(CollectionRow, CollectionRow.id == FaceRow.collection)
        return {
            face_id
            for some in chunks(face_ids)
            for face_id in self._session.scalars(
                statement.where(CollectionRow.arn == arn, FaceRow.face_id.in_(some))
            )
        }

    def _under_way(self, person_id: str, arn: str, since: datetime) -> bool:
        found = self._session.scalar(
            select(JournalRow.id)
            .join(CollectionRow, CollectionRow.id == JournalRow.collection)
            .where(CollectionRow.arn == arn, JournalRow.person == person_id, JournalRow.state == INTENT)
            .where(JournalRow.intended_at >= since)
            .limit(1)
        )
        return found is not None

    def _drop_settled(self, person_id: str) -> None:
        """Forget what was changed for a person before they were to be erased."""
        self._session.execute(
            delete(ChangeRow).where(
                ChangeRow.person == person_id,
                ChangeRow.state != _INTENT,
                ChangeRow.operation != ERASE_PERSON,
            )
        )

    def _delete_records(self, person_id: str) -> ErasedRecords:
        """Everything about a person but their changes."""
        journal = JournalRow.person == person_id
        runs = self._session.scalars(select(JournalRow.run).where(journal).distinct()).all()
        tried = self._session.scalar(select(func.count()).select_from(JournalRow).where(journal)) or 0
        photos = union(
            select(FaceRow.photo).where(FaceRow.person == person_id), select(JournalRow.photo).where(journal)
        ).subquery()
        theirs = select(PhotoRow.id, PhotoRow.sha256).where(PhotoRow.id.in_(select(photos.c[0])))
        seen: dict[int, str] = {row.id: row.sha256 for row in self._session.execute(theirs)}
        faces = self._erase(FaceRow.person == person_id, journal)
        sightings = self._delete(SightingRow, SightingRow.person == person_id)
        people = self._delete(PersonRow, PersonRow.id == person_id)
        left = {
            number
            for some in chunks(seen)
            for number in self._session.scalars(select(PhotoRow.id).where(PhotoRow.id.in_(some)))
        }
        for some in chunks(sha256 for number, sha256 in seen.items() if number not in left):
            self._delete(FileRow, FileRow.sha256.in_(some))
        self._strip(left)
        for some in chunks(runs):  # what was enrolled may be a folder of the person's name
            nobody_else = ~exists().where(JournalRow.run == RunRow.id)
            self._session.execute(
                update(RunRow)
                .where(RunRow.id.in_(some), nobody_else)
                .values(source=None, reason=None)
                .execution_options(synchronize_session=False)
            )
        return ErasedRecords(people, faces, tried, len(seen) - len(left), sightings)

    def _strip(self, photos: Iterable[int]) -> None:
        """Keep of photos that somebody was said not to be in no more than that: by a sha256 of what they hold."""
        of_a_face = exists().where(FaceRow.photo == PhotoRow.id)
        tried = exists().where(JournalRow.photo == PhotoRow.id, JournalRow.state != PhotoStatus.ALREADY.value)
        for some in chunks(photos):
            chosen = (PhotoRow.id.in_(some), ~of_a_face, ~tried)
            kept = self._session.execute(
                select(PhotoRow.id, PhotoRow.sha256, PhotoRow.path).where(*chosen)
            ).all()
            self._forget_labels([(digest, path) for _, digest, path in kept])
            self._session.execute(
                update(PhotoRow)
                .where(PhotoRow.id.in_([number for number, _, _ in kept]))
                .values(path="", dhash=None)
                .execution_options(synchronize_session=False)
            )


def _erasure(collection: Collection, changes: Sequence[ChangeRow]) -> CollectionErasure:
    marker = next(change for change in changes if change.operation == ERASE_PERSON)
    made = [change for change in changes if change.operation != ERASE_PERSON]
    done = [change for change in made if change.state == ChangeState.DONE]
    state = ErasureState.PENDING if marker.state == _INTENT else ErasureState.ERASED
    if state is ErasureState.ERASED and marker.reason:
        state = ErasureState.GONE
        done = [change for change in done if change.reason != marker.reason]  # what was deleted before
    return CollectionErasure(
        collection=collection,
        state=state,
        faces=tuple(
            change.face_id for change in done if change.operation == "DeleteFaces" and change.face_id
        ),
        users=sum(change.operation == "DeleteUser" for change in done),
        request_ids=tuple(dict.fromkeys(change.request_id for change in done if change.request_id)),
        proof=marker.request_id if state is ErasureState.ERASED else None,
        asked_at=marker.intended_at,
        settled_at=marker.settled_at,
        waiting={
            change.face_id or change.user_id or collection.collection_id: change.reason or "not answered yet"
            for change in made
            if change.state == _INTENT
        },
        reason=marker.reason,
    )


def _collection(row: CollectionRow) -> Collection:
    return Collection(row.collection_id, row.arn, row.model_version, row.created_at)
