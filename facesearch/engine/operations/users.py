"""CreateUser, DeleteUser, ListUsers, AssociateFaces, DisassociateFaces.

A change is whole when it is answered, so a user with faces is ACTIVE at once and never UPDATING. One that lost its
last face stays ACTIVE: CREATED says that it never had any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from facesearch.engine import errors
from facesearch.engine.operations import paging
from facesearch.engine.requests import Request
from facesearch.engine.users import MAX_FACES, Changes, OwnedFace, StoredUser

if TYPE_CHECKING:
    from facesearch.engine.operations.context import Context
    from facesearch.engine.vision.similarity import Scale

_THRESHOLD = 75.0
_PAGE = 500


def create_user(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """A user without faces."""
    request = Request.of("CreateUser", parameters)
    return context.users.change(parameters["CollectionId"], request, _create, parameters)


def delete_user(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """Delete a user; its faces stay in the collection."""
    request = Request.of("DeleteUser", parameters)
    return context.users.change(parameters["CollectionId"], request, _delete, parameters, erasing=True)


def associate_faces(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """Make faces those of a user, as far as they resemble the faces it has; its first are taken untested.

    A face that is the user's already is in neither list of the answer. Raises ServiceQuotaExceededException, and
    changes nothing, when the user would have more than 100 faces.
    """
    scale = context.recognizer_for(context.store.collection(parameters["CollectionId"])).scale
    request = Request.of("AssociateFaces", parameters)
    return context.users.change(parameters["CollectionId"], request, partial(_associate, scale), parameters)


def disassociate_faces(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """Take faces from a user; one that is nobody's is in neither list of the answer."""
    request = Request.of("DisassociateFaces", parameters)
    return context.users.change(parameters["CollectionId"], request, _disassociate, parameters, erasing=True)


def list_users(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """List the users of a collection in the order in which they were created."""
    collection = context.store.collection(parameters["CollectionId"])
    scope = f"ListUsers {collection.number}"
    after = paging.position(context.store, scope, parameters.get("NextToken"))
    limit = parameters.get("MaxResults", _PAGE)
    found = context.users.page(collection.number, after, limit + 1)
    page = found[:limit]
    return {
        "Users": [{"UserId": user.user_id, "UserStatus": user.status} for user in page],
        "NextToken": paging.token(context.store, scope, page[-1].number) if len(found) > limit else None,
    }


def _create(changes: Changes, parameters: Mapping[str, Any]) -> dict[str, Any]:
    changes.add_user(parameters["UserId"])
    return {}


def _delete(changes: Changes, parameters: Mapping[str, Any]) -> dict[str, Any]:
    changes.remove_user(changes.named(parameters["UserId"]))
    return {}


def _associate(scale: Scale, changes: Changes, parameters: Mapping[str, Any]) -> dict[str, Any]:
    user = changes.named(parameters["UserId"])
    threshold = parameters.get("UserMatchThreshold", _THRESHOLD)
    held = changes.vectors(user)
    taken: dict[str, OwnedFace] = {}
    refused: list[dict[str, Any]] = []
    for face_id, face in _faces(changes, parameters):
        refusal = _stranger(user, face) or _unlike(scale, held, face, threshold)
        if refusal:
            refused.append({"FaceId": face_id, **refusal})
        elif face is not None and face.user is None:
            taken[face_id] = face
    if taken and len(held) + len(taken) > MAX_FACES:
        raise errors.too_many_user_faces(user.user_id, MAX_FACES)
    return {
        "AssociatedFaces": [{"FaceId": face_id} for face_id in taken],
        "UnsuccessfulFaceAssociations": refused,
        "UserStatus": changes.hand_over(list(taken.values()), user, user),
    }


def _disassociate(changes: Changes, parameters: Mapping[str, Any]) -> dict[str, Any]:
    user = changes.named(parameters["UserId"])
    given: dict[str, OwnedFace] = {}
    refused: list[dict[str, Any]] = []
    for face_id, face in _faces(changes, parameters):
        refusal = _stranger(user, face)
        if refusal:
            refused.append({"FaceId": face_id, **refusal})
        elif face is not None and face.user is not None:
            given[face_id] = face
    return {
        "DisassociatedFaces": [{"FaceId": face_id} for face_id in given],
        "UnsuccessfulFaceDisassociations": refused,
        "UserStatus": changes.hand_over(list(given.values()), user, None),
    }


def _faces(changes: Changes, parameters: Mapping[str, Any]) -> list[tuple[str, OwnedFace | None]]:
    """Each face that is asked for, once and in the order of asking; None for one that is not there."""
    face_ids = list(dict.fromkeys(parameters["FaceIds"]))
    held = changes.owned_faces(face_ids)
    return [(face_id, held.get(face_id)) for face_id in face_ids]


def _stranger(user: StoredUser, face: OwnedFace | None) -> dict[str, Any] | None:
    """Why a face can be neither given to this user nor taken from it, in Rekognition's words."""
    if face is None:
        return {"Reasons": ["FACE_NOT_FOUND"]}
    if face.user not in (None, user.number):
        return {"UserId": face.user_id, "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]}
    return None


def _unlike(
    scale: Scale, held: Sequence[bytes], face: OwnedFace | None, threshold: float
) -> dict[str, Any] | None:
    """That a face resembles the user's, of these vectors, too little, if so."""
    if face is None or face.user is not None or not held:
        return None
    from facesearch.engine.user_distance import Groups

    (distance,) = Groups.one(held).distances(Groups.one([face.vector]))
    confidence = float(scale.similarity(float(distance)))
    if confidence >= threshold:
        return None
    return {"Confidence": confidence, "Reasons": ["LOW_MATCH_CONFIDENCE"]}
