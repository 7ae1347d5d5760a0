"""Photos by where they lie, for those that lie where others may take their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import and_, bindparam, func, or_, select, update

from facesearch.domain import Photo, PhotoStatus
from facesearch.domain.adoption import PERSON_ID
from facesearch.records.tables import COLLECTIONS, FACES, JOURNAL, PHOTOS
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
        theirs = FACES.c.person == JOURNAL.c.person
        sent = func.substr(FACES.c.external_image_id, 1, PERSON_ID + 1) == JOURNAL.c.person.concat(":")
        moved = and_(JOURNAL.c.state == PhotoStatus.ALREADY.value, sent)
        statement = (
            select(PHOTOS.c.sha256, FACES.c.face_id)
            .join(JOURNAL, JOURNAL.c.photo == PHOTOS.c.id)
            .join(COLLECTIONS, COLLECTIONS.c.id == JOURNAL.c.collection)
            .outerjoin(
                FACES,
                and_(
                    FACES.c.photo == JOURNAL.c.photo,
                    or_(theirs, moved),
                    FACES.c.collection == JOURNAL.c.collection,
                ),
            )
            .where(COLLECTIONS.c.arn == arn, JOURNAL.c.person == person_id)
            .where(or_(PHOTOS.c.path == path, PHOTOS.c.sha256 == sha256))
            .order_by(PHOTOS.c.id)
        )
        found: defaultdict[str, list[str]] = defaultdict(list)
        for digest, face_id in self._connection.execute(statement):
            found[digest] += [face_id] if face_id else []
        return [(digest, tuple(face_ids)) for digest, face_ids in found.items()]

    def move_photos(self, photos: Sequence[Photo]) -> None:
        """Say that photos lie elsewhere now."""
        if photos:
            moving = update(PHOTOS).where(PHOTOS.c.sha256 == bindparam("which")).values(path=bindparam("to"))
            places = [{"which": photo.sha256, "to": photo.path} for photo in photos]
            self._connection.execute(moving, places)
