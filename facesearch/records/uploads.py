"""Photos by where they lie, for those that lie where others may take their place."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import and_, or_, select, update

from facesearch.records.tables import CollectionRow, FaceRow, JournalRow, PhotoRow
from facesearch.records.unit import Unit


class UploadRecords(Unit):
    """The photos of one person that came from one place."""

    def photos_from(
        self, arn: str, person_id: str, path: str, sha256: str | None
    ) -> list[tuple[str, tuple[str, ...]]]:
        """The person's photos in a collection that were last seen at that path, and the one of that sha256.

        Each as its sha256 and the FaceIds that the collection has of it.
        """
        statement = (
            select(PhotoRow.sha256, FaceRow.face_id)
            .join(JournalRow, JournalRow.photo == PhotoRow.id)
            .join(CollectionRow, CollectionRow.id == JournalRow.collection)
            .outerjoin(
                FaceRow,
                and_(
                    FaceRow.photo == JournalRow.photo,
                    FaceRow.person == JournalRow.person,
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

    def move_photo(self, sha256: str, path: str) -> None:
        """Say that a photo lies elsewhere now."""
        self._session.execute(update(PhotoRow).where(PhotoRow.sha256 == sha256).values(path=path))
