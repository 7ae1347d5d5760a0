"""SearchUsers, SearchUsersByImage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facesearch.engine import errors, images
from facesearch.engine.operations import quality, shapes
from facesearch.engine.operations.searching import similarities

if TYPE_CHECKING:
    from facesearch.engine.operations.context import Context
    from facesearch.engine.storage import StoredCollection
    from facesearch.engine.users import StoredUser
    from facesearch.engine.vision.recognizer import SeenFace
    from facesearch.engine.vision.similarity import Scale

_THRESHOLD = 80.0

# Undocumented for Rekognition; this is the most it gives, so nothing is left out unasked.
_MAX_USERS = 500

_FACE_NOT_LARGEST = ("FACE_NOT_LARGEST",)


def search_users(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """The users of a collection that resemble one of its faces, or one of them; that one is not among them."""
    if ("UserId" in parameters) == ("FaceId" in parameters):
        raise errors.user_or_face()
    collection = context.store.collection(parameters["CollectionId"])
    scale = context.recognizer_for(collection).scale
    but: StoredUser | None = None
    if "FaceId" in parameters:
        searched = {"SearchedFace": {"FaceId": parameters["FaceId"]}}
        found = context.store.vector(collection.number, parameters["FaceId"])
        if found is None:
            raise errors.face_not_found()
        vectors = [found[1]]
    else:
        searched = {"SearchedUser": {"UserId": parameters["UserId"]}}
        but = context.users.named(collection.number, parameters["UserId"])
        vectors = context.users.vectors(but)
    return {
        "UserMatches": _matches(context, collection, scale, vectors, parameters, but),
        "FaceModelVersion": collection.model_version,
        **searched,
    }


def search_users_by_image(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """The users that resemble the largest face of an image, and the faces that were not searched for.

    An image without a face is no error here, unlike in SearchFacesByImage.
    """
    collection = context.store.collection(parameters["CollectionId"])
    image = images.decode(context.image_bytes(parameters["Image"]))
    recognizer = context.recognizer_for(collection)
    faces = recognizer.detect(image)[: quality.MAX_FACES]
    largest, others = _searched(faces, parameters.get("QualityFilter", "NONE"))
    vectors = [recognizer.embed(image, [largest])[0].astype("<f4").tobytes()] if largest else []
    return {
        "UserMatches": _matches(context, collection, recognizer.scale, vectors, parameters),
        "FaceModelVersion": collection.model_version,
        "SearchedFace": {"FaceDetail": shapes.face_detail(largest, image)} if largest else None,
        "UnsearchedFaces": [
            {"FaceDetails": shapes.face_detail(face, image), "Reasons": list(reasons)}
            for face, reasons in others
        ],
    }


def _searched(
    faces: list[SeenFace], level: str
) -> tuple[SeenFace | None, list[tuple[SeenFace, tuple[str, ...]]]]:
    """The largest face that is good enough, and the others with the reasons why not they."""
    largest = next((face for face in faces if not quality.shortcomings(face, level)), None)
    others = [
        (face, quality.shortcomings(face, level) or _FACE_NOT_LARGEST)
        for face in faces
        if face is not largest
    ]
    return largest, others


def _matches(
    context: Context,
    collection: StoredCollection,
    scale: Scale,
    vectors: list[bytes],
    parameters: dict[str, Any],
    but: StoredUser | None = None,
) -> list[dict[str, Any]]:
    """The users that resemble the faces of these vectors, without the user `but`."""
    if not vectors:
        return []
    from facesearch.engine.user_distance import Groups

    threshold = parameters.get("UserMatchThreshold", _THRESHOLD)
    limit = parameters.get("MaxUsers", _MAX_USERS)
    neighbours = context.user_indexes.nearest(collection, Groups.one(vectors), limit + 1)
    likeness = similarities(scale, [one for one in neighbours if but is None or one.number != but.number])
    near = [number for number, percent in likeness.items() if percent >= threshold][:limit]
    users = context.users.by_number(collection.number, near)
    # A user that was deleted since the vectors were read is not there any more, and no match.
    return [
        {
            "Similarity": likeness[number],
            "User": {"UserId": users[number].user_id, "UserStatus": users[number].status},
        }
        for number in near
        if number in users
    ]
