"""A network that a user added, as a face model: what its definition says is done with each face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from facesearch.engine.errors import ModelError
from facesearch.engine.models.definition import Definition, Point
from facesearch.engine.vision import embed
from facesearch.engine.vision.runtime import session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facesearch.engine.drafted import Picture
    from facesearch.engine.vision.embed import Placing
    from facesearch.engine.vision.recognizer import Finder, SeenFace

_ARCFACE_SIDE = 112
_SHORTEST = 1e-6  # vector that has a direction

# Centres of pixels, as ArcFace's five points are given. Its eyes are among them. The base of the nose, the only
# other point that is found in a photo, is not: it has the tip and the corners of the mouth. The base lies as far
# below the eyes as in the mean face that dlib's points were made for (.4064 of .5255, the distance of the eyes).
_ARCFACE: Mapping[str, Point] = {
    "left_eye": (38.2946, 51.6963),
    "right_eye": (73.5318, 51.5014),
    "nose_base": (55.91, 78.85),
}


class Added:
    """A network of a definition, ready to describe faces; any number of threads may call it at once.

    Faces go through it one by one, so that a vector does not depend on its company.
    """

    def __init__(self, model: bytes, definition: Definition, threads: int = 1) -> None:
        self._definition = definition
        self._session = session(model, threads)
        (taken,), (given,) = self._session.get_inputs(), self._session.get_outputs()
        self._input, self._output = taken.name, given.name
        self._bytes = taken.type == "tensor(uint8)"

    def vector(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """What it says of a face cut out of a photo (height, width, 3), not yet of unit length."""
        vector = self._run(pixels)
        return vector + self._run(pixels[:, ::-1]) if self._definition.flip else vector

    def _run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        wanted = self._definition
        if wanted.colour == "BGR":
            pixels = pixels[:, :, ::-1]
        numbers: NDArray[Any] = pixels
        if not self._bytes:
            numbers = ((pixels - np.array(wanted.mean)) / np.array(wanted.std)).astype(np.float32)
        if wanted.layout == "NCHW":
            numbers = numbers.transpose(2, 0, 1)
        try:
            (output,) = self._session.run([self._output], {self._input: np.ascontiguousarray(numbers[None])})
        except Exception as exc:  # onnxruntime's are of many kinds
            raise ModelError(f"the network of the face model {wanted.name} cannot be run: {exc}") from exc
        result: NDArray[np.float64] = np.asarray(output, np.float64).ravel()
        return result


class AddedRecognizer:
    """A face model that a user added. Faces are found as for every model; `network` describes them."""

    def __init__(self, finder: Finder, network: Added, definition: Definition) -> None:
        assert definition.dimensions is not None  # it was looked at when it was added
        self.model_version = definition.version
        self.dimensions = definition.dimensions
        self.scale = definition.scale
        self._finder = finder
        self._network = network
        self._definition = definition

    def detect(self, image: Picture) -> list[SeenFace]:
        """Every face of an upright RGB image, the largest first."""
        return self._finder.detect(image)

    def embed(self, image: Picture, faces: Sequence[SeenFace]) -> NDArray[np.float32]:
        """The vectors (n, dimensions), of unit length, of faces that `detect` found in this very image."""
        vectors = np.empty((len(faces), self.dimensions))
        for row, face in enumerate(faces):
            placing = placed(self._definition, face.points)
            vectors[row] = self._network.vector(embed.cut(image, placing, self._definition.size))
        return unit(vectors, self._definition.name)


def unit(vectors: NDArray[np.float64], name: str) -> NDArray[np.float32]:
    """Vectors (n, d) at unit length. Raises ModelError for one that has no direction."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.all((lengths > _SHORTEST) & np.isfinite(lengths)):
        raise ModelError(
            f"the network of the face model {name} gave a vector that is no direction (NaN or all 0)"
        )
    result: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
    return result


def placed(definition: Definition, points: NDArray[np.floating]) -> Placing:
    """How the network's input lies in the photo of a face with these five points (5, 2), pixel-edge coordinates.

    The similarity that brings the template's places nearest to the middle of each eye and the base of the nose.
    """
    if definition.template == "dlib":
        matrix, offset = embed.chip_to_photo(points)
        return matrix * (embed.SIDE / definition.size[0]), offset
    if isinstance(definition.template, str):
        growth = definition.size[0] / _ARCFACE_SIDE
        template = {name: (x * growth, y * growth) for name, (x, y) in _ARCFACE.items()}
    else:
        template = dict(definition.template)
    seen = {
        "left_eye": points[2:4].mean(axis=0),
        "right_eye": points[:2].mean(axis=0),
        "nose_base": points[4],
    }
    source = np.array(list(template.values())) + 0.5
    return embed.fitted(source, np.array([seen[name] for name in template], np.float64))
