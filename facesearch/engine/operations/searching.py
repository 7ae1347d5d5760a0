"""SearchFaces, SearchFacesByImage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from facesearch.engine import errors, images
from facesearch.engine.operations import quality, shapes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facesearch.engine.index import Neighbour
    from facesearch.engine.operations.context import Context
    from facesearch.engine.storage import StoredCollection
    from facesearch.engine.vision.similarity import Scale

_THRESHOLD = 80.0

# Undocumented for Rekognition; this is the most it gives, so nothing is left out unasked.
_MAX_MATCHES = 4096

# The scale and its inverse agree to far less than this.
_ROUNDING = 1e-9


def search_faces(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """The faces of a collection that resemble one of them, best first, without that one."""
    import numpy as np

    collection = context.store.collection(parameters["CollectionId"])
    scale = context.recognizer_for(collection).scale
    found = context.store.vector(collection.number, parameters["FaceId"])
    if found is None:
        raise errors.face_not_found()
    number, vector = found
    return {
        "SearchedFaceId": parameters["FaceId"],
        "FaceMatches": _matches(
            context, collection, scale, np.frombuffer(vector, "<f4"), parameters, but=number
        ),
        "FaceModelVersion": collection.model_version,
    }


def search_faces_by_image(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """The faces of a collection that resemble the largest face of an image, best first."""
    collection = context.store.collection(parameters["CollectionId"])
    image = images.decode(context.image_bytes(parameters["Image"]))
    recognizer = context.recognizer_for(collection)
    faces = quality.good_enough(recognizer.detect(image), parameters.get("QualityFilter", "NONE"))
    if not faces:
        raise errors.no_faces()
    largest = faces[:1]
    query = recognizer.embed(image, largest)[0]
    return {
        "SearchedFaceBoundingBox": shapes.seen_box(largest[0], image),
        "SearchedFaceConfidence": float(largest[0].confidence),
        "FaceMatches": _matches(context, collection, recognizer.scale, query, parameters),
        "FaceModelVersion": collection.model_version,
    }


def search_each_face(
    context: Context, collection_id: str, data: bytes, threshold: float, most: int | None
) -> list[dict[str, Any]]:
    """What SearchFacesByImage answers, for each of the largest faces of an image: it is looked at once.

    Not an operation of Rekognition, which searches the largest face alone. An image without a face gives nothing.
    """
    collection = context.store.collection(collection_id)
    image = images.decode(data)
    recognizer = context.recognizer_for(collection)
    faces = recognizer.detect(image)[: quality.MAX_FACES][:most]
    parameters = {"FaceMatchThreshold": threshold}
    return [
        {
            "SearchedFaceBoundingBox": shapes.seen_box(face, image),
            "SearchedFaceConfidence": float(face.confidence),
            "FaceMatches": _matches(context, collection, recognizer.scale, query, parameters),
            "FaceModelVersion": collection.model_version,
        }
        for face, query in zip(faces, recognizer.embed(image, faces), strict=True)
    ]


def _matches(
    context: Context,
    collection: StoredCollection,
    scale: Scale,
    query: NDArray[np.float32],
    parameters: dict[str, Any],
    but: int | None = None,
) -> list[dict[str, Any]]:
    threshold = parameters.get("FaceMatchThreshold", _THRESHOLD)
    limit = parameters.get("MaxFaces", _MAX_MATCHES)
    within = max(float(scale.distance(threshold)) + _ROUNDING, 0.0)  # what is further off need not be ranked
    neighbours = context.indexes.nearest(collection, query, limit if but is None else limit + 1, within)
    likeness = similarities(scale, [one for one in neighbours if one.number != but])
    near = [number for number, percent in likeness.items() if percent >= threshold][:limit]
    faces = context.store.faces_by_number(collection.number, near)
    # A face that was deleted since the vectors were read is not there any more, and no match.
    return [
        {"Similarity": likeness[number], "Face": shapes.stored_face(faces[number])}
        for number in near
        if number in faces
    ]


def similarities(scale: Scale, neighbours: Sequence[Neighbour]) -> dict[int, float]:
    """How much each neighbour, by its number, resembles what they are neighbours of: 0..100, in their order."""
    import numpy as np

    percents = scale.similarity(np.array([neighbour.distance for neighbour in neighbours]))
    return dict(zip((neighbour.number for neighbour in neighbours), percents.tolist(), strict=True))
