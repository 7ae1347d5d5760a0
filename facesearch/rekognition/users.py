"""Users: faces of a collection under one UserId."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from facesearch.domain.faces import Association
from facesearch.errors import NoFaceError, ServiceError
from facesearch.rekognition import answers
from facesearch.rekognition.calling import Calling, batches
from facesearch.service_errors import explained

if TYPE_CHECKING:
    from facesearch.domain import Face, ImageSearch

MAX_ASSOCIATED = 100  # faces that one AssociateFaces or DisassociateFaces call takes
MAX_USERS = 500  # that one search gives


class Users(Calling):
    """The users of a collection."""

    def list_users(self, collection_id: str) -> Iterator[str]:
        """Every UserId of a collection, in the service's order."""
        for page in self._pages(
            "list_users", "ListUsers", collection_id, {"CollectionId": collection_id}, 500
        ):
            with explained("ListUsers", collection_id):
                ids = [user["UserId"] for user in page["Users"]]
            yield from ids

    def faces_of_user(self, collection_id: str, user_id: str) -> list[Face]:
        """The faces of a user, 100 at most. A user that is not there raises CollectionNotFoundError."""
        request = {"CollectionId": collection_id, "UserId": user_id}
        faces: list[Face] = []
        for page in self._pages("list_faces", "ListFaces", collection_id, request):
            with explained("ListFaces", collection_id):
                faces += map(answers.face, page["Faces"])
        return faces

    def create_user(self, collection_id: str, user_id: str) -> str | None:
        """Make a user without faces, unless it is there. Returns the request id."""
        try:
            with explained("CreateUser", collection_id):
                answer = self._client.create_user(CollectionId=collection_id, UserId=user_id)
                return answers.request_id(answer)
        except ServiceError as exc:
            if exc.code != "ConflictException":
                raise
            return exc.request_id

    def associate_faces(self, collection_id: str, user_id: str, face_ids: Sequence[str]) -> Association:
        """Give up to 100 faces to a user, however little they resemble those it has: we say whose they are.

        A user that is not there raises CollectionNotFoundError.
        """
        with explained("AssociateFaces", collection_id):
            answer = self._client.associate_faces(
                CollectionId=collection_id, UserId=user_id, FaceIds=list(face_ids), UserMatchThreshold=0
            )
            refused = {
                face["FaceId"]: tuple(face["Reasons"])
                for face in answer.get("UnsuccessfulFaceAssociations", ())
            }
            return Association(refused, answers.request_id(answer))

    def search_users_by_image(
        self, collection_id: str, image: bytes, *, threshold: float, max_users: int = MAX_USERS
    ) -> ImageSearch:
        """The users who resemble the photo's largest face, best first. Raises NoFaceError.

        A user whose faces are just being changed is searched for by those it had before.
        """
        with explained("SearchUsersByImage", collection_id):
            answer = self._client.search_users_by_image(
                CollectionId=collection_id,
                Image={"Bytes": image},
                UserMatchThreshold=threshold,
                MaxUsers=max_users,
            )
            if "SearchedFace" not in answer:
                raise NoFaceError("it shows no face")
            return answers.user_search(answer)

    def delete_user(self, collection_id: str, user_id: str) -> str | None:
        """Delete a user, whose faces stay and are nobody's. Returns the request id.

        A user that is not there raises CollectionNotFoundError: the service says no more than that.
        """
        with explained("DeleteUser", collection_id):
            return answers.request_id(self._client.delete_user(CollectionId=collection_id, UserId=user_id))

    def disassociate_faces(self, collection_id: str, user_id: str, face_ids: Sequence[str]) -> str | None:
        """Take faces from a user. Returns the request id of the last call. Raises what delete_user raises."""
        request_id = None
        for batch in batches(face_ids, MAX_ASSOCIATED):
            with explained("DisassociateFaces", collection_id):
                request_id = answers.request_id(
                    self._client.disassociate_faces(CollectionId=collection_id, UserId=user_id, FaceIds=batch)
                )
        return request_id
