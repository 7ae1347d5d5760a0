"""How many faces of 40 pixels in 1920 x 1080 are found, and what that costs.

    python benchmarks/small_faces.py FOLDER [--width 40] [--faces 4] [--peers-python PATH | --no-peers]

The scenes are made of the photos in FOLDER: each, enlarged or cut until it fills the frame, is the background of
four others, cut out around their largest face and scaled until its box is so wide. The background stays as sharp
as it is, but for its own faces: every one that is found at detail `high` is blurred until none is found, because a
large face would end the search at `auto`, and because nobody has labelled them. A face counts as found when a box
of about its size has its centre in it. The peer sees the same scenes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image, ImageFilter, ImageOps

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from peers import Peer, machine, peers_python, photos_in, table

from facesearch.engine import images
from facesearch.engine.vision.recognizer import DlibRecognizer

SIZE = (1920, 1080)
ATTEMPTS = 4  # to blur the faces of a background away
Box = tuple[float, float, float, float]  # left, top, width, height


def cut_outs(photos: list[Path], recognizer: DlibRecognizer, width: float) -> list[tuple[Image.Image, Box]]:
    """The largest face of each photo with as much around it on each side, scaled, and where the face is."""
    found = []
    for path in photos:
        image = images.decode(path.read_bytes()).reduce(1)
        faces = recognizer.detect(image)
        if not faces or faces[0].width < 2 * width:
            continue  # scaled down by less than two, it would show what its first camera did to it
        face = faces[0]
        left, top = max(face.left - face.width, 0), max(face.top - face.height, 0)
        right = min(face.left + 2 * face.width, image.width)
        bottom = min(face.top + 2 * face.height, image.height)
        scale = width / face.width
        size = (round((right - left) * scale), round((bottom - top) * scale))
        cut = image.resize(size, Image.Resampling.LANCZOS, (left, top, right, bottom))
        place = ((face.left - left) * scale, (face.top - top) * scale, width, face.height * scale)
        found.append((cut, place))
    return found


def backgrounds(photos: list[Path], recognizer: DlibRecognizer) -> list[Image.Image]:
    """The photos at the size of a scene, without their faces."""
    made = []
    for path in photos:
        scene = ImageOps.fit(images.decode(path.read_bytes()).reduce(1), SIZE)
        for _ in range(ATTEMPTS):
            faces = recognizer.detect(scene)
            if not faces:
                made.append(scene)
                break
            for face in faces:
                margin = face.width / 4
                area = (
                    max(round(face.left - margin), 0),
                    max(round(face.top - margin), 0),
                    min(round(face.left + face.width + margin), scene.width),
                    min(round(face.top + face.height + margin), scene.height),
                )
                blurred = scene.crop(area).filter(ImageFilter.GaussianBlur(face.width / 3))
                scene.paste(blurred, area[:2])
    return made


def scenes(
    empty: list[Image.Image], cuts: list[tuple[Image.Image, Box]], faces: int
) -> list[tuple[Image.Image, list[Box]]]:
    """One scene for each background, and where its faces are."""
    random = np.random.default_rng(0)
    made = []
    for index, background in enumerate(empty):
        boxes = []
        for column in range(faces):
            cut, (left, top, width, height) = cuts[(index * faces + column) % len(cuts)]
            room = SIZE[0] // faces
            x = column * room + int(random.integers(max(room - cut.width, 1)))
            y = int(random.integers(SIZE[1] - cut.height))
            background.paste(cut, (x, y))
            boxes.append((x + left, y + top, width, height))
        made.append((background, boxes))
    return made


def hits(wanted: list[Box], found: list[Box]) -> int:
    """How many of the faces have a box whose centre is in them, and of about their size."""

    def same(face: Box, box: Box) -> bool:
        off = (
            abs(face[0] + face[2] / 2 - box[0] - box[2] / 2),
            abs(face[1] + face[3] / 2 - box[1] - box[3] / 2),
        )
        return max(off) < face[2] / 2 and 0.5 < box[2] / face[2] < 2

    return sum(any(same(face, box) for box in found) for face in wanted)


def ours(path: Path, recognizer: DlibRecognizer) -> tuple[float, list[Box]]:
    """Seconds from the file to the descriptors, and the boxes."""
    start = time.perf_counter()
    image = images.decode(path.read_bytes())
    faces = recognizer.detect(image)
    recognizer.embed(image, faces)
    return time.perf_counter() - start, [(face.left, face.top, face.width, face.height) for face in faces]


def theirs(path: Path, peer: Peer) -> tuple[float, list[Box]]:
    """The same of face_recognition."""
    answer = peer.photo(path)
    return sum(answer["seconds"].values()), answer["boxes"]


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--width", type=float, default=40)
    parser.add_argument("--faces", type=int, default=4, help="in each scene")
    parser.add_argument("--peers-python", type=Path, help="an interpreter with dlib and its weights")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    photos = photos_in(options.folder)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        made = {detail: DlibRecognizer.load(folder, detail=detail) for detail in ("fast", "auto", "high")}
        methods: dict[str, Any] = {
            f"facesearch, {detail}": lambda path, one=one: ours(path, one) for detail, one in made.items()
        }
        if not options.no_peers:
            peer = stack.enter_context(Peer(options.peers_python or peers_python()))
            methods["face_recognition, HOG"] = lambda path: theirs(path, peer)
        cuts = cut_outs(photos, made["high"], options.width)
        if not cuts:
            raise SystemExit(f"no photo has a face of {2 * options.width:.0f} pixels or more")
        found, extra = dict.fromkeys(methods, 0), dict.fromkeys(methods, 0)
        times: dict[str, list[float]] = {name: [] for name in methods}
        number = 0
        empty = backgrounds(photos, made["high"])
        for scene, boxes in scenes(empty, cuts, options.faces):
            path = folder / "scene.jpg"
            scene.save(path, quality=92)
            number += len(boxes)
            for name, method in methods.items():
                seconds, seen = method(path)
                times[name].append(seconds)
                right = hits(boxes, seen)
                found[name] += right
                extra[name] += len(seen) - right
        last = times[list(methods)[-1]]
        print(f"{machine()}; {number} faces of {options.width:g} pixels in {len(empty)} scenes\n")
        rows = [
            [
                name,
                f"{found[name] / number:.1%}",
                str(extra[name]),
                f"{median(times[name]) * 1e3:.0f}",
                f"{median(last) / median(times[name]):.1f}",
            ]
            for name in methods
        ]
        print(table(["method", "found", "other boxes", "ms a scene", "times as fast as the last"], rows))


if __name__ == "__main__":
    main()
