"""Users: which collections have one for each person, and which faces were given to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select, update

from facesearch.records.tables import CollectionRow, FaceRow
from facesearch.records.unit import Unit, chunks


class UserRecords(Unit):
    """Users, by the collection they are in. The id of a person's user is the person's."""

    def keeps_users(self, arn: str) -> bool:
        """Whether each person of the collection is to have a user there."""
        return bool(self._session.scalar(select(CollectionRow.users).where(CollectionRow.arn == arn)))

    def keep_users(self, arn: str, keep: bool) -> None:
        """From now on, or no more."""
        self._session.execute(update(CollectionRow).where(CollectionRow.arn == arn).values(users=keep))

    def without_user(self, arn: str, after: str, limit: int, most: int) -> list[tuple[str, int, list[str]]]:
        """People with faces that no user has and room for some, by id after the one the last page ended with.

        Each with how many of their faces a user has, and so many of the others that there are `most`: those that
        were enrolled first.
        """
        collection = self._collection(arn)
        counted = (
            select(FaceRow.person, func.count(FaceRow.user_id))
            .where(FaceRow.collection == collection, FaceRow.person > after)
            .group_by(FaceRow.person)
            .having(func.count() > func.count(FaceRow.user_id), func.count(FaceRow.user_id) < most)
            .order_by(FaceRow.person)
            .limit(limit)
        )
        held: dict[str, int] = {row[0]: row[1] for row in self._session.execute(counted)}
        faces: dict[str, list[str]] = {person: [] for person in held}
        for some in chunks(held):
            theirs = (
                select(FaceRow.person, FaceRow.face_id)
                .where(FaceRow.collection == collection, FaceRow.person.in_(some), FaceRow.user_id.is_(None))
                .order_by(FaceRow.id)
            )
            for person, face_id in self._session.execute(theirs):
                if held[person] + len(faces[person]) < most:
                    faces[person].append(face_id)
        return [(person, held[person], faces[person]) for person in held]

    def people_with_user(self, arn: str, after: str, limit: int) -> list[str]:
        """The ids of people whose user has faces of theirs, after the one the last page ended with."""
        statement = (
            select(FaceRow.person)
            .where(FaceRow.collection == self._collection(arn), FaceRow.person > after)
            .where(FaceRow.user_id == FaceRow.person)
            .distinct()
            .order_by(FaceRow.person)
            .limit(limit)
        )
        return list(self._session.scalars(statement))

    def users_of(self, arn: str, face_ids: Sequence[str]) -> dict[str, str]:
        """The user that each of these faces was given to, by FaceId; none for those that were not."""
        statement = (
            select(FaceRow.face_id, FaceRow.user_id)
            .join(CollectionRow, CollectionRow.id == FaceRow.collection)
            .where(CollectionRow.arn == arn)
        )
        return {
            face_id: user_id
            for some in chunks(face_ids)
            for face_id, user_id in self._session.execute(statement.where(FaceRow.face_id.in_(some)))
            if user_id is not None
        }

    def give_to_users(self, arn: str, faces: Mapping[str, str | None]) -> None:
        """Write down to which user each face belongs, by FaceId, None being to none; unknown ones are left out."""
        collection = self._collection(arn)
        for user_id in set(faces.values()):
            for some in chunks(face_id for face_id, whose in faces.items() if whose == user_id):
                self._session.execute(
                    update(FaceRow)
                    .where(FaceRow.collection == collection, FaceRow.face_id.in_(some))
                    .values(user_id=user_id)
                    .execution_options(synchronize_session=False)
                )

    def without_users(self, arn: str, user_ids: Sequence[str]) -> None:
        """Write down that these users are gone, and that their faces are nobody's."""
        collection = self._collection(arn)
        for some in chunks(user_ids):
            self._session.execute(
                update(FaceRow)
                .where(FaceRow.collection == collection, FaceRow.user_id.in_(some))
                .values(user_id=None)
                .execution_options(synchronize_session=False)
            )
