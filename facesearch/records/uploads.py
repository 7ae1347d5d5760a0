"""Photos by where they lie, for those that lie where others may take their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import and_, bindparam, func, or_, select, update

from facesearch.domain import Photo, PhotoStatus
from facesearch.domain.adoption import PERSON_ID
from facesearch.records.tables import CollectionRow, FaceRow, JournalRow, PhotoRow
from facesearch.records.unit import Unit


class UploadRecords(Unit):
    """The photos of one person that came from one place."""

    def photos_from(
        self, arn: str, person_id: str, path: str, sha256: str | None
    ) -> list[tuple[str, tuple[str, ...]]]:
        """The person's photos in a collection that were last seen at that path, and the one of that sha256.

        Each as its sha256 and the FaceIds that the collection has of it. A face that was moved to somebody else is
        one of them: its photo lies where it lay.
        """
        theirs = FaceRow.person == JournalRow.person
        sent = func.substr(FaceRow.external_image_id, 1, PERSON_ID + 1) == JournalRow.person.concat(":")
        moved = and_(JournalRow.state == PhotoStatus.ALREADY.value, sent)
        statement = (
            select(PhotoRow.sha256, FaceRow.face_id)
            .join(JournalRow, JournalRow.photo == PhotoRow.id)
            .join(CollectionRow, CollectionRow.id == JournalRow.collection)
            .outerjoin(
                FaceRow,
                and_(
                    FaceRow.photo == JournalRow.photo,
                    or_(theirs, moved),
                    FaceRow.collection == JournalRow.collection,
                ),
            )
            .where(CollectionRow.arn == arn, JournalRow.person == person_id)
            .where(or_(PhotoRow.path == path, PhotoRow.sha256 == sha256))
            .order_by(PhotoRow.id)
        )
        found: defaultdict[str, list[str]] = defaultdict(list)
        for digest, face_id in self._session.execute(statement):
            found[digest] += [face_id] if face_id else []
        return [(digest, tuple(face_ids)) for digest, face_ids in found.items()]

    def move_photos(self, photos: Sequence[Photo]) -> None:
        """Say that photos lie elsewhere now."""
        if photos:
            moving = (
                update(PhotoRow).where(PhotoRow.sha256 == bindparam("which")).values(path=bindparam("to"))
            )
            places = [{"which": photo.sha256, "to": photo.path} for photo in photos]
            self._session.connection().execute(moving, places)
