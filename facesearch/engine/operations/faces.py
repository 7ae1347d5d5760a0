"""IndexFaces, ListFaces, DeleteFaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facesearch.engine import images
from facesearch.engine.operations import paging, quality, shapes
from facesearch.engine.storage import NewFace

if TYPE_CHECKING:
    from facesearch.engine.operations.context import Context


def index_faces(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """Store the faces of an image that are good enough, largest first, and tell why the others were not stored.

    An image without a face is no error. The same image with the same ExternalImageId gives the same FaceIds again.
    """
    collection = context.store.collection(parameters["CollectionId"])
    data = context.image_bytes(parameters["Image"])
    image = images.decode(data)
    recognizer = context.recognizer_for(collection)
    chosen, others = quality.choose(
        recognizer.detect(image),
        parameters.get("QualityFilter", "AUTO"),
        parameters.get("MaxFaces", quality.MAX_FACES),
    )
    new_faces = []
    for face, vector in zip(chosen, recognizer.embed(image, chosen), strict=True):
        box = shapes.seen_box(face, image)
        new_faces.append(
            NewFace(
                left=box["Left"],
                top=box["Top"],
                width=box["Width"],
                height=box["Height"],
                confidence=float(face.confidence),
                vector=vector.astype("<f4").tobytes(),
            )
        )
    stored = context.store.add_faces(
        collection.collection_id,
        recognizer.model_version,
        images.image_id(data),
        parameters.get("ExternalImageId"),
        new_faces,
    )
    context.indexes.stored(collection.number, len(stored))
    attributes = parameters.get("DetectionAttributes", ())
    return {
        "FaceRecords": [
            {"Face": shapes.stored_face(face), "FaceDetail": shapes.face_detail(seen, image, attributes)}
            for face, seen in zip(stored, chosen, strict=True)
        ],
        "UnindexedFaces": [
            {"Reasons": list(reasons), "FaceDetail": shapes.face_detail(seen, image, attributes)}
            for seen, reasons in others
        ],
        "FaceModelVersion": collection.model_version,
    }


def list_faces(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """List the faces of a collection in the order of storing; of some ids or of one user alone if asked."""
    collection = context.store.collection(parameters["CollectionId"])
    user = None
    if "UserId" in parameters:
        user = context.users.named(collection.number, parameters["UserId"]).number
    scope = f"ListFaces {collection.number}"
    after = paging.position(context.store, scope, parameters.get("NextToken"))
    limit = parameters.get("MaxResults") or paging.DEFAULT_PAGE
    found = context.store.faces(collection.number, after, limit + 1, parameters.get("FaceIds"), user)
    page = found[:limit]
    return {
        "Faces": [shapes.stored_face(face) for face in page],
        "NextToken": paging.token(context.store, scope, page[-1].number) if len(found) > limit else None,
        "FaceModelVersion": collection.model_version,
    }


def delete_faces(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """Delete faces; an id that the collection does not hold is told, and so is a face that is a user's."""
    face_ids = list(dict.fromkeys(parameters["FaceIds"]))
    deleted, owners = context.store.delete_faces(parameters["CollectionId"], face_ids)
    return {
        "DeletedFaces": [face_id for face_id in face_ids if face_id in deleted],
        "UnsuccessfulFaceDeletions": [
            _not_deleted(face_id, owners.get(face_id)) for face_id in face_ids if face_id not in deleted
        ],
    }


def _not_deleted(face_id: str, owner: str | None) -> dict[str, Any]:
    if owner is None:
        return {"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]}
    return {"FaceId": face_id, "UserId": owner, "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]}
