"""Users: which collections have one for each person, and which faces were given to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select, update

from facesearch.records.tables import COLLECTIONS, FACES
from facesearch.records.unit import Unit, chunks


class UserRecords(Unit):
    """Users, by the collection they are in. The id of a person's user is the person's."""

    def keeps_users(self, arn: str) -> bool:
        """Whether each person of the collection is to have a user there."""
        return bool(self._connection.scalar(select(COLLECTIONS.c.users).where(COLLECTIONS.c.arn == arn)))

    def keep_users(self, arn: str, keep: bool) -> None:
        """From now on, or no more."""
        self._connection.execute(update(COLLECTIONS).where(COLLECTIONS.c.arn == arn).values(users=keep))

    def without_user(self, arn: str, after: str, limit: int, most: int) -> list[tuple[str, int, list[str]]]:
        """People with faces that no user has and room for some, by id after the one the last page ended with.

        Each with how many of their faces a user has, and so many of the others that there are `most`: those that
        were enrolled first.
        """
        collection = self._collection(arn)
        counted = (
            select(FACES.c.person, func.count(FACES.c.user_id))
            .where(FACES.c.collection == collection, FACES.c.person > after)
            .group_by(FACES.c.person)
            .having(func.count() > func.count(FACES.c.user_id), func.count(FACES.c.user_id) < most)
            .order_by(FACES.c.person)
            .limit(limit)
        )
        held: dict[str, int] = {row[0]: row[1] for row in self._connection.execute(counted)}
        faces: dict[str, list[str]] = {person: [] for person in held}
        for some in chunks(held):
            theirs = (
                select(FACES.c.person, FACES.c.face_id)
                .where(FACES.c.collection == collection, FACES.c.person.in_(some), FACES.c.user_id.is_(None))
                .order_by(FACES.c.id)
            )
            for person, face_id in self._connection.execute(theirs):
                if held[person] + len(faces[person]) < most:
                    faces[person].append(face_id)
        return [(person, held[person], faces[person]) for person in held]

    def people_with_user(self, arn: str, after: str, limit: int) -> list[str]:
        """The ids of people whose user has faces of theirs, after the one the last page ended with."""
        statement = (
            select(FACES.c.person)
            .where(FACES.c.collection == self._collection(arn), FACES.c.person > after)
            .where(FACES.c.user_id == FACES.c.person)
            .distinct()
            .order_by(FACES.c.person)
            .limit(limit)
        )
        return list(self._connection.scalars(statement))

    def users_of(self, arn: str, face_ids: Sequence[str]) -> dict[str, str]:
        """The user that each of these faces was given to, by FaceId; none for those that were not."""
        statement = (
            select(FACES.c.face_id, FACES.c.user_id)
            .join(COLLECTIONS, COLLECTIONS.c.id == FACES.c.collection)
            .where(COLLECTIONS.c.arn == arn)
        )
        return {
            face_id: user_id
            for some in chunks(face_ids)
            for face_id, user_id in self._connection.execute(statement.where(FACES.c.face_id.in_(some)))
            if user_id is not None
        }

    def give_to_users(self, arn: str, faces: Mapping[str, str | None]) -> None:
        """Write down to which user each face belongs, by FaceId, None being to none; unknown ones are left out."""
        collection = self._collection(arn)
        for user_id in set(faces.values()):
            for some in chunks(face_id for face_id, whose in faces.items() if whose == user_id):
                self._connection.execute(
                    update(FACES)
                    .where(FACES.c.collection == collection, FACES.c.face_id.in_(some))
                    .values(user_id=user_id)
                )

    def without_users(self, arn: str, user_ids: Sequence[str]) -> None:
        """Write down that these users are gone, and that their faces are nobody's."""
        collection = self._collection(arn)
        for some in chunks(user_ids):
            self._connection.execute(
                update(FACES)
                .where(FACES.c.collection == collection, FACES.c.user_id.in_(some))
                .values(user_id=None)
            )
