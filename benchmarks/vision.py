"""How long it takes to find and describe the faces of photos, beside face_recognition on the same ones.

    python benchmarks/vision.py FOLDER [--repeats 3] [--cnn 2] [--peers-python PATH | --no-peers]

Photo after photo is given to every method in turn, so that a busy machine slows all alike: read the ratios. Each
runs on one thread. face_recognition is its default: HOG enlarged once, five landmarks, one crop; and, for the
`--cnn` smallest photos, its CNN. What is ours is decoding, detection with landmarks, pose and quality, and the
descriptor of the face and its mirror image. Peers live in a virtualenv of their own in the temporary folder.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from peers import Peer, machine, peers_python, photos_in, table

from facesearch.engine import images
from facesearch.engine.vision.recognizer import DlibRecognizer

DETAILS = ("fast", "auto", "high")
STAGES = ("decode", "detect", "describe")
PEER = "face_recognition, HOG"


def ours(path: Path, recognizer: DlibRecognizer) -> dict[str, Any]:
    """Seconds by stage, and how many faces."""
    times = [time.perf_counter()]
    image = images.decode(path.read_bytes())
    times.append(time.perf_counter())
    faces = recognizer.detect(image)
    times.append(time.perf_counter())
    recognizer.embed(image, faces)
    times.append(time.perf_counter())
    steps = [after - before for before, after in pairwise(times)]
    return {"seconds": dict(zip(STAGES, steps, strict=True)), "faces": len(faces)}


def theirs(path: Path, peer: Peer, detector: str = "hog") -> dict[str, Any]:
    """The same of face_recognition, its landmarks counted with its detector."""
    answer = peer.photo(path, detector)
    seconds = answer["seconds"]
    seconds["detect"] += seconds.pop("landmarks")
    return {"seconds": seconds, "faces": answer["vectors"]}


def measured(photos: list[Path], methods: dict[str, Any], repeats: int) -> dict[str, list[dict[str, Any]]]:
    """For each method and photo, the median seconds of each stage and the number of faces."""
    results: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in photos:
        runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for _ in range(repeats):
            for name, method in methods.items():
                runs[name].append(method(path))
        for name, answers in runs.items():
            stages = {stage: median(one["seconds"][stage] for one in answers) for stage in STAGES}
            total = median(sum(one["seconds"].values()) for one in answers)
            results[name].append({**stages, "total": total, "faces": answers[0]["faces"]})
    return results


def rows(results: dict[str, list[dict[str, Any]]], reference: str | None) -> list[list[str]]:
    """The lines of the table: means over photos in ms, and how many times as fast as the reference."""
    lines = []
    for name, photos in results.items():
        faces = sum(one["faces"] for one in photos)
        means = {stage: sum(one[stage] for one in photos) / len(photos) for stage in (*STAGES, "total")}
        each = sum(one["describe"] for one in photos) / max(faces, 1)
        line = [name, str(faces), *(f"{means[stage] * 1e3:.1f}" for stage in STAGES), f"{each * 1e3:.1f}"]
        line.append(f"{means['total'] * 1e3:.0f}")
        if reference:
            pairs = zip(results[reference], photos, strict=True)
            ratios = [other["total"] / one["total"] for other, one in pairs]
            whole = sum(one["total"] for one in results[reference]) / sum(one["total"] for one in photos)
            line += [f"{whole:.1f}", f"{median(ratios):.1f}"]
        lines.append(line)
    return lines


def main() -> None:
    """Read the command line and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--cnn", type=int, default=2, help="photos for the CNN, the smallest; it takes minutes"
    )
    parser.add_argument("--details", default=",".join(DETAILS))
    parser.add_argument("--peers-python", type=Path, help="an interpreter with dlib and its weights")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    photos = photos_in(options.folder)
    with ExitStack() as stack:
        cache = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        methods: dict[str, Any] = {}
        for detail in options.details.split(","):
            recognizer = DlibRecognizer.load(cache, detail=detail)
            methods[f"facesearch, {detail}"] = lambda path, made=recognizer: ours(path, made)
        if not options.no_peers:
            peer = stack.enter_context(Peer(options.peers_python or peers_python()))
            methods[PEER] = lambda path: theirs(path, peer)
        measured(photos[:1], methods, 1)  # whatever is done only once
        sizes = {path: images.decode(path.read_bytes()).size for path in photos}
        megapixels = sorted(width * height / 1e6 for width, height in sizes.values())
        print(f"{machine()}; one thread; medians of {options.repeats}")
        print(f"{len(photos)} photos of {megapixels[0]:.2f} to {megapixels[-1]:.2f} megapixels", end=" ")
        print(f"(median {median(megapixels):.2f})\n")
        head = ["method", "faces", "decode ms", "detect ms", "describe ms", "describe ms/face", "total ms"]
        reference = None if options.no_peers else PEER
        head += ["times as fast, all photos", "median photo"] if reference else []
        print(table(head, rows(measured(photos, methods, options.repeats), reference)), flush=True)
        if reference and options.cnn:
            small = sorted(photos, key=lambda path: sizes[path][0] * sizes[path][1])[: options.cnn]
            del methods[PEER]
            cnn = "face_recognition, CNN"
            methods[cnn] = lambda path: theirs(path, peer, "cnn")
            print(f"\nIts CNN, enlarged once as well, on the {len(small)} smallest:\n")
            print(table(head, rows(measured(small, methods, 1), cnn)))


if __name__ == "__main__":
    main()
