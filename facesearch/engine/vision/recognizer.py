"""What the engine needs of a face model, and the model it brings: dlib's networks on onnxruntime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from facesearch.engine.vision import cache, detect, embed, landmarks, quality, streams, weights
from facesearch.engine.vision.detect import Detail
from facesearch.engine.vision.runtime import Network, int8_is_fast
from facesearch.engine.vision.shapes import Shapes, parse
from facesearch.engine.vision.similarity import MODEL_VERSION

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

_FORMAT = 1  # of what is kept in the cache; another way to build or to write it is another number
_BATCH = 32  # faces whose landmarks are looked for together; more would cost memory and save no time


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """A face in a photo. Places are pixels of the upright photo, (0, 0) being the corner of its first pixel.

    `score` is the detector's, above 0 and mostly about 1; `confidence`, `brightness` and `sharpness` run from 0 to
    100; angles are degrees, roll clockwise, yaw to the photo's right and pitch upwards being positive. `points`
    (5, 2) are the outer and inner corner of the eye at the photo's right, the same of the other eye, and the base
    of the nose. The box may leave the photo.
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

    @property
    def area(self) -> float:
        """Of the box, in pixels."""
        return self.width * self.height


class Recognizer(Protocol):
    """A face model: finds faces and describes them by vectors that lie near each other for one person.

    `model_version` (digits and dots) changes whenever vectors would: those of two versions are not comparable.
    `dimensions` is the length of a vector. Methods may be called by several threads at once.
    """

    @property
    def model_version(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def detect(self, image: Image) -> list[SeenFace]:
        """Every face of an upright RGB image, the largest first."""
        ...

    def embed(self, image: Image, faces: Sequence[SeenFace]) -> NDArray[np.float32]:
        """The vectors (n, dimensions), of unit length, of faces that `detect` found in this very image."""
        ...


class DlibRecognizer:
    """dlib's detector, five landmarks and descriptor, from the published weights, without dlib."""

    model_version = MODEL_VERSION
    dimensions = embed.DIMENSIONS

    def __init__(
        self, detector: Network, shapes: Shapes, descriptor: Network, detail: Detail = Detail.AUTO
    ) -> None:
        self._detail = detail
        self._detector = detector
        self._shapes = shapes
        self._descriptor = descriptor

    @classmethod
    def load(cls, cache: Path | None = None, threads: int = 1, detail: str = "auto") -> DlibRecognizer:
        """Make the networks ready, each call of them on so many threads.

        `detail` (fast, auto, high) says how small the faces are that photos are searched for: see `vision.detect`.

        What is built from the weights is kept in the `cache` folder, which makes the next start faster. Raises
        WeightsNotFoundError when the weights are not installed and WeightsDamagedError when they are not the
        published ones.
        """
        wanted = Detail(detail)
        int8 = int8_is_fast()
        tables = _kept(cache, "landmarks", weights.LANDMARKS, lambda data: parse(data).tables())
        return cls(
            Network(_model(cache, "detector", weights.DETECTOR, int8), threads),
            Shapes.of(tables),
            Network(_model(cache, "descriptor", weights.DESCRIPTOR, int8), threads),
            wanted,
        )

    def detect(self, image: Image) -> list[SeenFace]:
        """Every face of an upright RGB image, the largest first."""
        found = detect.detect(image, self._detector, self._detail)
        faces = []
        for start in range(0, len(found), _BATCH):
            batch = found[start : start + _BATCH]
            points = landmarks.locate(image, batch[:, :4], self._shapes)
            faces += [_seen(image, box, places) for box, places in zip(batch, points, strict=True)]
        return sorted(faces, key=lambda face: face.area, reverse=True)

    def embed(self, image: Image, faces: Sequence[SeenFace]) -> NDArray[np.float32]:
        """The descriptors (n, 128), of unit length, of faces that `detect` found in this very image."""
        chips = [embed.chip(image, face.points) for face in faces]
        return embed.descriptors(chips, self._descriptor)


def _seen(image: Image, box: NDArray[np.float64], points: NDArray[np.float64]) -> SeenFace:
    left, top, width, height, score = box.tolist()
    chip = embed.chip(image, points)
    turned = quality.pose(points)
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
        brightness=quality.brightness(chip),
        sharpness=quality.sharpness(chip),
    )


def _model(folder: Path | None, kind: str, file: weights.WeightsFile, int8: bool) -> bytes:
    def build(data: bytes) -> cache.Arrays:
        from facesearch.engine.vision import networks  # imports onnx, which a warm start does without

        graph = {"detector": networks.detector, "descriptor": networks.descriptor}[kind]
        return {"model": np.frombuffer(graph(streams.layers(data), int8), np.uint8)}

    name = f"{kind}-{'int8' if int8 else 'float32'}"
    return bytes(_kept(folder, name, file, build)["model"])


def _kept(
    folder: Path | None, name: str, file: weights.WeightsFile, build: Callable[[bytes], cache.Arrays]
) -> cache.Arrays:
    name = f"{name}-{_FORMAT}-{file.sha256[:12]}"
    return cache.kept(folder, name, lambda: build(weights.read(file)))
