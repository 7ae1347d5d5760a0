"""Collections, and the faces in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from facesearch import workflows
from facesearch.app.bound import Bound

if TYPE_CHECKING:
    from facesearch.domain import Collection, Deletion, ListedFace
    from facesearch.workflows.reconciling.users import Kept


class Collections(Bound):
    """Make, list and delete collections; list and delete faces."""

    def create_collection(self, collection_id: str) -> Collection:
        """Make a collection. Raises CollectionExistsError."""
        return workflows.collections.create(self._gateway, self._database, collection_id)

    def collection(self, collection_id: str) -> Collection:
        """One collection, as the service describes it. Raises CollectionNotFoundError."""
        return self._gateway.describe_collection(collection_id)

    def collections(self) -> Iterator[Collection]:
        """Every collection of the engine."""
        return workflows.collections.listed(self._gateway)

    def delete_collection(self, collection_id: str) -> Deletion:
        """Delete a collection with its faces and our records of them; people stay."""
        return workflows.collections.delete(self._gateway, self._database, collection_id)

    def keep_users(self, collection_id: str) -> Kept:
        """Make each person of a collection a user of it, now and at every enrolment; see `workflows.users`."""
        from facesearch.workflows.reconciling import users

        collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
        return users.turn_on(self._gateway, self._database, collection)

    def drop_users(self, collection_id: str) -> int:
        """Delete the users of a collection's people, and make none any more. Faces stay. Returns how many went."""
        from facesearch.workflows.reconciling import users

        collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
        return users.turn_off(self._gateway, self._database, collection)

    def faces(self, collection_id: str, person: str | None = None) -> Iterator[ListedFace]:
        """The faces a collection holds, joined to our records; with `person` only theirs."""
        from facesearch.domain import ListedFace

        collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
        if person is None:
            yield from workflows.collections.faces(self._gateway, self._database, collection)
            return
        with self._database.read() as records:
            person_id = workflows.people.find(records, person).id
            for enrolled in records.iter_faces(collection.arn, person_id):
                yield ListedFace(enrolled.face, enrolled)

    def delete_faces(self, collection_id: str, face_ids: Sequence[str]) -> Deletion:
        """Delete faces from a collection, and then our records of them."""
        from facesearch.workflows.reconciling import users

        collection = workflows.collections.remembered(self._gateway, self._database, collection_id)
        return users.delete_faces(self._gateway, self._database, collection, face_ids)
