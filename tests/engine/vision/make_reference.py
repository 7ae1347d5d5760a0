"""What dlib itself sees in two photos, written down for the tests: boxes, landmarks and descriptors.

To make it again, in an environment of its own (nothing else of the project needs these):

    pip install dlib-bin face_recognition_models scikit-image matplotlib
    python tests/engine/vision/make_reference.py
"""

import importlib.util
import json
from pathlib import Path

import dlib
import numpy as np
from PIL import Image

DATA = Path(__file__).with_name("data")
PHOTOS = {
    "collins.png": ("skimage", "data/astronaut.png", (80, 0, 400, 280)),
    "hopper.png": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", (110, 20, 410, 360)),
}

REPEATS = (1, 2)  # each pixel so many times in both directions: a larger photo, the same in every library


def folder(package: str) -> Path:
    return Path(importlib.util.find_spec(package).submodule_search_locations[0])


def model(name: str) -> str:
    return str(folder("face_recognition_models") / "models" / name)


def faces(pixels: np.ndarray) -> list[dict]:
    """Every face that dlib's network finds, with all that follows from its box."""
    found = []
    for detection in detector(pixels):
        box = detection.rect
        shape = predictor(pixels, box)
        found.append(
            {
                "box": [box.left(), box.top(), box.right(), box.bottom()],
                "score": detection.confidence,
                "points": [[point.x, point.y] for point in shape.parts()],
                "descriptor": list(encoder.compute_face_descriptor(pixels, shape, 0, 0.25)),
            }
        )
    return found


detector = dlib.cnn_face_detection_model_v1(model("mmod_human_face_detector.dat"))
predictor = dlib.shape_predictor(model("shape_predictor_5_face_landmarks.dat"))
encoder = dlib.face_recognition_model_v1(model("dlib_face_recognition_resnet_model_v1.dat"))

if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    reference = {"dlib": dlib.__version__, "views": []}
    for name, (package, path, area) in PHOTOS.items():
        photo = Image.open(folder(package) / path).convert("RGB").crop(area)
        photo.save(DATA / name, optimize=True)
        for repeat in REPEATS:
            pixels = np.asarray(photo).repeat(repeat, axis=0).repeat(repeat, axis=1)
            reference["views"].append({"photo": name, "repeat": repeat, "faces": faces(pixels)})
    (DATA / "reference.json").write_text(json.dumps(reference, indent=1) + "\n")
