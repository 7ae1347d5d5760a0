"""What spoils a face: how many are still found and recognised in photos blurred, shrunk, compressed, darkened.

    python benchmarks/quality.py FOLDER...

A FOLDER holds a folder for each person, with at least two photos that show nobody larger. The largest face of each
photo is cut out with what is around it, spoilt, and compared with the person's other photos as they are. The table
gives what is found at all, what of that is recognised at similarity 80, the distance to the same face unspoilt,
brightness and sharpness as the engine says them (median, and the middle 80 % of them), and which share of the
found faces each QualityFilter keeps. The bars in facesearch/engine/operations/quality.py were set by it, on few
people. So two more tables tell what the bars do to whatever people they are shown, and what a bar for sharpness
that is chosen on one half of the people does to the other half.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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


BLURRED = ("untouched", *(name for name in SPOILT if name.startswith("blurred")))
KEPT = 0.95  # of the recognised faces: what a bar for sharpness that is chosen anew lets pass


def reaches(level: str, face: SeenFace) -> bool:
    """Whether a face passes a QualityFilter."""
    return not quality.shortcomings(face, level)


def portraits(folder: Path, recognizer: DlibRecognizer) -> list[Portrait]:
    """The largest face of each photo, for people who have two photos or more."""
    found = []
    for path in photos_in(folder):
        image = images.decode(path.read_bytes()).reduce(1)
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


@dataclass(frozen=True)
class Outcome:
    """A spoilt photo whose face was found: the face, how far its vector moved, and which of the person's other
    photos it is recognised with."""

    person: str
    face: SeenFace
    moved: float
    recognised: list[bool]


def outcomes(spoil: Spoil, people: list[Portrait], recognizer: DlibRecognizer) -> list[Outcome]:
    """What becomes of everybody's photos."""
    found = []
    for one in people:
        image = spoil(one)
        face = middle(image, recognizer)
        if face is None:
            continue
        vector = recognizer.embed(image, [face])[0]
        others = [other.vector for other in people if other.person == one.person and other is not one]
        apart = np.array([np.linalg.norm(vector - other) for other in others])
        moved = float(np.linalg.norm(vector - one.vector))
        recognised = (recognizer.scale.similarity(apart) >= 80).tolist()
        found.append(Outcome(one.person, face, moved, recognised))
    return found


def line(name: str, found: list[Outcome], of: int) -> list[str]:
    """One line of the table."""
    if not found:
        return [name, "0 %", *["-"] * (4 + len(FILTERS))]
    faces = [one.face for one in found]
    kept = [f"{len(quality.good_enough(faces, level)) / len(faces):.0%}" for level in FILTERS]
    return [
        name,
        f"{len(faces) / of:.0%}",
        f"{np.mean([yes for one in found for yes in one.recognised]):.0%}",
        f"{np.mean([one.moved for one in found]):.2f}",
        spread([face.brightness for face in faces]),
        spread([face.sharpness for face in faces]),
        *kept,
    ]


# --- chosen on some people, measured on others


def held_out(found: list[Outcome]) -> list[list[str]]:
    """Sharpness bars chosen on one half of the people, by the rule, and what they do to the other half."""
    people = sorted({one.person for one in found})
    halves = [[one for one in found if (people.index(one.person) % 2) == half] for half in (0, 1)]
    lines = []
    for half, (chosen_on, measured_on) in enumerate((halves, halves[::-1])):
        sharp = [one.face.sharpness for one in chosen_on if all(one.recognised)]
        bar = float(np.quantile(sharp, 1 - KEPT))
        passes = partial(sharper, bar)
        lines.append([f"half {half + 1}", f"{bar:.0f}", "the same people", *shares(chosen_on, passes)])
        lines.append([f"half {half + 1}", f"{bar:.0f}", "the other people", *shares(measured_on, passes)])
    return lines


def sharper(bar: float, face: SeenFace) -> bool:
    """Whether a face passes a bar for sharpness."""
    return face.sharpness >= bar


def shares(found: list[Outcome], passes: Callable[[SeenFace], bool]) -> list[str]:
    """Of the faces that are recognised with all others, and of those with none, how many pass."""
    cells = []
    for some in (
        [one for one in found if all(one.recognised)],
        [one for one in found if not any(one.recognised)],
    ):
        passed = sum(passes(one.face) for one in some)
        cells.append(f"{passed / len(some):.0%} of {len(some)}" if some else "-")
    return cells


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
    results = {name: outcomes(spoil, people, recognizer) for name, spoil in SPOILT.items()}
    head = ["photo", "found", "recognised", "moved", "brightness", "sharpness", *FILTERS]
    print(table(head, [line(name, found, len(people)) for name, found in results.items()]))
    everything = [one for found in results.values() for one in found]
    blurred_ones = [one for name, found in results.items() if name in BLURRED for one in found]
    passed = ["recognised with all", "recognised with none"]
    print(f"\nWhat of all these each filter lets pass, of {len(everything)} faces found:\n")
    rows = [[level, *shares(everything, partial(reaches, level))] for level in FILTERS]
    print(table(["filter", *passed], rows))
    print(f"\nA bar for sharpness that lets {KEPT:.0%} of the recognised pass, blurred ones and untouched:\n")
    print(table(["chosen on", "bar", "measured on", *passed], held_out(blurred_ones)))


if __name__ == "__main__":
    main()
