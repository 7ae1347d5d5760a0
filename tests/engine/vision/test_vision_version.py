"""A version stands for what is seen, vectors and similarities: data/versions.json says what belongs to each.

Faster code that sees the same passes. Whoever changes what is seen gives the models of `built_in` new versions
(FINDING, if it is where faces are found or cut out), and writes down what belongs to these:

    python tests/engine/vision/test_vision_version.py
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facesearch.engine.vision import embed, networks, streams, weights
from facesearch.engine.vision import recognizer as module
from facesearch.engine.vision.built_in import BUILT_IN, FINDING
from facesearch.engine.vision.recognizer import DlibRecognizer, Finder, SeenFace
from facesearch.engine.vision.runtime import Network

DATA = Path(__file__).with_name("data")
FILE = DATA / "versions.json"
PHOTOS = ("collins.png", "hopper.png")
QUALITIES = ("confidence", "brightness", "sharpness", "roll", "yaw", "pitch")
DISTANCES = np.linspace(0.1, 0.7, 13)


@pytest.fixture(scope="module")
def recorded():
    return json.loads(FILE.read_text())


@pytest.fixture(scope="module")
def exact():
    """The finder in float32, which sees the same on every processor."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "int8_is_fast", lambda: False)
        return Finder.load(None)


@pytest.fixture(scope="module")
def describe(exact):
    """Vectors of faces, by the version of a model."""
    network = Network(networks.descriptor(streams.layers(weights.read(weights.DESCRIPTOR)), int8=False))
    return lambda version, image, faces: DlibRecognizer(exact, network, BUILT_IN[version]).embed(image, faces)


def photo(name):
    return Image.open(DATA / name).convert("RGB")


def constants():
    """What is decided by numbers in the code alone."""
    calibration = json.dumps([networks._DESCRIPTOR_SCALES, networks._DETECTOR_MAXIMA])
    return {
        "finding": FINDING,
        "weights": [file.sha256 for file in (weights.DETECTOR, weights.LANDMARKS, weights.DESCRIPTOR)],
        "calibration": hashlib.sha256(calibration.encode()).hexdigest(),
        "models": {
            version: {
                "name": model.name,
                "views": [[view.zoom, view.gamma] for view in model.views],
                "similarities": np.round(model.scale.similarity(DISTANCES), 6).tolist(),
            }
            for version, model in BUILT_IN.items()
        },
    }


def seen(face):
    return {
        "box": [face.left, face.top, face.width, face.height],
        "points": face.points.tolist(),
        **{name: getattr(face, name) for name in QUALITIES},
    }


def face_of(told, image):
    """A face as it was recorded, whatever finds faces today."""
    box = dict(zip(("left", "top", "width", "height"), told["box"], strict=True))
    points = np.array(told["points"], np.float32)
    qualities = {name: told[name] for name in QUALITIES}
    return SeenFace(**box, score=1.0, points=points, chip=embed.chip(image, points), **qualities)


def test_weights_views_and_scales_are_those_of_the_versions(recorded):
    now = constants()
    assert now == {name: recorded[name] for name in now}


@pytest.mark.parametrize("name", PHOTOS)
def test_faces_are_found_as_the_version_says(name, recorded, exact):
    (face,) = exact.detect(photo(name))
    told = recorded["faces"][name]
    width = told["box"][2]
    eyes = np.linalg.norm(np.subtract(told["points"][0], told["points"][2]))
    assert np.abs(np.subtract(seen(face)["box"], told["box"])).max() < 0.03 * width
    assert np.abs(face.points - told["points"]).max() < 0.02 * eyes
    for quality in QUALITIES:
        assert getattr(face, quality) == pytest.approx(told[quality], abs=3), quality


@pytest.mark.parametrize("version", BUILT_IN)
@pytest.mark.parametrize("name", PHOTOS)
def test_vectors_are_those_of_the_version(name, version, recorded, describe):
    image = photo(name)
    (vector,) = describe(version, image, [face_of(recorded["faces"][name], image)])
    assert np.linalg.norm(vector - recorded["vectors"][version][name]) < 2e-3


if __name__ == "__main__":
    module.int8_is_fast = lambda: False
    models = {version: DlibRecognizer.load(None, model=model) for version, model in BUILT_IN.items()}
    record = {**constants(), "faces": {}, "vectors": {version: {} for version in models}}
    for picture in PHOTOS:
        for version, model in models.items():
            faces = model.detect(photo(picture))
            record["faces"][picture] = seen(faces[0])
            record["vectors"][version][picture] = np.round(model.embed(photo(picture), faces)[0], 5).tolist()
    FILE.write_text(json.dumps(record, indent=1) + "\n")
