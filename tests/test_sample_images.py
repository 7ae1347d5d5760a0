"""The sample photos: what labels.json says of them holds, for the eye of the engine too."""

from __future__ import annotations

import importlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image, ImageOps

from facesearch.engine.vision.built_in import DLIB
from facesearch.engine.vision.recognizer import DlibRecognizer

SUREST_STRANGERS, LEAST_ALIKE = (
    70.0,
    95.0,
)  # similarities: no two people above the one, no two photos of one below
LARGEST_SET = 4_000_000  # bytes


class Seen(NamedTuple):
    """What the engine makes of one photo."""

    size: tuple[int, int]
    faces: list
    descriptors: np.ndarray


@pytest.fixture(scope="module")
def labels(samples):
    return json.loads((samples / "labels.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def draw(samples):
    """The script that drew the photos, as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(samples))
        yield importlib.import_module("draw")


@pytest.fixture(scope="module")
def recognizer(vision_cache):
    return DlibRecognizer.load(vision_cache)


@pytest.fixture(scope="module")
def seen(samples, labels, recognizer):
    """Every labelled photo, upright, through the engine's eyes."""

    def look(path):
        with Image.open(samples / path) as stored:
            image = ImageOps.exif_transpose(stored).convert("RGB")
        faces = recognizer.detect(image)
        return Seen(image.size, faces, recognizer.embed(image, faces))

    paths = [*enrolled(labels), *(query["photo"] for query in labels["queries"])]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(paths, pool.map(look, paths), strict=True))


def enrolled(labels):
    return [photo for person in labels["people"].values() for photo in person["photos"]]


def of_kind(labels, kind):
    return [query for query in labels["queries"] if query["kind"] == kind]


def face_at(seen, box):
    """The index of the engine's face that a labelled box overlaps best, and how well (intersection over union)."""

    def overlap(face):
        width, height = seen.size
        left, top = box["left"] * width, box["top"] * height
        across = min(face.left + face.width, left + box["width"] * width) - max(face.left, left)
        down = min(face.top + face.height, top + box["height"] * height) - max(face.top, top)
        common = max(across, 0.0) * max(down, 0.0)
        return common / (face.area + box["width"] * width * box["height"] * height - common)

    return max(((n, overlap(face)) for n, face in enumerate(seen.faces)), key=lambda found: found[1])


def labelled_faces(labels, seen):
    """Each face of the set: whose it is (a stranger has a name of his own) and its descriptor."""
    faces = []
    for person, entry in labels["people"].items():
        faces += [(person, seen[photo].descriptors[0]) for photo in entry["photos"]]
    for query in labels["queries"]:
        photo = seen[query["photo"]]
        for face in query["faces"]:
            number, _ = face_at(photo, face["box"])
            faces.append((face["person"] or f"a stranger in {query['photo']}", photo.descriptors[number]))
    return faces


def test_the_labels_name_every_photo_and_no_other(samples, labels):
    kinds = {".jpg", ".png"}
    stored = {str(p.relative_to(samples)) for p in samples.rglob("*") if p.suffix in kinds}
    assert stored == {*enrolled(labels), *(query["photo"] for query in labels["queries"])}


def test_a_person_is_a_folder_and_has_three_photos(labels):
    assert len(labels["people"]) >= 6
    for person, entry in labels["people"].items():
        assert len(entry["photos"]) == 3
        assert all(photo.startswith(f"people/{person}/") for photo in entry["photos"])


def test_there_is_a_query_of_every_kind_and_for_every_person(labels):
    shown = {person for query in of_kind(labels, "person") for person in query["shows"]}
    assert shown == set(labels["people"])
    for kind in ("stranger", "group", "empty", "rotated"):
        assert of_kind(labels, kind), kind


def test_what_a_query_shows_is_the_known_people_among_its_faces_largest_first(labels):
    for query in labels["queries"]:
        areas = [face["box"]["width"] * face["box"]["height"] for face in query["faces"]]
        assert areas == sorted(areas, reverse=True)
        assert query["shows"] == [face["person"] for face in query["faces"] if face["person"]]
        assert set(query["shows"]) <= set(labels["people"])


def test_the_set_is_small_and_its_licence_is_written_down(samples, labels):
    files = [p for p in samples.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert sum(p.stat().st_size for p in files) < LARGEST_SET
    assert labels["licence"] == "CC0-1.0"
    assert "CC0 1.0" in (samples / "README.md").read_text(encoding="utf-8")


def test_the_labels_are_what_the_script_knows_of_its_pictures(draw, labels):
    said = json.loads(json.dumps(draw.labels()))
    assert {**said, "drawn_with": None} == {**labels, "drawn_with": None}


def test_the_person_files_are_what_the_script_writes(draw, samples):
    for path, text in draw.scenes.PERSON_FILES.items():
        assert (samples / path).read_text(encoding="utf-8") == text


def test_drawing_a_photo_again_gives_the_same_picture(draw, samples, labels, tmp_path):
    shot = min(draw.scenes.ENROLLED, key=lambda s: (s.path.endswith(".png"), s.size))
    draw.save(draw.draw_shot(shot), tmp_path / shot.path)
    again, stored = (tmp_path / shot.path).read_bytes(), (samples / shot.path).read_bytes()
    if labels["drawn_with"] == draw.drawn_with():
        assert again == stored
    first, second = (np.asarray(Image.open(io.BytesIO(data)), dtype=np.int16) for data in (again, stored))
    assert np.abs(first - second).mean() < 2.0


def test_a_portrait_shows_one_face(labels, seen):
    portraits = enrolled(labels) + [
        query["photo"] for kind in ("person", "stranger", "rotated") for query in of_kind(labels, kind)
    ]
    assert {photo: len(seen[photo].faces) for photo in portraits} == dict.fromkeys(portraits, 1)


def test_the_empty_picture_shows_no_face(labels, seen):
    assert [len(seen[query["photo"]].faces) for query in of_kind(labels, "empty")] == [0]


def test_every_labelled_face_is_found_where_the_label_says(labels, seen):
    for query in labels["queries"]:
        photo = seen[query["photo"]]
        found = [face_at(photo, face["box"]) for face in query["faces"]]
        assert sorted(number for number, _ in found) == list(range(len(photo.faces))), query["photo"]
        assert all(overlap > 0.5 for _, overlap in found), query["photo"]


def test_the_group_has_four_people_and_one_face_is_clearly_the_largest(labels, seen):
    (group,) = of_kind(labels, "group")
    assert len(group["shows"]) >= 4
    largest, second = seen[group["photo"]].faces[:2]
    assert largest.area > 1.3 * second.area
    assert face_at(seen[group["photo"]], group["faces"][0]["box"])[0] == 0
    assert group["faces"][0]["person"] in labels["people"]


def test_the_sideways_photo_shows_its_face_only_to_a_reader_of_exif(samples, labels, recognizer):
    (rotated,) = of_kind(labels, "rotated")
    with Image.open(samples / rotated["photo"]) as stored:
        assert stored.getexif()[0x0112] in (6, 8)
        assert recognizer.detect(stored.convert("RGB")) == []


def test_photos_of_one_person_match_and_no_two_people_do(labels, seen):
    pairs = list(combinations(labelled_faces(labels, seen), 2))
    alike = {True: [], False: []}
    for (first, one), (second, other) in pairs:
        alike[first == second].append(float(DLIB.scale.similarity(float(np.linalg.norm(one - other)))))
    assert min(alike[True]) >= LEAST_ALIKE
    assert max(alike[False]) < SUREST_STRANGERS
