"""How long it takes to find and describe the faces of photos, beside face_recognition on the same ones.

    python benchmarks/vision.py FOLDER [--repeats 3] [--cnn 1] [--peers-python PATH | --no-peers]

Photo after photo is given to every method in turn, so that a busy machine slows all alike: read the ratios. Each
runs on one thread. face_recognition is its default: HOG enlarged once, five landmarks, one crop; and, for the
`--cnn` smallest photos of a megapixel and more, its CNN. What is ours is decoding, detection with landmarks, pose
and quality, and the descriptor of the face and its mirror image. A table of descriptors alone, chip included, has
8-bit and float32 networks, with one crop as in face_recognition and with two as in this program. Peers live in a
virtualenv of their own in the temporary folder.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from peers import Peer, machine, peers_python, photos_in, table

from facesearch.engine import images
from facesearch.engine.vision import embed, networks, streams, weights
from facesearch.engine.vision.recognizer import DlibRecognizer
from facesearch.engine.vision.runtime import Network, int8_is_fast

DETAILS = ("fast", "auto", "high")
STAGES = ("decode", "detect", "describe")
PEER = "face_recognition, HOG"
PORTRAIT = (1e6, 3e6)  # pixels; with one face in it

Answer = dict[str, Any]
Results = dict[str, list[Answer]]


def ours(path: Path, recognizer: DlibRecognizer) -> Answer:
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


def theirs(path: Path, peer: Peer, detector: str = "hog") -> Answer:
    """The same of face_recognition, its landmarks counted with its detector."""
    answer = peer.photo(path, detector)
    seconds = answer["seconds"]
    seconds["detect"] += seconds.pop("landmarks")
    return {"seconds": seconds, "faces": answer["vectors"]}


def measured(photos: list[Path], methods: dict[str, Any], repeats: int) -> Results:
    """For each method and photo, the median seconds of each stage and the number of faces."""
    results: Results = defaultdict(list)
    for path in photos:
        runs: dict[str, list[Answer]] = defaultdict(list)
        for _ in range(repeats):
            for name, method in methods.items():
                runs[name].append(method(path))
        for name, answers in runs.items():
            stages = {stage: median(one["seconds"][stage] for one in answers) for stage in STAGES}
            total = median(sum(one["seconds"].values()) for one in answers)
            results[name].append({**stages, "total": total, "faces": answers[0]["faces"]})
    return results


def ratios(photos: list[Answer], reference: list[Answer]) -> list[float]:
    """How many times as fast as the reference: all photos together, and the median photo."""
    whole = sum(one["total"] for one in reference) / sum(one["total"] for one in photos)
    each = [other["total"] / one["total"] for other, one in zip(reference, photos, strict=True)]
    return [whole, median(each)]


def rows(results: Results, reference: str | None) -> Iterator[list[str]]:
    """The lines of the table: means over photos in ms, and how many times as fast as the reference."""
    for name, photos in results.items():
        means = [sum(one[stage] for one in photos) / len(photos) * 1e3 for stage in (*STAGES, "total")]
        line = [name, str(sum(one["faces"] for one in photos)), *(f"{mean:.1f}" for mean in means)]
        if reference:
            line += [f"{ratio:.1f}" for ratio in ratios(photos, results[reference])]
        yield line


def each(photos: list[Path], sizes: dict[Path, int], results: Results) -> Iterator[list[str]]:
    """A line for each photo: the reference's milliseconds, and how many times as fast every method is."""
    for index, path in enumerate(photos):
        reference = results[PEER][index]
        line = [
            path.stem,
            f"{sizes[path] / 1e6:.2f}",
            str(reference["faces"]),
            f"{reference['total'] * 1e3:.0f}",
        ]
        names = [name for name in results if name != PEER]
        yield line + [f"{reference['total'] / results[name][index]['total']:.1f}" for name in names]


def portraits(photos: list[Path], sizes: dict[Path, int], results: Results) -> Results:
    """The results of photos of 1 to 3 megapixels in which every method finds one face."""
    low, high = PORTRAIT
    chosen = [
        index
        for index, path in enumerate(photos)
        if low <= sizes[path] <= high and all(answers[index]["faces"] == 1 for answers in results.values())
    ]
    return {name: [answers[index] for index in chosen] for name, answers in results.items()}


def descriptors(
    photos: list[Path], recognizer: DlibRecognizer, peer: Peer | None, repeats: int
) -> Iterator[list[str]]:
    """A line for each way of describing the largest face of the photos: milliseconds, and times as fast."""
    ways: dict[str, Callable[[Any, Any], Any]] = {}
    for name, int8 in (("8-bit", True), ("float32", False)):
        if int8 and not int8_is_fast():
            continue
        network = Network(networks.descriptor(streams.layers(weights.read(weights.DESCRIPTOR)), int8))
        ways[f"{name}, one crop"] = lambda image, points, run=network: run(embed.chip(image, points)[None])
        ways[f"{name}, two crops"] = lambda image, points, run=network: embed.descriptors(
            [embed.chip(image, points)], run
        )
    times: dict[str, list[float]] = defaultdict(list)
    for path in photos:
        image = images.decode(path.read_bytes())
        for face in recognizer.detect(image)[:1]:
            for _ in range(repeats):
                for name, way in ways.items():
                    start = time.perf_counter()
                    way(image, face.points)
                    times[name].append(time.perf_counter() - start)
                answer = peer.photo(path, upsample=0) if peer else {"vectors": 0}
                if answer["vectors"]:
                    times["face_recognition, one crop"].append(
                        answer["seconds"]["describe"] / answer["vectors"]
                    )
    last = median(list(times.values())[-1])
    for name, seconds in times.items():
        yield [name, f"{median(seconds) * 1e3:.1f}", *([f"{last / median(seconds):.1f}"] if peer else [])]


def main() -> None:
    """Read the command line and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--cnn", type=int, default=1, help="photos for the CNN, the smallest from a megapixel on"
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
        peer = None
        if not options.no_peers:
            peer = stack.enter_context(Peer(options.peers_python or peers_python()))
            methods[PEER] = lambda path: theirs(path, peer)
        reference = PEER if peer else None
        measured(photos[:1], methods, 1)  # whatever is done only once
        decoded = {path: images.decode(path.read_bytes()).size for path in photos}
        sizes = {path: width * height for path, (width, height) in decoded.items()}
        megapixels = sorted(size / 1e6 for size in sizes.values())
        print(f"{machine()}; {'8-bit' if int8_is_fast() else 'float32'} networks; one thread", end="; ")
        print(f"medians of {options.repeats}")
        print(f"{len(photos)} photos of {megapixels[0]:.2f} to {megapixels[-1]:.2f} megapixels", end=" ")
        print(f"(median {median(megapixels):.2f})\n")
        head = ["method", "faces", "decode ms", "detect ms", "describe ms", "total ms"]
        head += ["times as fast, all photos", "median photo"] if peer else []
        results = measured(photos, methods, options.repeats)
        print(table(head, list(rows(results, reference))), flush=True)
        if peer:
            some = portraits(photos, sizes, results)
            print(f"\nOf these the {len(some[PEER])} of 1 to 3 megapixels with one face:\n")
            print(table(head, list(rows(some, reference)) if some[PEER] else []))
            titles = [f"times as fast: {name.split(', ')[1]}" for name in results if name != PEER]
            columns = ["photo", "megapixels", "faces", "face_recognition ms", *titles]
            print(f"\nEach photo:\n\n{table(columns, list(each(photos, sizes, results)))}", flush=True)
        print("\nThe descriptor of a face, chip included:\n")
        lines = list(descriptors(photos, recognizer, peer, options.repeats))
        print(table(["", "ms/face", *(["times as fast"] if peer else [])], lines), flush=True)
        if peer and options.cnn:
            large = [path for path in photos if sizes[path] >= PORTRAIT[0]] or photos
            small = sorted(large, key=lambda path: sizes[path])[: options.cnn]
            del methods[PEER]
            cnn = "face_recognition, CNN"
            methods[cnn] = lambda path: theirs(path, peer, "cnn")
            print(f"\nIts CNN, enlarged once as well, on {', '.join(path.stem for path in small)}:\n")
            print(table(head, list(rows(measured(small, methods, 1), cnn))))


if __name__ == "__main__":
    main()
