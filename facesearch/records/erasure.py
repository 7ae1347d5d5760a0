"""Erasing people: their rows go at once, and what the service has yet to confirm is kept until it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import delete, exists, func, select, union, update

from facesearch.domain import Change, ChangeState, Collection, PhotoStatus
from facesearch.domain.erasure import ERASE_PERSON, CollectionErasure, ErasedRecords, ErasureState
from facesearch.records.changes import ChangeRecords
from facesearch.records.collections import DESCRIBED, collection_of
from facesearch.records.tables import (
    CHANGES,
    COLLECTIONS,
    FACES,
    FILES,
    INTENT,
    JOURNAL,
    MERGED,
    PEOPLE,
    PHOTOS,
    RUNS,
    SIGHTINGS,
)
from facesearch.records.unit import AnyRow, chunks

_INTENT = ChangeState.INTENT.value


class ErasureRecords(ChangeRecords):
    """People on their way out."""

    def collections_of(self, person_id: str) -> list[Collection]:
        """The collections in which something of a person may be: enrolled, tried, or to be changed."""
        known = union(
            select(FACES.c.collection).where(FACES.c.person == person_id),
            select(JOURNAL.c.collection).where(JOURNAL.c.person == person_id),
            select(CHANGES.c.collection).where(CHANGES.c.person == person_id),
        ).subquery()
        statement = select(*DESCRIBED).where(COLLECTIONS.c.id.in_(select(known.c[0])))
        return [collection_of(row) for row in self._connection.execute(statement.order_by(COLLECTIONS.c.id))]

    def begin_erasure(self, person_id: str, under_way_since: datetime) -> ErasedRecords:
        """Write down what is to go from which collection, and delete everything about the person here.

        A photo of theirs that was about to be sent since that moment may be stored at any time still: this is
        kept as an intended IndexFaces without a face. Whoever was merged into them goes with them: collections may
        hold faces under their ids.
        """
        merged = select(MERGED.c.id).where(MERGED.c.person == person_id).order_by(MERGED.c.id)
        ids = [person_id, *self._connection.scalars(merged)]
        self._drop_settled(person_id)
        for where in self.collections_of(person_id):
            faces = self._connection.scalars(
                select(FACES.c.face_id)
                .join(COLLECTIONS, COLLECTIONS.c.id == FACES.c.collection)
                .where(FACES.c.person == person_id, COLLECTIONS.c.arn == where.arn)
                .order_by(FACES.c.id)
            ).all()
            changes = [Change("DeleteFaces", face_id=face_id, person_id=person_id) for face_id in faces]
            if self._under_way(person_id, where.arn, under_way_since):
                changes.append(Change("IndexFaces", user_id=person_id, person_id=person_id))
            changes += [Change(ERASE_PERSON, user_id=id_, person_id=person_id) for id_ in ids]
            self.intend_for(where.arn, person_id, changes)
        return self._delete_records(person_id)

    def intend_for(self, arn: str, person_id: str, changes: Sequence[Change]) -> list[int]:
        """Intend changes that are a person's, even where others intended the same; their ids."""
        ids = self.intend_changes(arn, changes)
        for some in chunks(ids):
            self._connection.execute(update(CHANGES).where(CHANGES.c.id.in_(some)).values(person=person_id))
        return ids

    def unfinished_erasures(self) -> list[str]:
        """The ids of people whose erasing is not at its end, the oldest first."""
        marker, other = CHANGES.alias(), CHANGES.alias()
        unfinished = (marker.c.state == _INTENT) | exists().where(
            other.c.person == marker.c.person, other.c.operation != ERASE_PERSON
        )
        statement = (
            select(marker.c.person)
            .where(marker.c.operation == ERASE_PERSON, unfinished)
            .group_by(marker.c.person)
            .order_by(func.min(marker.c.id))
        )
        return [person for person in self._connection.scalars(statement) if person is not None]

    def erasure(self, person_id: str) -> list[CollectionErasure]:
        """How far the erasing of a person is; empty for somebody who was never erased from a collection."""
        rows = self._connection.execute(
            select(CHANGES, *DESCRIBED)
            .join(COLLECTIONS, COLLECTIONS.c.id == CHANGES.c.collection)
            .where(CHANGES.c.person == person_id)
            .order_by(CHANGES.c.collection, CHANGES.c.id)
        )
        by_collection = [list(group) for _, group in groupby(rows, key=lambda row: row.arn)]
        return [
            _erasure(collection_of(changes[0]), changes)
            for changes in by_collection
            if any(change.operation == ERASE_PERSON for change in changes)
        ]

    def end_erasure(self, person_id: str) -> None:
        """Forget every change for a person but that they were erased."""
        self._connection.execute(
            delete(CHANGES).where(CHANGES.c.person == person_id, CHANGES.c.operation != ERASE_PERSON)
        )

    def being_erased(self, arn: str, external_ids: Mapping[str, str | None]) -> set[str]:
        """Those of the faces (FaceId to ExternalImageId) that are to go with their person."""
        statement = (
            select(CHANGES.c.person)
            .join(COLLECTIONS, COLLECTIONS.c.id == CHANGES.c.collection)
            .where(COLLECTIONS.c.arn == arn, CHANGES.c.state == _INTENT)
        )
        people = set(self._connection.scalars(statement.where(CHANGES.c.operation == ERASE_PERSON)))
        if not people:
            return set()
        marked = statement.with_only_columns(CHANGES.c.user_id).where(CHANGES.c.operation == ERASE_PERSON)
        ids = people | set(self._connection.scalars(marked))
        hidden = {id_ for id_, external in external_ids.items() if (external or "").partition(":")[0] in ids}
        hidden -= self._on_record(arn, hidden)
        for some in chunks(external_ids.keys() - hidden):
            doomed = select(CHANGES.c.face_id).join(COLLECTIONS, COLLECTIONS.c.id == CHANGES.c.collection)
            hidden.update(
                self._connection.scalars(
                    doomed.where(
                        COLLECTIONS.c.arn == arn,
                        CHANGES.c.state == _INTENT,
                        CHANGES.c.person.in_(people),
                        CHANGES.c.face_id.in_(some),
                    )
                )
            )
        return hidden

    def _on_record(self, arn: str, face_ids: Iterable[str]) -> set[str]:
        """Those of the faces that are somebody's: they were moved from whom their ExternalImageId says."""
        statement = select(FACES.c.face_id).join(COLLECTIONS, COLLECTIONS.c.id == FACES.c.collection)
        return {
            face_id
            for some in chunks(face_ids)
            for face_id in self._connection.scalars(
                statement.where(COLLECTIONS.c.arn == arn, FACES.c.face_id.in_(some))
            )
        }

    def _under_way(self, person_id: str, arn: str, since: datetime) -> bool:
        found = self._connection.scalar(
            select(JOURNAL.c.id)
            .join(COLLECTIONS, COLLECTIONS.c.id == JOURNAL.c.collection)
            .where(COLLECTIONS.c.arn == arn, JOURNAL.c.person == person_id, JOURNAL.c.state == INTENT)
            .where(JOURNAL.c.intended_at >= since)
            .limit(1)
        )
        return found is not None

    def _drop_settled(self, person_id: str) -> None:
        """Forget what was changed for a person before they were to be erased."""
        self._connection.execute(
            delete(CHANGES).where(
                CHANGES.c.person == person_id,
                CHANGES.c.state != _INTENT,
                CHANGES.c.operation != ERASE_PERSON,
            )
        )

    def _delete_records(self, person_id: str) -> ErasedRecords:
        """Everything about a person but their changes."""
        journal = JOURNAL.c.person == person_id
        runs = self._connection.scalars(select(JOURNAL.c.run).where(journal).distinct()).all()
        tried = self._connection.scalar(select(func.count()).select_from(JOURNAL).where(journal)) or 0
        photos = union(
            select(FACES.c.photo).where(FACES.c.person == person_id), select(JOURNAL.c.photo).where(journal)
        ).subquery()
        theirs = select(PHOTOS.c.id, PHOTOS.c.sha256).where(PHOTOS.c.id.in_(select(photos.c[0])))
        seen: dict[int, str] = {row.id: row.sha256 for row in self._connection.execute(theirs)}
        faces = self._erase(FACES.c.person == person_id, journal)
        sightings = self._delete(SIGHTINGS, SIGHTINGS.c.person == person_id)
        people = self._delete(PEOPLE, PEOPLE.c.id == person_id)
        left = {
            number
            for some in chunks(seen)
            for number in self._connection.scalars(select(PHOTOS.c.id).where(PHOTOS.c.id.in_(some)))
        }
        for some in chunks(sha256 for number, sha256 in seen.items() if number not in left):
            self._delete(FILES, FILES.c.sha256.in_(some))
        self._strip(left)
        for some in chunks(runs):  # what was enrolled may be a folder of the person's name
            nobody_else = ~exists().where(JOURNAL.c.run == RUNS.c.id)
            self._connection.execute(
                update(RUNS).where(RUNS.c.id.in_(some), nobody_else).values(source=None, reason=None)
            )
        return ErasedRecords(people, faces, tried, len(seen) - len(left), sightings)

    def _strip(self, photos: Iterable[int]) -> None:
        """Keep of photos that somebody was said not to be in no more than that: by a sha256 of what they hold."""
        of_a_face = exists().where(FACES.c.photo == PHOTOS.c.id)
        tried = exists().where(JOURNAL.c.photo == PHOTOS.c.id, JOURNAL.c.state != PhotoStatus.ALREADY.value)
        for some in chunks(photos):
            chosen = (PHOTOS.c.id.in_(some), ~of_a_face, ~tried)
            kept = self._connection.execute(
                select(PHOTOS.c.id, PHOTOS.c.sha256, PHOTOS.c.path).where(*chosen)
            ).all()
            self._forget_labels([(digest, path) for _, digest, path in kept])
            self._connection.execute(
                update(PHOTOS)
                .where(PHOTOS.c.id.in_([number for number, _, _ in kept]))
                .values(path="", dhash=None)
            )


def _erasure(where: Collection, changes: Sequence[AnyRow]) -> CollectionErasure:
    marker = next(change for change in changes if change.operation == ERASE_PERSON)
    made = [change for change in changes if change.operation != ERASE_PERSON]
    done = [change for change in made if change.state == ChangeState.DONE]
    state = ErasureState.PENDING if marker.state == _INTENT else ErasureState.ERASED
    if state is ErasureState.ERASED and marker.reason:
        state = ErasureState.GONE
        done = [change for change in done if change.reason != marker.reason]  # what was deleted before
    return CollectionErasure(
        collection=where,
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
            change.face_id or change.user_id or where.collection_id: change.reason or "not answered yet"
            for change in made
            if change.state == _INTENT
        },
        reason=marker.reason,
    )
