"""What dlib itself computed (data/reference.json, by make_reference.py) against what is computed here."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from facesearch.engine.vision import detect, embed, landmarks, networks, streams, weights
from facesearch.engine.vision.runtime import Network
from facesearch.engine.vision.shapes import parse

DATA = Path(__file__).with_name("data")
VIEWS = json.loads((DATA / "reference.json").read_text())["views"]
FACES = [(view, face) for view in VIEWS for face in view["faces"]]


def name(value):
    return f"{value['photo']}x{value['repeat']}" if "photo" in value else ""


def pixels(view):
    photo = np.asarray(Image.open(DATA / view["photo"]).convert("RGB"))
    return photo.repeat(view["repeat"], axis=0).repeat(view["repeat"], axis=1)


def edges(box):
    """dlib's box (first and last pixel) as left, top, width, height."""
    left, top, right, bottom = box
    return np.array([left, top, right - left + 1, bottom - top + 1], float)


@pytest.fixture(scope="module")
def exact_descriptor():
    return Network(networks.descriptor(streams.layers(weights.read(weights.DESCRIPTOR)), int8=False))


@pytest.fixture(scope="module")
def shapes():
    return parse(weights.read(weights.LANDMARKS))


@pytest.mark.parametrize(("view", "face"), FACES, ids=name)
def test_five_points_are_where_dlib_finds_them(view, face, shapes):
    found = landmarks.locate(Image.fromarray(pixels(view)), edges(face["box"])[None], shapes)[0]
    assert np.abs(np.floor(found) - face["points"]).max() <= 1
    assert np.abs(found - 0.5 - face["points"]).mean() <= 0.5


@pytest.mark.parametrize(("view", "face"), FACES, ids=name)
def test_a_single_crop_has_the_descriptor_that_dlib_computes(view, face, exact_descriptor):
    points = np.array(face["points"]) + 0.5
    matrix, _ = embed.chip_to_photo(points)
    chip = embed.chip(Image.fromarray(pixels(view)), points)
    difference = exact_descriptor(chip[None])[0] - face["descriptor"]
    if np.linalg.norm(matrix[:, 0]) <= 2:
        assert np.abs(difference).max() < 1e-5
    else:  # a face of many pixels is made smaller first, and dlib has a filter of its own for that
        assert np.linalg.norm(difference) < 0.1


@pytest.mark.parametrize("view", VIEWS, ids=name)
def test_dlibs_own_pyramid_gives_dlibs_boxes_and_scores(view):
    model = onnx.load_from_string(
        networks.detector(streams.layers(weights.read(weights.DETECTOR)), int8=False)
    )
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    photo = pixels(view)
    tiles = tiled(*photo.shape[:2])
    scores = session.run(None, {"blocks": blocks(drawn(photo, tiles))})[0][0, 0]
    found = [(scores[place], in_photo(place, tiles)) for place in zip(*np.nonzero(scores > 0), strict=True)]
    found.sort(key=lambda one: -one[0])
    kept = []
    for score, box in found:
        if all(detect.overlaps(edges(box), edges(other)[None])[0] <= 0.338276 for _, other in kept):
            kept.append((score, box))
    assert len(kept) == len(view["faces"])
    for (score, box), face in zip(kept, view["faces"], strict=True):
        assert score == pytest.approx(face["score"], abs=1e-5)
        assert np.floor(np.array(box) + 0.5).tolist() == face["box"]


@pytest.mark.parametrize("view", VIEWS, ids=name)
def test_the_faster_pyramid_finds_the_same_faces(view, recognizer):
    seen = recognizer.detect(Image.fromarray(pixels(view)))
    assert len(seen) == len(view["faces"])
    for face, reference in zip(seen, view["faces"], strict=True):
        box = np.array([face.left, face.top, face.width, face.height])
        assert detect.overlaps(box, edges(reference["box"])[None])[0] > 0.6
        eyes = np.hypot(*np.subtract(reference["points"][0], reference["points"][2]))
        assert np.abs(face.points - 0.5 - reference["points"]).max() < 0.1 * eyes


# --- dlib's pyramid: levels of 5/6, side by side in one image ------------------------------------------------

SPACE, EDGE = 10, 11
WINDOW, STEP, FIRST = 80, 8, 14


def tiled(height, width):
    """Where each level lies: left, top, width, height."""
    sizes = []
    while height >= 5 and width > 0:
        sizes.append((width, height))
        height, width = int(height * 5 / 6), int(width * 5 / 6)
    total = sum(size[1] + SPACE for size in sizes) - 2 * SPACE
    column, before = 0, 0
    for size in sizes:
        fits = size[0] <= sizes[0][0] - before - SPACE
        if fits and (column - sizes[0][1]) * 2 >= total - sizes[0][1]:
            break
        column += size[1] + SPACE
        before = size[0]
    column -= SPACE
    tiles, top = [], EDGE
    while top < column + EDGE and len(tiles) < len(sizes):
        size = sizes[len(tiles)]
        tiles.append((EDGE, top, *size))
        top += size[1] + SPACE
    bottom = top - SPACE
    for size in sizes[len(tiles) :]:
        tile = (EDGE + sizes[0][0] - size[0], bottom - size[1], *size)
        if tile[1] < EDGE + sizes[0][1]:  # it would reach into the first level
            break
        tiles.append(tile)
        bottom -= size[1] + SPACE
    return tiles


def drawn(photo, tiles):
    """All levels in one image, between them the mean colour; each is the one before, resampled."""
    height = max(top + rows for _, top, _, rows in tiles) + EDGE
    width = tiles[0][2] + 2 * EDGE
    mean = np.array(networks.MEAN_COLOUR, np.float32)
    canvas = np.broadcast_to(mean, (height + height % 2, width + width % 2, 3)).copy()
    level = photo.astype(np.float32)
    for index, (left, top, columns, rows) in enumerate(tiles):
        if index:
            level = resampled(level, rows, columns)
        canvas[top : top + rows, left : left + columns] = level
    return canvas


def resampled(level, rows, columns):
    """Bilinear; first and last pixel stay where they are."""
    y = np.arange(rows, dtype=np.float32) * np.float32((level.shape[0] - 1) / max(rows - 1, 1))
    x = np.arange(columns, dtype=np.float32) * np.float32((level.shape[1] - 1) / max(columns - 1, 1))
    top, left = y.astype(int), x.astype(int)
    bottom, right = np.minimum(top + 1, level.shape[0] - 1), np.minimum(left + 1, level.shape[1] - 1)
    y, x = (y - top)[:, None, None], (x - left)[None, :, None]
    upper = level[top][:, left] * (1 - x) + level[top][:, right] * x
    lower = level[bottom][:, left] * (1 - x) + level[bottom][:, right] * x
    return upper * (1 - y) + lower * y


def blocks(canvas):
    height, width, _ = canvas.shape
    cells = canvas.reshape(height // 2, 2, width // 2, 2, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(cells.reshape(1, height // 2, width // 2, 12))


def in_photo(place, tiles):
    """The box, first and last pixel, that a place of the score map stands for."""
    y, x = place[0] * STEP + FIRST, place[1] * STEP + FIRST
    level = min(
        range(len(tiles)),
        key=lambda index: np.hypot(
            max(tiles[index][0] - x, 0, x - tiles[index][0] - tiles[index][2] + 1),
            max(tiles[index][1] - y, 0, y - tiles[index][1] - tiles[index][3] + 1),
        ),
    )
    left, top, _, _ = tiles[level]
    half = (WINDOW - 1) / 2
    box = np.array([x - half - left, y - half - top, x + half - left, y + half - top])
    for _ in range(level):
        box = box * 1.2 + 0.3
    return box.tolist()
