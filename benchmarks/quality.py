"""What spoils a face: how many are still found and recognised in photos blurred, shrunk, compressed, darkened.

    python benchmarks/quality.py FOLDER...

A FOLDER holds a folder for each person, with at least two photos that show nobody larger. The largest face of each
photo is cut out with what is around it, spoilt, and compared with the person's other photos as they are. The table
gives what is found at all, what of that is recognised at similarity 80, the distance to the same face unspoilt,
brightness and sharpness as the engine says them (median, and the middle 80 % of them), and which share of the
found faces each QualityFilter keeps. The bars in facesearch/engine/operations/quality.py were set by it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from peers import photos_in, table

from facesearch.engine import images
from facesearch.engine.operations import quality
from facesearch.engine.vision.recognizer import DlibRecognizer, SeenFace

FILTERS = ("LOW", "AUTO", "MEDIUM", "HIGH")
HEAD_IN_FACE = 1.5  # a chip, in which blur is measured, is wider than a face by so much


@dataclass(frozen=True)
class Portrait:
    """A face with as much around it on each side, and its unspoilt vector."""

    person: str
    image: Image.Image
    width: float
    vector: np.ndarray


Spoil = Callable[[Portrait], Image.Image]


def blurred(percent: float) -> Spoil:
    """By a Gaussian whose deviation is so much of the width of the head."""
    return lambda one: one.image.filter(ImageFilter.GaussianBlur(percent / 100 * HEAD_IN_FACE * one.width))


def shrunk(pixels: float) -> Spoil:
    """Until the face is so wide; one that is smaller stays."""

    def spoil(one: Portrait) -> Image.Image:
        scale = min(pixels / one.width, 1)
        width, height = (max(round(side * scale), 1) for side in one.image.size)
        return one.image.resize((width, height), Image.Resampling.LANCZOS)

    return spoil


def compressed(to: int) -> Spoil:
    """As a JPEG of that quality, the face being 100 pixels wide."""

    def spoil(one: Portrait) -> Image.Image:
        buffer = BytesIO()
        shrunk(100)(one).save(buffer, "JPEG", quality=to)
        return Image.open(buffer).convert("RGB")

    return spoil


def darkened(light: float) -> Spoil:
    """To so much of its light, in 8 bits."""
    return lambda one: one.image.point(lambda value: value * light)


def flattened(contrast: float) -> Spoil:
    """To so much of its contrast."""
    return lambda one: ImageEnhance.Contrast(one.image).enhance(contrast)


SPOILT: dict[str, Spoil] = {
    "untouched": lambda one: one.image,
    **{f"blurred by {percent:g} %": blurred(percent) for percent in (0.5, 1, 1.5, 2, 3, 4)},
    **{f"{pixels} px": shrunk(pixels) for pixels in (100, 80, 60, 50, 40, 33, 30)},
    **{f"JPEG quality {to}": compressed(to) for to in (50, 20, 10, 5)},
    **{f"{light:.0%} of the light": darkened(light) for light in (0.5, 0.25, 0.15, 0.1, 0.07)},
    **{f"{contrast:.0%} of the contrast": flattened(contrast) for contrast in (0.5, 0.25)},
}


def portraits(folder: Path, recognizer: DlibRecognizer) -> list[Portrait]:
    """The largest face of each photo, for people who have two photos or more."""
    found = []
    for path in photos_in(folder):
        image = images.decode(path.read_bytes())
        faces = recognizer.detect(image)
        if not faces:
            continue
        face = faces[0]
        left, top, width, height = face.left, face.top, face.width, face.height
        area = (left - width, top - height, left + 2 * width, top + 2 * height)
        cut = image.crop(tuple(round(edge) for edge in area))
        vector = recognizer.embed(image, [face])[0]
        found.append(Portrait(path.parent.name, cut, width, vector))
    people = [one.person for one in found]
    return [one for one in found if people.count(one.person) > 1]


def middle(image: Image.Image, recognizer: DlibRecognizer) -> SeenFace | None:
    """The face in the middle of a cut-out, if it is found."""
    centre = np.array(image.size) / 2
    for face in recognizer.detect(image):
        off = np.abs(np.array([face.left + face.width / 2, face.top + face.height / 2]) - centre)
        if (off < np.array(image.size) / 6).all():
            return face
    return None


def spread(values: list[float]) -> str:
    """The median, and the middle 80 %."""
    low, mid, high = np.quantile(values, [0.1, 0.5, 0.9])
    return f"{mid:.0f} ({low:.0f}..{high:.0f})"


def line(name: str, spoil: Spoil, people: list[Portrait], recognizer: DlibRecognizer) -> list[str]:
    """One line of the table."""
    faces: list[SeenFace] = []
    recognised: list[bool] = []
    moved: list[float] = []
    for one in people:
        image = spoil(one)
        face = middle(image, recognizer)
        if face is None:
            continue
        faces.append(face)
        vector = recognizer.embed(image, [face])[0]
        moved.append(float(np.linalg.norm(vector - one.vector)))
        others = [other.vector for other in people if other.person == one.person and other is not one]
        recognised += [
            float(recognizer.scale.similarity(np.linalg.norm(vector - other))) >= 80 for other in others
        ]
    if not faces:
        return [name, "0 %", *["-"] * (4 + len(FILTERS))]
    kept = [f"{len(quality.good_enough(faces, level)) / len(faces):.0%}" for level in FILTERS]
    return [
        name,
        f"{len(faces) / len(people):.0%}",
        f"{np.mean(recognised):.0%}",
        f"{np.mean(moved):.2f}",
        spread([face.brightness for face in faces]),
        spread([face.sharpness for face in faces]),
        *kept,
    ]


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="+")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        recognizer = DlibRecognizer.load(Path(cache))
    people = [one for folder in options.folder for one in portraits(folder, recognizer)]
    if not people:
        raise SystemExit("no person has two photos with a face")
    print(f"{len(people)} photos of {len({one.person for one in people})} people\n")
    head = ["photo", "found", "recognised", "moved", "brightness", "sharpness", *FILTERS]
    print(table(head, [line(name, spoil, people, recognizer) for name, spoil in SPOILT.items()]))


if __name__ == "__main__":
    main()
