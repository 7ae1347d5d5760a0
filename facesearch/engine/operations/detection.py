"""DetectFaces, CompareFaces: what needs no collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facesearch.engine import errors, images
from facesearch.engine.operations import quality, shapes

if TYPE_CHECKING:
    from facesearch.engine.drafted import Picture
    from facesearch.engine.operations.context import Context
    from facesearch.engine.vision.recognizer import Recognizer, SeenFace

_THRESHOLD = 80.0


def detect_faces(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """The faces of an image, largest first, with all that can be computed of them."""
    image = images.decode(context.image_bytes(parameters["Image"]))
    faces = context.recognizer().detect(image)[: quality.MAX_FACES]
    attributes = parameters.get("Attributes", ())
    return {"FaceDetails": [shapes.face_detail(face, image, attributes) for face in faces]}


def compare_faces(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """The largest face of the source image against every face of the target, best first."""
    import numpy as np

    level = parameters.get("QualityFilter", "NONE")
    recognizer = context.recognizer()
    source, (largest, *_) = _faces(context, recognizer, parameters["SourceImage"], level)
    target, faces = _faces(context, recognizer, parameters["TargetImage"], level)
    own = recognizer.embed(source, [largest])[0].astype(np.float64)
    distances = np.linalg.norm(recognizer.embed(target, faces) - own, axis=1)
    compared = [
        (float(recognizer.scale.similarity(float(distance))), shapes.face_detail(face, target))
        for distance, face in zip(distances, faces, strict=True)
    ]
    threshold = parameters.get("SimilarityThreshold", _THRESHOLD)
    matches = sorted((pair for pair in compared if pair[0] >= threshold), key=lambda pair: -pair[0])
    return {
        "SourceImageFace": {
            "BoundingBox": shapes.seen_box(largest, source),
            "Confidence": float(largest.confidence),
        },
        "FaceMatches": [{"Similarity": percent, "Face": detail} for percent, detail in matches],
        "UnmatchedFaces": [detail for percent, detail in compared if percent < threshold],
    }


def _faces(
    context: Context, recognizer: Recognizer, parameter: dict[str, Any], level: str
) -> tuple[Picture, list[SeenFace]]:
    image = images.decode(context.image_bytes(parameter))
    faces = quality.good_enough(recognizer.detect(image), level)
    if not faces:
        raise errors.invalid_parameters()
    return image, faces
