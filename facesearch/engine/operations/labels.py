"""DetectLabels, as far as looking for faces goes.

Labels: Person, Face, Head; Portrait (and Photography above it) for one face that fills a good part of the picture;
People from two faces on and Crowd from ten. Every box is the face's, since no more of a person is seen: not the
body that Rekognition's boxes of Person cover, and nobody who shows no face. It sees no things, animals, places,
events or clothes, and not whether a face belongs to a statue or a poster. An image without faces has no labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facesearch.engine import errors, images
from facesearch.engine.operations import quality, shapes

if TYPE_CHECKING:
    from facesearch.engine.drafted import Picture
    from facesearch.engine.operations.context import Context
    from facesearch.engine.vision.recognizer import SeenFace

_MIN_CONFIDENCE = 55.0
_MAX_LABELS = 1000

# The box of a face goes from the brows to the chin: of a head and shoulders that fill the picture it is a tenth.
_PORTRAIT_AREA = 0.06

_DESCRIPTION = "Person Description"
_HOBBIES = "Hobbies and Interests"


@dataclass(frozen=True, slots=True)
class _Label:
    """A label of Rekognition's taxonomy, with all that is above it."""

    name: str
    parents: tuple[str, ...]
    category: str
    has_instances: bool = False
    aliases: tuple[str, ...] = ()


_PERSON = _Label("Person", (), _DESCRIPTION, has_instances=True, aliases=("Human",))
_HEAD = _Label("Head", ("Person",), _DESCRIPTION, has_instances=True)
_FACE = _Label("Face", ("Head", "Person"), _DESCRIPTION, has_instances=True)
_PEOPLE = _Label("People", ("Person",), _DESCRIPTION)
_CROWD = _Label("Crowd", ("Person",), _DESCRIPTION)
_PHOTOGRAPHY = _Label("Photography", (), _HOBBIES)
_PORTRAIT = _Label("Portrait", ("Face", "Head", "Person", "Photography"), _HOBBIES)

# Which label needs how many faces. It is as sure as the least sure of the surest that it needs.
_BY_COUNT = ((_FACE, 1), (_HEAD, 1), (_PERSON, 1), (_PEOPLE, 2), (_CROWD, 10))


def detect_labels(context: Context, parameters: dict[str, Any]) -> dict[str, Any]:
    """What the faces of an image say of it, surest first.

    Raises InvalidParameterException for IMAGE_PROPERTIES.
    """
    if "IMAGE_PROPERTIES" in parameters.get("Features", ()):
        raise errors.needs_rekognition("IMAGE_PROPERTIES")
    image = images.decode(context.image_bytes(parameters["Image"]))
    recognizer = context.recognizer()
    least = parameters.get("MinConfidence", _MIN_CONFIDENCE)
    faces = [face for face in recognizer.detect(image)[: quality.MAX_FACES] if face.confidence >= least]
    settings = parameters.get("Settings", {}).get("GeneralLabels", {})
    found = [pair for pair in _found(faces, image) if _asked_for(pair[0], settings)]
    found.sort(key=lambda pair: -pair[1])
    return {
        "Labels": [
            _written(label, confidence, faces, image)
            for label, confidence in found[: parameters.get("MaxLabels", _MAX_LABELS)]
        ],
        "LabelModelVersion": f"faces-{recognizer.model_version}",
    }


def _found(faces: Sequence[SeenFace], image: Picture) -> list[tuple[_Label, float]]:
    surest = sorted((float(face.confidence) for face in faces), reverse=True)
    found = [(label, surest[count - 1]) for label, count in _BY_COUNT if len(surest) >= count]
    if len(faces) == 1 and faces[0].area >= _PORTRAIT_AREA * image.width * image.height:
        found += [(_PORTRAIT, surest[0]), (_PHOTOGRAPHY, surest[0])]
    return found


def _asked_for(label: _Label, settings: Mapping[str, Sequence[str]]) -> bool:
    """Whether the filters let a label through: what is excluded goes, whatever includes it."""
    names = settings.get("LabelInclusionFilters", ())
    categories = settings.get("LabelCategoryInclusionFilters", ())
    if label.name in settings.get("LabelExclusionFilters", ()):
        return False
    if label.category in settings.get("LabelCategoryExclusionFilters", ()):
        return False
    return not (names or categories) or label.name in names or label.category in categories


def _written(label: _Label, confidence: float, faces: Sequence[SeenFace], image: Picture) -> dict[str, Any]:
    return {
        "Name": label.name,
        "Confidence": confidence,
        "Instances": [
            {"BoundingBox": shapes.seen_box(face, image), "Confidence": float(face.confidence)}
            for face in (faces if label.has_instances else ())
        ],
        "Parents": [{"Name": parent} for parent in label.parents],
        "Aliases": [{"Name": alias} for alias in label.aliases],
        "Categories": [{"Name": label.category}],
    }
