"""Does a search among users find people better than a search among their faces? On drawn people, or your photos:

    python benchmarks/users.py [FOLDER] [--strangers FOLDER] [--drawn 50] [--faces 3,6]

FOLDER holds a folder for each person, with two photos or more; without it, people are drawn as those of
sample_images are, with 7 photos each. Of each of your photos, seven copies are made that are blurred, small, dark,
noisy, tilted or packed hard. Each photo in turn is left out, and it and its copies are searched for: among so many
images of each person as --faces says, chosen from the other photos and their copies at random. Everybody else, and
every face in the photos of --strangers, is who must not be found.

A person's score in a face search is that of their best face; in a user search it is their user's. TAR is the part
of the searches in which the right person's score passes a threshold, FAR the part of comparisons with others that
do. In brackets is what 95 % of as many people would give, by drawing from these again and again. Copies of one
photo are no independent photos, and drawn people are more alike than real ones: the table says which way is
better, and not how good it will be for you.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from drawn_people import drawn
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from facesearch.engine.user_distance import Groups
from facesearch.engine.vision.recognizer import DlibRecognizer, SeenFace

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 480  # pixels of the longer side of a face's surroundings, before it is degraded
PHOTOS = 7  # of each drawn person
FIRST_DRAWN = 50  # those before were drawn to choose how users are compared
RESAMPLED = 300
SUFFIXES = {".jpg", ".jpeg", ".png"}

Photos = Sequence[Sequence["NDArray[np.float32]"]]  # of one person: the vectors of each photo and its copies


def noisy(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float64)
    noise = np.random.default_rng(0).normal(0, 25, pixels.shape)
    return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))


def small(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 6, image.height // 6)).resize(image.size)


COPIES: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda image: image,
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(image.width / 150)),
    "blurred more": lambda image: image.filter(ImageFilter.GaussianBlur(image.width / 90)),
    "small": small,
    "dark": lambda image: ImageEnhance.Brightness(image).enhance(0.35),
    "noisy": noisy,
    "tilted": lambda image: image.rotate(12, Image.Resampling.BICUBIC, fillcolor=(120, 120, 120)),
    "packed hard": lambda image: packed(image, quality=12),
}


def packed(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


@dataclass
class Looking:
    """Photos to vectors."""

    recognizer: DlibRecognizer

    def largest(self, image: Image.Image) -> list[NDArray[np.float32]]:
        """The vector of the largest face, if there is one."""
        faces = self.recognizer.detect(image)[:1]
        return list(self.recognizer.embed(image, faces)) if faces else []

    def every(self, photo: Path) -> list[NDArray[np.float32]]:
        """The vectors of all faces of a photo."""
        image = opened(photo)
        return list(self.recognizer.embed(image, self.recognizer.detect(image)))

    def copies(self, photo: Path) -> list[NDArray[np.float32]]:
        """The vectors of the largest face, as it is and degraded."""
        image = opened(photo)
        faces = self.recognizer.detect(image)[:1]
        around = [surroundings(image, face) for face in faces]
        return [
            vector for face in around for degrade in COPIES.values() for vector in self.largest(degrade(face))
        ]


def opened(photo: Path) -> Image.Image:
    with Image.open(photo) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((2400, 2400))
    return upright


def surroundings(image: Image.Image, face: SeenFace) -> Image.Image:
    """A face with as much around it on each side as it is wide."""
    left, top = max(0, face.left - face.width), max(0, face.top - face.height)
    right, bottom = face.left + 2 * face.width, face.top + 2 * face.height
    cut = image.crop(
        (round(left), round(top), min(image.width, round(right)), min(image.height, round(bottom)))
    )
    cut.thumbnail((SIDE, SIDE))
    return cut


def in_folder(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]


def people_in(folder: Path, looking: Looking) -> Iterator[Photos]:
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        photos = [vectors for photo in in_folder(person) if (vectors := looking.copies(photo))]
        if len(photos) > 1:
            yield photos


def people_drawn(count: int, looking: Looking) -> Iterator[Photos]:
    for number in range(FIRST_DRAWN, FIRST_DRAWN + count):
        yield [vectors for image in drawn(number, PHOTOS) if (vectors := looking.largest(image))]


@dataclass
class Searches:
    """Distances of every search for a person: (searches, people), the right one's place, and strangers' own."""

    who: NDArray[np.int64]
    distances: NDArray[np.float64]
    strangers: NDArray[np.float64]


def searched(
    people: Sequence[Photos], strangers: Sequence[NDArray[np.float32]], faces: int
) -> list[Searches]:
    """By best face, and by user."""
    rng = np.random.default_rng(0)
    who: list[int] = []
    found: list[list[NDArray[np.float64]]] = [[], []]
    others: list[list[NDArray[np.float64]]] = [[], []]
    for person, photos in enumerate(people):
        for left_out, probes in enumerate(photos):
            groups = []
            for other, theirs in enumerate(people):
                kept = [copies for n, copies in enumerate(theirs) if (other, n) != (person, left_out)]
                pool = [vector for copies in kept for vector in copies]
                groups.append([pool[n] for n in rng.permutation(len(pool))[:faces]])
            starts = np.cumsum([0, *map(len, groups[:-1])])
            users = Groups.of(np.array([vector for group in groups for vector in group], np.float32), starts)
            for probe in probes:
                who.append(person)
                for way, distances in enumerate(both_ways(users, probe)):
                    found[way].append(distances)
            for stranger in strangers:
                for way, distances in enumerate(both_ways(users, stranger)):
                    others[way].append(distances)
    none = np.empty((0, len(people)))
    return [Searches(np.array(who), np.array(found[way]), np.array(others[way] or none)) for way in (0, 1)]


def both_ways(users: Groups, probe: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    apart = np.linalg.norm(users.matrix.astype(np.float64) - probe, axis=1)
    return np.minimum.reduceat(apart, users.starts), users.distances(Groups.one([probe.tobytes()]))


def figures(some: Searches, near: float, chosen: Sequence[int] | None = None) -> NDArray[np.float64]:
    """Rank-1, TAR at a FAR of 1e-3 and of 1e-2, TAR and FAR at 80; of searches for the chosen people alone."""
    rows = np.arange(len(some.who))
    if chosen is not None:
        rows = np.concatenate([np.flatnonzero(some.who == person) for person in chosen])
    distances, who = some.distances[rows], some.who[rows]
    right = distances[np.arange(len(rows)), who]
    mask = np.ones(distances.shape, bool)
    mask[np.arange(len(rows)), who] = False
    wrong = distances[mask].reshape(len(rows), -1)
    others = np.concatenate((wrong.ravel(), some.strangers.ravel()))
    at = [
        np.mean(right < np.partition(others, int(rate * len(others)))[int(rate * len(others))])
        for rate in (1e-3, 1e-2)
    ]
    return np.array(
        [np.mean(right < wrong.min(axis=1)), *at, np.mean(right <= near), np.mean(others <= near)]
    )


def table(ways: Sequence[Searches], near: float, faces: int) -> str:
    """The figures of both ways, and what the second has more, with their ranges."""
    rng = np.random.default_rng(1)
    people = np.unique(ways[0].who)
    again = [rng.choice(people, len(people)) for _ in range(RESAMPLED)]
    means = np.array([figures(way, near) for way in ways])
    drawn_again = np.array([[figures(way, near, chosen) for way in ways] for chosen in again])
    rows = [
        (f"face search, {faces} faces each", means[0], drawn_again[:, 0]),
        (f"user search, {faces} faces each", means[1], drawn_again[:, 1]),
        ("user search has more", means[1] - means[0], drawn_again[:, 1] - drawn_again[:, 0]),
    ]
    lines = []
    for name, values, spread in rows:
        low, high = np.quantile(spread, [0.025, 0.975], axis=0)
        cells = [f"{v:6.4f} [{a:6.4f} {b:6.4f}]" for v, a, b in zip(values, low, high, strict=True)]
        lines.append(f"{name:28}" + "  ".join(f"{cell:24}" for cell in cells))
    return "\n".join(lines)


HEAD = ("rank-1", "TAR at FAR 1e-3", "TAR at FAR 1e-2", "TAR at 80", "FAR at 80")


def report(
    people: Sequence[Photos], strangers: Sequence[NDArray[np.float32]], faces: Sequence[int], near: float
) -> None:
    photos = sum(map(len, people))
    print(f"{len(people)} people, {photos} photos, {len(strangers)} faces of strangers")
    print(" " * 28 + "  ".join(f"{name:24}" for name in HEAD))
    for many in faces:
        print(table(searched(people, strangers, many), near, many))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--strangers", type=Path, help="a folder of photos of other people")
    parser.add_argument("--drawn", type=int, default=50, help="people to draw where there is no folder (50)")
    parser.add_argument("--faces", default="3,6", help="images of each person in the collection (3,6)")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        looking = Looking(DlibRecognizer.load(cache=Path(cache)))
        made = people_in(wish.folder, looking) if wish.folder else people_drawn(wish.drawn, looking)
        people = list(made)
        files = in_folder(wish.strangers) if wish.strangers else []
        strangers = [vector for photo in files for vector in looking.every(photo)]
        near = float(looking.recognizer.scale.distance(80.0))
        report(people, strangers, [int(many) for many in wish.faces.split(",")], near)


if __name__ == "__main__":
    main()
