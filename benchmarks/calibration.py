"""Does a threshold that keeps to a rate of false matches keep to it on people who were held back? On your photos:

    python benchmarks/calibration.py FOLDER [--strangers FOLDER] [--rates 0.1,0.01] [--splits 200]
    python benchmarks/calibration.py --made 400

FOLDER holds a folder for each person; every face in the photos of --strangers is of a person of their own, whom
nobody else's photos show. --made takes that many people made of numbers, of three faces each and of a dozen kinds,
in their place. The people are split in two halves at random, again and again: what `facesearch calibrate` counts
on one half gives a threshold for each rate with its range, and the other half says what the threshold does there.

`held` is the part of the splits in which the ranges of both halves have a rate in common (each half is a sample,
and has its own range), `inside` the part in which the share seen in the other half lies within the first range
itself. Where half of the people are too few for a rate, it says how many it takes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from peers import photos_in

from facesearch.domain.calibration import Calibration, pairs, people_for
from facesearch.engine import images
from facesearch.engine.vision.recognizer import DlibRecognizer
from facesearch.workflows.calibrating.counting import Answer, Counting

Faces = list["np.ndarray"]  # the vectors of one person


def people_in(folder: Path, strangers: Path | None, recognizer: DlibRecognizer) -> list[Faces]:
    """The largest face of each photo by person, and each face among strangers as a person of their own."""

    def seen(photo: Path, most: int | None) -> Faces:
        image = images.decode(photo.read_bytes())
        return list(recognizer.embed(image, recognizer.detect(image)[:most]))

    known = [
        [vector for photo in photos_in(person) for vector in seen(photo, 1)]
        for person in sorted(path for path in folder.iterdir() if path.is_dir())
    ]
    others = [[vector] for photo in photos_in(strangers) for vector in seen(photo, None)] if strangers else []
    return [faces for faces in [*known, *others] if faces]


def people_made(number: int) -> list[Faces]:
    """People of three faces each, of a dozen kinds, about as far apart as those in photos."""
    chance = np.random.default_rng(0)
    kinds = 0.6 * chance.normal(size=(12, 24))
    middles = chance.normal(size=(number, 24)) + kinds[chance.integers(0, 12, number)]
    vectors = middles[:, None, :] + 0.35 * chance.normal(size=(number, 3, 24))
    vectors *= 0.45 / np.linalg.norm(vectors, axis=2, keepdims=True)
    rest = np.full((number, 3, 1), np.sqrt(1 - 0.45**2))
    return [list(faces) for faces in np.concatenate((vectors, rest), axis=2)]


def calibrated(people: Sequence[Faces], recognizer: DlibRecognizer) -> Calibration:
    """What `facesearch calibrate` would say of a collection of these people."""
    vectors = np.array([face for faces in people for face in faces], np.float64)
    whose = np.repeat(np.arange(len(people)), [len(faces) for faces in people])
    similarity = recognizer.scale.similarity(np.sqrt(np.maximum(0, 2 - 2 * vectors @ vectors.T)))
    np.fill_diagonal(similarity, -1)
    starts = np.flatnonzero(np.diff(whose, prepend=-1))
    best = np.maximum.reduceat(similarity, starts, axis=1)
    counting = Counting(dict(enumerate(map(len, people))))
    for person, row in zip(whose.tolist(), best.tolist(), strict=True):
        counting.add(Answer(person, {other: score for other, score in enumerate(row) if score >= 0}))
    return Calibration(
        "",
        datetime.now(UTC),
        counting.faces,
        counting.people,
        counting.comparisons,
        counting.own,
        counting.own_people,
        tuple(counting.points()),
    )


def report(people: Sequence[Faces], recognizer: DlibRecognizer, rates: Sequence[float], splits: int) -> None:
    chance = np.random.default_rng(1)
    halves = []
    for _ in range(splits):
        order = chance.permutation(len(people))
        middle = len(people) // 2
        halves.append(
            [
                calibrated([people[n] for n in half], recognizer)
                for half in (np.sort(order[:middle]), np.sort(order[middle:]))
            ]
        )
    first = halves[0][0]
    print(
        f"{len(people)} people, {sum(map(len, people))} faces; half of them make {pairs(first.people):,} pairs "
        f"and {first.comparisons:,} comparisons; {splits} splits"
    )
    print("rate    | threshold | range of the rate | seen in the other half | held | inside")
    print("-" * 84)
    for rate in rates:
        if rate < first.finest:
            print(f"{rate:<7g} | half of the people are {first.people}: it takes {people_for(rate)}")
            continue
        rows = []
        for mine, other in halves:
            point = mine.reaching(rate)
            seen = other.rate_at(point.similarity) if point else None
            if point and seen:
                rows.append((point, seen))
        held = [p.false_matches.low <= s.high and s.low <= p.false_matches.high for p, s in rows]
        inside = [p.false_matches.low <= s.estimate <= p.false_matches.high for p, s in rows]
        low = median(p.false_matches.low for p, _ in rows)
        high = median(p.false_matches.high for p, _ in rows)
        print(
            f"{rate:<7g} | {median(p.similarity for p, _ in rows):9.2f} | {low:.2g} to {high:.2g}".ljust(39)
            + f" | mean {np.mean([s.estimate for _, s in rows]):.2g}".ljust(25)
            + f" | {np.mean(held):4.2f} | {np.mean(inside):4.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--strangers", type=Path, help="a folder of photos of other people")
    parser.add_argument("--made", type=int, help="people made of numbers, in place of photos")
    parser.add_argument("--rates", default="0.1,0.03,0.01,0.001")
    parser.add_argument("--splits", type=int, default=100)
    wish = parser.parse_args()
    if (wish.folder is None) == (wish.made is None):
        parser.error("give a folder of photos, or --made and a number of people")
    with tempfile.TemporaryDirectory() as cache:
        recognizer = DlibRecognizer.load(cache=Path(cache))
        people = people_made(wish.made) if wish.made else people_in(wish.folder, wish.strangers, recognizer)
        report(people, recognizer, [float(rate) for rate in wish.rates.split(",")], wish.splits)


if __name__ == "__main__":
    main()
