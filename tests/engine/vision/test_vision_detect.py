"""The pyramid, the boxes, and pictures of all shapes that show no face."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facesearch.engine.vision import detect
from facesearch.engine.vision.recognizer import DlibRecognizer

SQUARE_ROOT = np.sqrt(0.5)


def boxes(*rows):
    return np.array(rows, float)


@pytest.mark.parametrize(
    ("size", "first", "closest"),
    [
        ((250, 250), 1.125, 2.25),
        ((500, 375), 1.125, 2.25),
        ((1280, 800), 0.707, 2.25),
        ((1600, 1200), 0.5, 1.81),
        ((1920, 1080), 0.5, 1.74),
        ((4000, 3000), 0.25, 0.724),
        ((10_000, 10_000), 0.0884, 0.2508),
    ],
)
def test_the_first_look_ends_at_800_000_pixels_and_the_closer_one_at_eight_times_that(size, first, closest):
    coarse, closer = detect.scales(*size)
    assert coarse[0] == pytest.approx(first, rel=0.01)
    assert (closer or coarse[:1])[-1] == pytest.approx(closest, rel=0.01)


@given(st.integers(80, 10_000), st.integers(80, 10_000))
def test_no_size_is_looked_at_twice_and_none_is_left_out(width, height):
    coarse, closer = detect.scales(width, height)
    for scale, after in pairwise(coarse):
        assert after / scale == pytest.approx(SQUARE_ROOT)
    for scale, after in pairwise([coarse[0], *closer]):
        assert 1.25 < after / scale < 1.56
    area = width * height
    assert coarse[0] ** 2 * area < 800_001
    assert coarse[0] ** 2 * area > 399_999 or coarse[0] == pytest.approx(1.125, rel=0.01)
    assert coarse[-1] * min(width, height) >= 39.9


@given(st.integers(80, 3000), st.integers(80, 3000))
def test_each_level_is_smaller_by_the_root_of_one_half_and_knows_its_scale(width, height):
    ladder, _ = detect.scales(width, height)
    levels = detect.pyramid(Image.new("RGB", (width, height)), ladder)
    assert len(levels) == len(ladder)
    for level, scale in zip(levels, ladder, strict=True):
        assert level.scale_x == pytest.approx(scale, rel=0.02)
        assert level.scale_y == pytest.approx(scale, rel=0.02)
        assert abs(level.image.width - width * level.scale_x) < 1 + 1e-6
        assert abs(level.image.height - height * level.scale_y) < 1 + 1e-6


@pytest.mark.parametrize("size", [(1280, 800), (1600, 1200), (4000, 3000), (3264, 2448), (500, 375)])
def test_every_level_shows_the_photo_in_its_place(size):
    """A white square lies where the level's scale says, to half a pixel of the level."""
    photo = Image.new("RGB", size)
    left, top, side = size[0] // 2, size[1] // 3, size[1] // 4
    photo.paste("white", (left, top, left + side, top + side))
    for level in detect.pyramid(photo, detect.scales(*size)[0]):
        light = np.asarray(level.image.convert("L"), float) / 255
        assert light.sum() == pytest.approx(side * side * level.scale_x * level.scale_y, rel=0.1)
        columns, rows = (light.sum(axis=axis) / light.sum() for axis in (0, 1))
        middle = [((np.arange(len(part)) + 0.5) * part).sum() for part in (columns, rows)]
        assert middle[0] == pytest.approx((left + side / 2) * level.scale_x, abs=0.5)
        assert middle[1] == pytest.approx((top + side / 2) * level.scale_y, abs=0.5)


def test_a_photo_is_laid_into_blocks_with_a_border_of_mean_colour():
    pixels = np.arange(3 * 5 * 3, dtype=np.uint8).reshape(3, 5, 3)
    laid = detect.blocks(Image.fromarray(pixels), border=2)
    assert laid.shape == (1, 4, 5, 12)
    canvas = laid.reshape(4, 5, 2, 2, 3).transpose(0, 2, 1, 3, 4).reshape(8, 10, 3)
    assert np.array_equal(canvas[2:5, 2:7], pixels)
    canvas[2:5, 2:7] = (123, 117, 104)
    assert (canvas == (123, 117, 104)).all()


def test_one_face_seen_several_times_is_one_box_between_them():
    found = detect.merged(boxes((0, 0, 80, 80, 1.0), (8, 0, 80, 80, 0.5), (300, 0, 80, 80, 0.2)))
    assert found.shape == (2, 5)
    left, top, width, height, score = found[0]
    assert 0 < left < 4
    assert (top, width, height, score) == (0, 80, 80, 1.0)
    assert found[1].tolist() == [300, 0, 80, 80, 0.2]


def test_a_place_that_is_no_face_moves_a_box_and_makes_none():
    assert len(detect.merged(boxes((0, 0, 80, 80, -0.3)))) == 0
    found = detect.merged(boxes((0, 0, 80, 80, 1.0), (8, 8, 80, 80, -0.3)))
    assert len(found) == 1
    assert found[0, 0] > 0


def test_two_people_cheek_by_cheek_are_two():
    assert len(detect.merged(boxes((0, 0, 80, 80, 1.0), (50, 0, 80, 80, 0.9)))) == 2


@pytest.mark.parametrize(
    ("other", "overlap"),
    [((0, 0, 80, 80), 1.0), ((80, 0, 80, 80), 0.0), ((0, 0, 40, 80), 0.5), ((40, 0, 80, 80), 1 / 3)],
)
def test_overlap_is_the_common_part_of_the_box_around_both(other, overlap):
    assert detect.overlaps(boxes((0, 0, 80, 80))[0], boxes(other)) == pytest.approx(overlap)


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (80, 80), (80, 5000), (5000, 80), (10_000, 20)])
@pytest.mark.parametrize("colour", ["black", "grey", "white"])
def test_a_picture_of_nothing_shows_no_face(size, colour, recognizer):
    picture = Image.new("RGB", size, colour)
    assert recognizer.detect(picture) == []
    assert recognizer.embed(picture, []).shape == (0, 128)


def test_noise_stripes_and_circles_show_no_face(recognizer):
    noise = np.random.default_rng(0).integers(0, 256, (600, 800, 3), np.uint8)
    y, x = np.mgrid[:600, :800]
    rings = (np.hypot(x - 400, y - 300) // 20 % 2 * 255).astype(np.uint8)
    for pixels in (
        noise,
        np.repeat(rings[..., None], 3, axis=2),
        np.repeat((x // 9 % 2 * 255)[..., None], 3, 2),
    ):
        assert recognizer.detect(Image.fromarray(pixels.astype(np.uint8))) == []


def test_a_face_in_a_huge_photo_is_found_where_it_is(hopper, recognizer):
    photo = Image.new("RGB", (9000, 7000), "grey")
    photo.paste(hopper.resize((3000, 3400)), (4000, 2000))
    (face,) = recognizer.detect(photo)
    (small,) = recognizer.detect(hopper)
    assert face.left == pytest.approx(4000 + 10 * small.left, abs=0.15 * face.width)
    assert face.width == pytest.approx(10 * small.width, rel=0.15)
    apart = np.linalg.norm(recognizer.embed(photo, [face]) - recognizer.embed(hopper, [small]))
    assert apart < 0.15


def test_a_face_in_a_wide_panorama_is_found(collins, recognizer):
    photo = Image.new("RGB", (6000, 300), "grey")
    photo.paste(collins, (4000, 10))
    (face,) = recognizer.detect(photo)
    (alone,) = recognizer.detect(collins)
    assert face.left == pytest.approx(4000 + alone.left, abs=8)


@pytest.mark.parametrize("part", [(0, 0, 320, 140), (140, 0, 320, 280), (0, 90, 320, 280)])
def test_a_face_that_the_edge_cuts_is_seen_without_a_crash(part, collins, recognizer):
    cut = collins.crop(part)
    faces = recognizer.detect(cut)
    assert len(faces) <= 1
    assert recognizer.embed(cut, faces).shape == (len(faces), 128)


def test_a_tight_crop_still_is_a_face_whose_box_may_leave_the_photo(hopper, recognizer):
    (seen,) = recognizer.detect(hopper)
    right, bottom = seen.left + seen.width, seen.top + seen.height
    tight = hopper.crop((round(seen.left) + 5, round(seen.top) + 5, round(right) - 5, round(bottom) - 5))
    (face,) = recognizer.detect(tight)
    assert face.width > 0.8 * tight.width


# --- how closely a photo is looked at -------------------------------------------------------------------------


class CountingNetwork:
    """The detector's network, and the number of pixels that went through it."""

    def __init__(self, network):
        self._network = network
        self.pixels = 0

    def __call__(self, blocks):
        self.pixels += blocks.size // 3
        return self._network(blocks)


@pytest.fixture
def looks(recognizer):
    """How many faces a photo shows at a detail, and how many pixels were looked at for them."""

    def look(photo, detail):
        network = CountingNetwork(recognizer._finder._detector)
        return len(detect.detect(photo, network, detect.Detail(detail))), network.pixels

    return look


def scene(*faces, size=(1920, 1080)):
    """Photos of people, set into a grey one: each with its width and where it is."""
    photo = Image.new("RGB", size, "grey")
    for face, width, place in faces:
        photo.paste(face.resize((width, width * face.height // face.width), Image.Resampling.LANCZOS), place)
    return photo


def test_a_portrait_is_looked_at_once_and_in_haste_only_as_closely_as_its_face_needs(hopper, looks):
    portrait = scene((hopper, 900, (400, 20)))
    fast, auto, high = (looks(portrait, detail) for detail in ("fast", "auto", "high"))
    assert fast[0] == auto[0] == high[0] == 1
    assert 2 * fast[1] < auto[1]
    assert 5 * auto[1] < high[1]


def test_in_haste_a_photo_with_a_small_face_is_looked_at_once(hopper, looks):
    small = scene((hopper, 200, (400, 20)))
    assert looks(small, "fast")[0] == 1
    assert looks(small, "fast")[1] == looks(scene(), "fast")[1]


def test_a_face_of_forty_pixels_is_found_unless_in_haste(hopper, looks):
    photo = scene((hopper, 73, (800, 500)))  # her face is 165 of 300 pixels
    assert [looks(photo, detail)[0] for detail in ("fast", "auto", "high")] == [0, 1, 1]


def test_people_behind_others_are_found_and_behind_a_large_face_on_request(hopper, collins, looks):
    group = scene((hopper, 300, (100, 100)), (hopper, 280, (600, 100)), (collins, 200, (1300, 600)))
    assert looks(group, "auto")[0] == looks(group, "high")[0] == 3
    portrait = scene((hopper, 900, (200, 20)), (hopper, 80, (1500, 500)))
    assert [looks(portrait, detail)[0] for detail in ("fast", "auto", "high")] == [1, 1, 2]


def test_a_small_photo_is_enlarged_unless_one_face_fills_it(hopper, looks):
    filled = scene((hopper, 250, (0, 0)), size=(250, 284))  # her face is 165 of 300 pixels
    small = scene((hopper, 125, (60, 60)), size=(250, 284))
    two = scene((hopper, 160, (0, 0)), (hopper, 95, (155, 100)), size=(250, 284))
    assert [looks(photo, "auto")[0] for photo in (filled, small, two)] == [1, 1, 2]
    assert 3 * looks(filled, "auto")[1] < looks(small, "auto")[1]
    assert looks(filled, "fast")[1] < looks(small, "fast")[1] < looks(small, "auto")[1]
    assert looks(two, "fast")[0] == 2


def test_a_photo_of_nobody_is_searched_to_the_end(looks):
    empty = scene()
    assert looks(empty, "auto") == looks(empty, "high")


def test_a_recognizer_is_made_for_a_detail_that_there_is(vision_cache, hopper):
    photo = scene((hopper, 73, (800, 500)))
    assert DlibRecognizer.load(vision_cache, detail="fast").detect(photo) == []
    assert len(DlibRecognizer.load(vision_cache, detail="high").detect(photo)) == 1
    with pytest.raises(ValueError, match="thorough"):
        DlibRecognizer.load(vision_cache, detail="thorough")
