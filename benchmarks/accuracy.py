"""How well are people told apart? The engine's face models beside face_recognition, on your own labelled photos:

    python benchmarks/accuracy.py FOLDER [--strangers FOLDER] [--add MODEL.toml ...]
    python benchmarks/accuracy.py PAIRS.csv

FOLDER holds a folder for each person. Every face in the photos of --strangers is of somebody else, whom no photo
of FOLDER shows. PAIRS.csv (or .tsv) has the lines photo,photo,same: paths from where it lies, and 1 or 0. Of a
photo, the largest face counts; one in which none is found matches nobody.

TAR is the part of pairs of one person that pass a threshold, FAR that of pairs of two people, both of all pairs. A
FAR is given where ten pairs of strangers or more are behind it. Rank-1: each person's first photo is the gallery,
with the strangers; the others are searched. Intervals are of 95 %: of 1,000 draws of people with replacement, and
Wilson's where that tells nothing (all pairs pass, or none; PAIRS; rank-1). face_recognition is its default: HOG
enlarged once, five landmarks, one crop.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from peers import Peer, machine, peers_python, photos_in, table

from facesearch.engine import images
from facesearch.engine.models import inspection
from facesearch.engine.models.library import Library
from facesearch.engine.models.loading import Models
from facesearch.engine.vision.built_in import ACCURATE, DLIB

RATES = (1e-2, 1e-3, 1e-4, 1e-5)
ENOUGH = 10  # pairs of strangers that a rate must rest on
DRAWS = 1000
PEER = "face_recognition"
# What the similarities of the engine's own models mean in FAR: what an added model's scale should mean, too.
MEANING = ((5.7e-3, 50), (1e-3, 80), (1.2e-4, 95), (1e-5, 99))


@dataclass
class Seen:
    """What one method made of all photos: a vector for each, NaN where no face was found, and seconds."""

    name: str
    similarity: Callable[[Any], Any] | None = None
    vectors: list[Any] = field(default_factory=list)
    strangers: list[Any] = field(default_factory=list)
    found: int = 0
    seconds: list[float] = field(default_factory=list)  # of describing a face


@dataclass(frozen=True)
class Pairs:
    """Distances by pair, infinite without a face, and the two people of each by number (-1: not known)."""

    distances: np.ndarray
    people: np.ndarray  # (n, 2)


def look(
    seen: Sequence[Seen], recognizers: Sequence[Any], peer: Peer | None, path: Path, every: bool
) -> None:
    """Add a photo's largest face, or every face, to what each method has seen."""
    image = images.decode(path.read_bytes())
    faces = recognizers[0].detect(image)
    wanted = faces if every else faces[:1]
    for one, recognizer in zip(seen, recognizers, strict=False):
        start = time.perf_counter()
        vectors = list(recognizer.embed(image, wanted).astype(np.float64))
        add(one, vectors, (time.perf_counter() - start), every)
    if peer is not None:
        answer = peer.photo(path)
        vectors = [np.array(vector) for vector in answer["descriptors"]]
        order = sorted(range(len(vectors)), key=lambda n: -answer["boxes"][n][2] * answer["boxes"][n][3])
        seconds = answer["seconds"]["describe"] / max(len(vectors), 1)
        chosen = [vectors[n] for n in (order if every else order[:1])]
        add(seen[-1], chosen, seconds * len(chosen), every)


def add(one: Seen, vectors: list[np.ndarray], seconds: float, every: bool) -> None:
    if vectors:
        one.seconds.append(seconds / len(vectors))
    if every:
        one.strangers += vectors
    else:
        one.found += bool(vectors)
        one.vectors.append(vectors[0] if vectors else None)


def matrix(vectors: Sequence[Any]) -> np.ndarray:
    """Vectors (n, d), NaN where there is none."""
    length = next((len(vector) for vector in vectors if vector is not None), 1)
    empty = np.full(length, np.nan)
    return np.array([empty if vector is None else vector for vector in vectors]).reshape(-1, length)


def distances(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of each row to each, infinite for a photo without a face."""
    products = one @ others.T
    squares = (one**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * products
    return np.nan_to_num(np.sqrt(np.maximum(squares, 0)), nan=np.inf)


def of_people(vectors: np.ndarray, people: np.ndarray) -> tuple[Pairs, Pairs]:
    """All pairs of one person, and of two; of many of the latter the nearest twentieth, which decides any FAR."""
    same, other = [], []
    counts = np.unique(people, return_counts=True)[1]
    total = (len(people) ** 2 - (counts**2).sum()) // 2
    kept = total if total < 2_000_000 else total // 20
    held = 0
    for start in range(0, len(people), 512):
        rows = np.arange(start, min(start + 512, len(people)))
        apart = distances(vectors[rows], vectors)
        upper = rows[:, None] < np.arange(len(people))
        equal = people[rows][:, None] == people
        for mask, into in ((upper & equal, same), (upper & ~equal, other)):
            first, second = np.nonzero(mask)
            into.append(
                (
                    apart[first, second],
                    np.column_stack((people[rows[first]], people[second])).astype(np.int32),
                )
            )
        held += len(other[-1][0])
        if held > 4 * kept:
            other = [nearest(other, kept)]
            held = kept
    return Pairs(*nearest(same, None)), Pairs(*nearest(other, kept))


def nearest(parts: list[tuple[np.ndarray, np.ndarray]], most: int | None) -> tuple[np.ndarray, np.ndarray]:
    apart = np.concatenate([part[0] for part in parts])
    people = np.concatenate([part[1] for part in parts])
    order = np.argsort(apart, kind="stable")[:most]
    return apart[order], people[order]


def threshold(others: Pairs, total: float, rate: float, weights: np.ndarray | None = None) -> float:
    """The greatest distance that no more than this part of all pairs of strangers reaches."""
    if weights is None:
        index = math.floor(rate * total)
        return float(others.distances[index]) if index < len(others.distances) else math.inf
    drawn = np.cumsum(weights[others.people[:, 0]] * weights[others.people[:, 1]])
    index = int(np.searchsorted(drawn, rate * total, side="right"))
    return float(others.distances[min(index, len(others.distances) - 1)])


def interval(
    same: Pairs, others: Pairs, counts: np.ndarray | None, rate: float, hits: int
) -> tuple[float, float]:
    """Of TAR at a FAR: by drawing people with replacement, and Wilson's where that tells nothing.

    That is where people are not known, and where all pairs are hits, or none is; then it is one over people.
    """
    if counts is None:
        return wilson(hits, len(same.distances))
    people = len(np.unique(same.people))
    if hits in (0, len(same.distances)):
        return wilson(people if hits else 0, people)
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS):
        weights = np.bincount(rng.integers(len(counts), size=len(counts)), minlength=len(counts)).astype(
            float
        )
        photos = weights * counts
        total = (photos.sum() ** 2 - (photos**2).sum()) / 2
        limit = threshold(others, total, rate, weights)
        by_pair = weights[same.people[:, 0]]
        if by_pair.sum():
            drawn.append(by_pair[same.distances < limit].sum() / by_pair.sum())
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def wilson(hits: int, of: int) -> tuple[float, float]:
    z = 1.96
    middle = (hits + z**2 / 2) / (of + z**2)
    half = z * math.sqrt(hits * (of - hits) / of + z**2 / 4) / (of + z**2)
    return middle - half, middle + half


def rank_1(one: Seen, people: np.ndarray) -> str:
    """The part of all but the first photos whose nearest in the gallery is the same person's."""
    firsts = np.unique(people, return_index=True)[1]
    probes = np.setdiff1d(np.arange(len(people)), firsts)
    vectors = matrix([*one.vectors, *one.strangers])
    gallery = np.concatenate((firsts, np.arange(len(people), len(vectors))))
    right = 0
    for start in range(0, len(probes), 512):
        rows = probes[start : start + 512]
        apart = distances(vectors[rows], vectors[gallery])
        best = gallery[apart.argmin(axis=1)]
        known = np.isfinite(apart.min(axis=1)) & (best < len(people))
        right += int((known & (people[np.minimum(best, len(people) - 1)] == people[rows])).sum())
    low, high = wilson(right, len(probes))
    return f"{right / len(probes):.3f} ({low:.3f}..{high:.3f})"


def row(one: Seen, same: Pairs, others: Pairs, total: int, counts: np.ndarray | None) -> list[str]:
    """A method's line: TAR at each FAR that enough pairs are behind, then both at similarity 80."""
    cells = []
    for rate in RATES:
        if rate * total < ENOUGH:
            cells.append("-")
            continue
        hits = int((same.distances < threshold(others, total, rate)).sum())
        bounds = interval(same, others, counts, rate, hits)
        cells.append(f"{hits / len(same.distances):.3f} ({bounds[0]:.3f}..{bounds[1]:.3f})")
    if one.similarity is None:
        return [*cells, "-", "-"]
    tar, far = (
        (one.similarity(np.minimum(pairs.distances, 2.0)) >= 80) & np.isfinite(pairs.distances)
        for pairs in (same, others)
    )
    return [*cells, f"{tar.mean():.3f}", f"{far.sum() / total:.1e}"]


def scale(one: Seen, others: Pairs, total: int) -> str:
    """The distances at which FAR has its meaning, as a definition's `similarity`."""
    points = [
        f"[{threshold(others, total, rate):.4f}, {similarity}]"
        for rate, similarity in MEANING
        if rate * total >= ENOUGH
    ]
    if len(points) < 2:
        need = ENOUGH / MEANING[1][0]
        return (
            f"{one.name}: {total:,} pairs of strangers are too few for a scale; it takes {need:,.0f} at least"
        )
    return f'{one.name}: metric = "euclidean", similarity = [{", ".join(reversed(points))}]'


def labelled(folder: Path) -> tuple[list[Path], np.ndarray]:
    """The photos below a folder of people, by person, and whose each is."""
    photos = sorted((path for path in photos_in(folder) if path.parent != folder), key=lambda one: one.parent)
    names = sorted({path.parent for path in photos})
    return photos, np.array([names.index(path.parent) for path in photos])


def listed(file: Path) -> Iterator[tuple[Path, Path, bool]]:
    """The pairs of a CSV or TSV file; a heading is passed over."""
    answers = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    delimiter = "\t" if file.suffix.lower() == ".tsv" else ","
    with file.open(newline="", encoding="utf-8") as lines:
        for number, line in enumerate(csv.reader(lines, delimiter=delimiter), start=1):
            if len(line) == 3 and line[2].strip().lower() in answers:
                yield file.parent / line[0], file.parent / line[1], answers[line[2].strip().lower()]
            elif line and number > 1:
                raise SystemExit(
                    f"{file}, line {number}: photo{delimiter}photo{delimiter}1 or 0 was expected"
                )


def main() -> None:
    """Read the command line and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labelled", type=Path)
    parser.add_argument("--strangers", type=Path, help="a folder of photos of other people")
    parser.add_argument("--add", type=Path, action="append", default=[], help="a model's TOML or ONNX file")
    parser.add_argument("--detail", default="auto")
    parser.add_argument("--peers-python", type=Path, help="an interpreter with dlib and its weights")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    pairs = [] if options.labelled.is_dir() else list(listed(options.labelled))
    if pairs:
        photos = sorted({path for one, other, _ in pairs for path in (one, other)})
        people = np.arange(len(photos))
    else:
        photos, people = labelled(options.labelled)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        library = Library(folder / "models")
        models = Models(library, folder, options.detail)
        added = [
            library.add(path, lambda *made: inspection.tried(models.over(*made))) for path in options.add
        ]
        versions = {
            "dlib": DLIB.version,
            "accurate": ACCURATE.version,
            **{one.name: one.version for one in added},
        }
        recognizers = [models.load(version) for version in versions.values()]
        seen = [Seen(name, one.scale.similarity) for name, one in zip(versions, recognizers, strict=True)]
        peer = None
        if not options.no_peers:
            peer = stack.enter_context(Peer(options.peers_python or peers_python()))
            seen.append(Seen(PEER))
        for path in photos:
            look(seen, recognizers, peer, path, every=False)
        for path in photos_in(options.strangers) if options.strangers else []:
            look(seen, recognizers, peer, path, every=True)
    report(seen, people, pairs, photos)


def report(seen: list[Seen], people: np.ndarray, pairs: list[Any], photos: list[Path]) -> None:
    lines, scales, told = [], [], ""
    for one in seen:
        if pairs:
            places = {path: n for n, path in enumerate(photos)}
            vectors = matrix(one.vectors)
            split: tuple[list[float], list[float]] = ([], [])
            for first, second, equal in pairs:
                between = distances(vectors[[places[first]]], vectors[[places[second]]])[0, 0]
                split[not equal].append(float(between))
            same, others = (Pairs(np.sort(part), np.full((len(part), 2), -1)) for part in split)
            total, counts, rank = len(split[1]), None, "-"
        else:
            everybody = np.concatenate((people, people.max() + 1 + np.arange(len(one.strangers))))
            counts = np.bincount(everybody)
            same, others = of_people(matrix([*one.vectors, *one.strangers]), everybody)
            total = sum(a * b for a, b in combinations(counts.tolist(), 2)) if len(counts) < 3000 else 0
            total = total or int((counts.sum() ** 2 - (counts**2).sum()) // 2)
            rank = rank_1(one, people)
        told = told or f"{len(same.distances):,} pairs of one person, {total:,} of two"
        times = f"{median(one.seconds) * 1e3:.1f}" if one.seconds else "-"
        found = f"{one.found / len(photos):.1%}"
        lines.append([one.name, found, *row(one, same, others, total, counts), rank, times])
        if one.name != PEER:
            scales.append(scale(one, others, total))
    print(f"{machine()}; one thread")
    of = "" if pairs else f" of {len(np.unique(people))} people, {len(seen[0].strangers)} strangers"
    print(f"{len(photos)} photos{of}: {told}\n")
    head = ["model", "faces found", *(f"TAR at FAR {rate:.0e}" for rate in RATES), "TAR at 80", "FAR at 80"]
    print(table([*head, "rank-1", "describe ms/face"], lines))
    print("\nScales on which a similarity would mean, in FAR, what it means for dlib's on a large set:\n")
    print("\n".join(scales))


if __name__ == "__main__":
    main()
