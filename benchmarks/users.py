"""Does a search among users find people better than a search among their faces? Over your own photos:

    python benchmarks/users.py FOLDER [--strangers FOLDER]

FOLDER holds a folder for each person, with two photos or more. Of each photo, seven copies are made that are
blurred, small, dark, noisy, tilted or packed hard. Each photo in turn is left out, and it and its copies are
searched for: among up to `--faces` images of each person, drawn from the other photos and their copies at random.
Everybody else, and every face in the photos of --strangers, is who must not be found.

A person's score in a face search is that of their best face; in a user search it is their user's. TAR is the part
of the searches in which the right person's score passes a threshold, FAR the part of comparisons with others that
do. Copies of one photo are no independent photos: with few people, the table says which way is better, and not how
good it will be for you.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore
import numpy as np
from botocore.config import Config
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from facesearch.engine.service import Engine
from facesearch.engine.transports import attach
from facesearch.engine.vision.recognizer import DlibRecognizer, Recognizer, SeenFace

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 480  # pixels of the longer side of a face's surroundings, before it is degraded
RNG = np.random.default_rng(0)
SUFFIXES = {".jpg", ".jpeg", ".png"}

Scores = tuple[list[float], list[float]]  # of the right people, of the others


def noisy(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float64)
    return Image.fromarray((pixels + RNG.normal(0, 25, pixels.shape)).clip(0, 255).astype(np.uint8))


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
    "packed hard": lambda image: Image.open(io.BytesIO(jpeg(image, quality=12))),
}


class Remembering:
    """A recognizer that looks at each image once, however often it is enrolled and searched for."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._seen: dict[bytes, list[SeenFace]] = {}
        self._vectors: dict[tuple[bytes, tuple[float, ...]], NDArray[np.float32]] = {}
        self.model_version = recognizer.model_version
        self.dimensions = recognizer.dimensions
        self.scale = recognizer.scale

    def detect(self, image: Image.Image) -> list[SeenFace]:
        key = hashlib.sha256(image.tobytes()).digest()
        if key not in self._seen:
            self._seen[key] = self._recognizer.detect(image)
        return list(self._seen[key])

    def embed(self, image: Image.Image, faces: Sequence[SeenFace]) -> NDArray[np.float32]:
        key = hashlib.sha256(image.tobytes()).digest(), tuple(face.left for face in faces)
        if key not in self._vectors:
            self._vectors[key] = self._recognizer.embed(image, faces)
        return self._vectors[key]


def jpeg(image: Image.Image, quality: int = 92) -> bytes:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def surroundings(client: Any, photo: Path, every: bool) -> Iterator[Image.Image]:
    """The largest face of a photo, or every face of it, with as much around it on each side as it is wide."""
    with Image.open(photo) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGB")
    image.thumbnail((2400, 2400))
    details = client.detect_faces(Image={"Bytes": jpeg(image)})["FaceDetails"]
    for detail in details if every else details[:1]:
        box = detail["BoundingBox"]
        left, top = box["Left"] * image.width, box["Top"] * image.height
        width, height = box["Width"] * image.width, box["Height"] * image.height
        face = image.crop(
            (
                round(max(0, left - width)),
                round(max(0, top - height)),
                round(min(image.width, left + 2 * width)),
                round(min(image.height, top + 2 * height)),
            )
        )
        face.thumbnail((SIDE, SIDE))
        if min(face.size) >= 80:
            yield face


def photos_of(client: Any, folder: Path) -> dict[str, list[list[bytes]]]:
    """For each person the photos, each as its copies."""
    people = {}
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        photos = [path for path in sorted(person.iterdir()) if path.suffix.lower() in SUFFIXES]
        faces = [face for photo in photos for face in surroundings(client, photo, every=False)]
        if len(faces) > 1:
            people[person.name] = [[jpeg(degrade(face)) for degrade in COPIES.values()] for face in faces]
    return people


def enrol(client: Any, collection: str, people: Mapping[str, Sequence[bytes]]) -> dict[str, str]:
    """A collection of these people as faces and as users; whose each face is."""
    client.create_collection(CollectionId=collection)
    owners: dict[str, str] = {}
    for number, (person, images) in enumerate(people.items()):
        face_ids = []
        for image in images:
            records = client.index_faces(
                CollectionId=collection, Image={"Bytes": image}, MaxFaces=1, QualityFilter="NONE"
            )["FaceRecords"]
            face_ids += [record["Face"]["FaceId"] for record in records]
        client.create_user(CollectionId=collection, UserId=str(number))
        if face_ids:
            client.associate_faces(CollectionId=collection, UserId=str(number), FaceIds=face_ids)
        owners |= dict.fromkeys(face_ids, person)
        owners[str(number)] = person
    return owners


def searched(client: Any, collection: str, image: bytes, owners: Mapping[str, str]) -> list[dict[str, float]]:
    """Each person's score in a face search and in a user search; none for an image without a face."""
    query = {"CollectionId": collection, "Image": {"Bytes": image}}
    users = client.search_users_by_image(**query, UserMatchThreshold=0)
    if "SearchedFace" not in users:
        return []
    faces = client.search_faces_by_image(**query, FaceMatchThreshold=0, MaxFaces=4096)["FaceMatches"]
    best: dict[str, float] = {}
    for match in faces:
        best.setdefault(owners[match["Face"]["FaceId"]], match["Similarity"])
    return [best, {owners[match["User"]["UserId"]]: match["Similarity"] for match in users["UserMatches"]}]


def measure(
    client: Any, people: Mapping[str, list[list[bytes]]], strangers: Sequence[bytes], most: int
) -> tuple[list[Scores], list[int]]:
    """Scores and right first answers of both ways."""
    scores: list[Scores] = [([], []), ([], [])]
    first = [0, 0]
    for person, photos in people.items():
        for left_out, probes in enumerate(photos):
            chosen = defaultdict(list)
            for other, theirs in people.items():
                pool = [
                    copy
                    for number, copies in enumerate(theirs)
                    if other != person or number != left_out
                    for copy in copies
                ]
                chosen[other] = [pool[n] for n in RNG.permutation(len(pool))[:most]]
            owners = enrol(client, "benchmark", chosen)
            for image, who in [(probe, person) for probe in probes] + [(image, None) for image in strangers]:
                for way, found in enumerate(searched(client, "benchmark", image, owners)):
                    right = found.pop(who, None) if who else None
                    if right is not None:
                        scores[way][0].append(right)
                        first[way] += right > max(found.values(), default=0.0)
                    scores[way][1].extend(found.values())
            client.delete_collection(CollectionId="benchmark")
    return scores, first


def row(name: str, scores: Scores, first: int) -> str:
    right, others = np.array(scores[0]), np.sort(scores[1])[::-1]
    cells = [f"{name:12}", f"{first / len(right):7.4f}"]
    for rate in (1e-2, 1e-3, 1e-4):
        allowed = int(rate * len(others))
        cells.append(f"{np.mean(right > others[allowed]):8.4f}" if allowed else "       -")
    cells += [f"{np.mean(right >= 80):8.4f}", f"{np.mean(others >= 80):9.5f}"]
    return "  ".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--strangers", type=Path, help="a folder of photos of other people")
    parser.add_argument("--faces", type=int, default=5, help="images of each person in the collection (5)")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        recognizer = Remembering(DlibRecognizer.load(cache=Path(cache)))
        engine = Engine(None, lambda: recognizer)
        config = Config(signature_version=botocore.UNSIGNED)
        client = attach(
            boto3.client(
                "rekognition", region_name="us-east-1", endpoint_url="http://embedded.invalid", config=config
            ),
            engine,
        )
        people = photos_of(client, wish.folder)
        files = sorted(wish.strangers.rglob("*")) if wish.strangers else []
        strangers = [
            jpeg(face)
            for photo in files
            if photo.suffix.lower() in SUFFIXES
            for face in surroundings(client, photo, every=True)
        ]
        print(f"{len(people)} people, {sum(map(len, people.values()))} photos, {len(strangers)} strangers")
        scores, first = measure(client, people, strangers, wish.faces)
        engine.close()
    print(f"{len(scores[0][0])} searches for someone, {len(scores[0][1])} comparisons with others")
    print("               rank-1  TAR@1e-2  TAR@1e-3  TAR@1e-4   TAR@80     FAR@80")
    print(row("best face", scores[0], first[0]))
    print(row("user", scores[1], first[1]))


if __name__ == "__main__":
    main()
