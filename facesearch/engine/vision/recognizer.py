"""What the engine needs of a face model, and the model it brings: dlib's networks on onnxruntime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from facesearch.engine.drafted import Picture
from facesearch.engine.vision import cache, detect, embed, landmarks, quality, weights
from facesearch.engine.vision.built_in import DLIB, BuiltIn
from facesearch.engine.vision.detect import Detail
from facesearch.engine.vision.runtime import Network, int8_is_fast
from facesearch.engine.vision.shapes import Shapes, parse
from facesearch.engine.vision.similarity import Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORMAT = 5  # of what is kept in the cache; another way to build or to write it is another number
_BATCH = 32  # faces whose landmarks are looked for together; more would cost memory and save no time


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """A face in a photo. Places are pixels of the upright photo, (0, 0) being the corner of its first pixel.

    `score` is the detector's, above 0 and mostly about 1; `confidence`, `brightness` and `sharpness` run from 0 to
    100; angles are degrees, roll clockwise, yaw to the photo's right and pitch upwards being positive. `points`
    (5, 2) are the outer and inner corner of the eye at the photo's right, the same of the other eye, and the base
    of the nose. The box may leave the photo. `chip` (150, 150, 3) is the face cut out upright: see `embed.chip`.
    """

    left: float
    top: float
    width: float
    height: float
    score: float
    confidence: float
    points: NDArray[np.float32]
    roll: float
    yaw: float
    pitch: float
    brightness: float
    sharpness: float
    chip: NDArray[np.uint8]

    @property
    def area(self) -> float:
        """Of the box, in pixels."""
        return self.width * self.height


class Recognizer(Protocol):
    """A face model: finds faces and describes them by vectors that lie near each other for one person.

    `model_version` (digits and dots) changes whenever vectors would: those of two versions are not comparable.
    `dimensions` is the length of a vector, and `scale` says how alike two of them are. Methods may be called by
    several threads at once.
    """

    @property
    def model_version(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    @property
    def scale(self) -> Scale: ...

    def detect(self, image: Picture) -> list[SeenFace]:
        """Every face of an upright RGB image, the largest first."""
        ...

    def embed(self, image: Picture, faces: Sequence[SeenFace]) -> NDArray[np.float32]:
        """The vectors (n, dimensions), of unit length, of faces that `detect` found in this very image."""
        ...


class Finder:
    """dlib's detector and five landmarks, which find the faces for every model."""

    def __init__(self, detector: Network, shapes: Shapes, detail: Detail) -> None:
        self._detector = detector
        self._shapes = shapes
        self._detail = detail

    @classmethod
    def load(cls, cache: Path | None = None, threads: int = 1, detail: str = "auto") -> Finder:
        """See `DlibRecognizer.load`."""
        wanted = Detail(detail)
        tables = _kept(cache, "landmarks", weights.LANDMARKS, lambda data: parse(data).tables())
        detector = _model(cache, "detector", weights.DETECTOR, int8_is_fast())
        return cls(Network(detector, threads), Shapes.of(tables), wanted)

    def detect(self, image: Picture) -> list[SeenFace]:
        """Every face of an upright RGB image, the largest first."""
        found = detect.detect(image, self._detector, self._detail)
        faces = []
        for start in range(0, len(found), _BATCH):
            batch = found[start : start + _BATCH]
            points = landmarks.locate(image, batch[:, :4], self._shapes)
            faces += [_seen(image, box, places) for box, places in zip(batch, points, strict=True)]
        return sorted(faces, key=lambda face: face.area, reverse=True)


class DlibRecognizer:
    """dlib's detector, five landmarks and descriptor, from the published weights, without dlib."""

    dimensions = embed.DIMENSIONS

    def __init__(self, finder: Finder, descriptor: Network, model: BuiltIn) -> None:
        self.model_version = model.version
        self.scale = model.scale
        self._finder = finder
        self._descriptor = descriptor
        self._views = model.views

    @classmethod
    def load(
        cls,
        cache: Path | None = None,
        threads: int = 1,
        detail: str = "auto",
        model: BuiltIn = DLIB,
        finder: Finder | None = None,
    ) -> DlibRecognizer:
        """Make the networks ready, each call of them on so many threads.

        `detail` (fast, auto, high) says how small the faces are that photos are searched for: see `vision.detect`.
        A `finder` that is loaded already is used as it is.

        What is built from the weights is kept in the `cache` folder, which makes the next start faster. Raises
        WeightsNotFoundError when the weights are not installed and WeightsDamagedError when they are not the
        published ones.
        """
        finder = finder or Finder.load(cache, threads, detail)
        descriptor = _model(cache, "descriptor", weights.DESCRIPTOR, int8_is_fast())
        return cls(finder, Network(descriptor, threads), model)

    def detect(self, image: Picture) -> list[SeenFace]:
        """Every face of an upright RGB image, the largest first."""
        return self._finder.detect(image)

    def embed(self, image: Picture, faces: Sequence[SeenFace]) -> NDArray[np.float32]:
        """The descriptors (n, 128), of unit length, of faces that `detect` found in this very image."""
        chips = [chip for face in faces for chip in embed.chips(image, face.points, self._views, face.chip)]
        return embed.descriptors(chips, self._descriptor, len(self._views))


def _seen(image: Picture, box: NDArray[np.float64], points: NDArray[np.float64]) -> SeenFace:
    left, top, width, height, score = box.tolist()
    chip = embed.chip(image, points)
    turned = quality.pose(points)
    grey = quality.luma(chip)
    return SeenFace(
        left=left,
        top=top,
        width=width,
        height=height,
        score=score,
        confidence=quality.confidence(score),
        points=points.astype(np.float32),
        roll=turned.roll,
        yaw=turned.yaw,
        pitch=turned.pitch,
        brightness=quality.brightness(grey),
        sharpness=quality.sharpness(grey),
        chip=chip,
    )


def _model(folder: Path | None, kind: str, file: weights.WeightsFile, int8: bool) -> bytes:
    def build(data: bytes) -> cache.Arrays:
        from facesearch.engine.vision import networks, streams  # and so onnx, which a warm start does without

        graph = {"detector": networks.detector, "descriptor": networks.descriptor}[kind]
        return {"model": np.frombuffer(graph(streams.layers(data), int8), np.uint8)}

    name = f"{kind}-{'int8' if int8 else 'float32'}"
    return bytes(_kept(folder, name, file, build)["model"])


def _kept(
    folder: Path | None, name: str, file: weights.WeightsFile, build: Callable[[bytes], cache.Arrays]
) -> cache.Arrays:
    name = f"{name}-{_FORMAT}-{file.sha256[:12]}"
    return cache.kept(folder, name, lambda: build(weights.read(file)))
