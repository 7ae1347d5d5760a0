"""Where the published weights are, and that they are the ones this code was made for.

The package `face_recognition_models` is found and never imported: its own import needs pkg_resources, which a
fresh environment does not have.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "face_recognition_models"
INSTALL = f"pip install {PACKAGE}"


class WeightsError(Exception):
    """The weights cannot be used; the text says what to do."""


class WeightsNotFoundError(WeightsError):
    """The package with the weights, or a file of it, is not there."""


class WeightsDamagedError(WeightsError):
    """A file of weights is not the one that was published."""


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """One file of the package, and what its content must be."""

    name: str
    sha256: str


DESCRIPTOR = WeightsFile(
    "dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
)
DETECTOR = WeightsFile(
    "mmod_human_face_detector.dat",
    "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
)
LANDMARKS = WeightsFile(
    "shape_predictor_5_face_landmarks.dat",
    "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
)


def folder() -> Path:
    """The folder of the installed weights. Raises WeightsNotFoundError when the package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsNotFoundError(f"the weights of the face networks are not installed: {INSTALL}")
    return Path(spec.submodule_search_locations[0]) / "models"


def read(file: WeightsFile) -> bytes:
    """The content of a file of weights.

    Raises WeightsNotFoundError when it is not there and WeightsDamagedError when it is not the published one.
    """
    path = folder() / file.name
    try:
        data = path.read_bytes()
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise WeightsNotFoundError(f"cannot read {path} ({reason}): {INSTALL} --force-reinstall") from exc
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise WeightsDamagedError(
            f"{path} is cut short or changed ({len(data):,} bytes are not the published ones): "
            f"{INSTALL} --force-reinstall"
        )
    return data
