"""face_recognition's own way with a photo, in a process and an interpreter of its own.

The benchmarks start it, hand it paths and get seconds back, so that dlib is timed as its users have it: by
`dlib-bin` and the same weights, and without anything of ours in the process.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

_PACKAGES = ("dlib-bin", "face_recognition_models", "numpy", "Pillow")


class Peer:
    """face_recognition in another process: answers one photo at a time."""

    def __init__(self, python: Path) -> None:
        self._process = subprocess.Popen(
            [python, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def photo(self, path: Path, detector: str = "hog", upsample: int = 1) -> dict[str, Any]:
        """Seconds by stage (decode, detect, landmarks, describe), the boxes (left, top, width, height) and the
        descriptors.
        """
        question = {"path": str(path), "detector": detector, "upsample": upsample}
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("the process of face_recognition ended: see its message above")
        result: dict[str, Any] = json.loads(answer)
        return result


def peers_python() -> Path:
    """An interpreter with dlib-bin and face_recognition_models, in a virtualenv that is made once."""
    folder = (
        Path(tempfile.gettempdir()) / f"facesearch-vision-peers-{platform.python_version()}-{os.getuid()}"
    )
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *_PACKAGES], check=True)
        ready.touch()
    return python


def photos_in(folder: Path) -> list[Path]:
    """The JPEG and PNG files below a folder, by name. Ends the program when there is none."""
    endings = {".jpg", ".jpeg", ".png"}
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in endings)
    if not found:
        raise SystemExit(f"no JPEG or PNG in {folder}")
    return found


def machine() -> str:
    """The processor, its cores and Python."""
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if "model name" in line] if info.exists() else []
    processor = names[0].partition(": ")[2] if names else platform.processor() or platform.machine()
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table; all columns but the first are aligned to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


# --- in the peer's process ----------------------------------------------------------------------------------


class _Stopwatch:
    """Seconds since it was last asked."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def __call__(self) -> float:
        before, self._last = self._last, time.perf_counter()
        return self._last - before


def _serve() -> None:
    """Answer the questions of `Peer`."""
    import dlib
    import numpy as np
    from PIL import Image

    places = importlib.util.find_spec("face_recognition_models")
    assert places is not None and places.submodule_search_locations
    models = Path(places.submodule_search_locations[0]) / "models"
    hog = dlib.get_frontal_face_detector()
    cnn = dlib.cnn_face_detection_model_v1(str(models / "mmod_human_face_detector.dat"))
    predictor = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    encoder = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))

    for line in sys.stdin:
        question = json.loads(line)
        watch = _Stopwatch()
        pixels = np.array(Image.open(question["path"]).convert("RGB"))
        decode = watch()
        if question["detector"] == "cnn":
            rectangles = [one.rect for one in cnn(pixels, question["upsample"])]
        else:
            rectangles = list(hog(pixels, question["upsample"]))
        detect = watch()
        shapes = [predictor(pixels, rectangle) for rectangle in rectangles]
        landmarks = watch()
        vectors = [encoder.compute_face_descriptor(pixels, shape, 1) for shape in shapes]
        describe = watch()
        boxes = [[box.left(), box.top(), box.width(), box.height()] for box in rectangles]
        seconds = {"decode": decode, "detect": detect, "landmarks": landmarks, "describe": describe}
        descriptors = [list(vector) for vector in vectors]
        answer = {"seconds": seconds, "boxes": boxes, "descriptors": descriptors, "vectors": len(vectors)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve()
