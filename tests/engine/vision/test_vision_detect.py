"""The pyramid, the boxes, and pictures of all shapes that show no face."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facesearch.engine.vision import detect

SQUARE_ROOT = np.sqrt(0.5)


def boxes(*rows):
    return np.array(rows, float)


@pytest.mark.parametrize(
    ("size", "largest"),
    [
        ((250, 250), 2.25),
        ((500, 375), 2.25),
        ((800, 600), 2.0),
        ((1600, 1200), 1.0),
        ((4000, 3000), SQUARE_ROOT**3),
        ((1000, 9000), 0.5),
        ((10_000, 10_000), SQUARE_ROOT**6),
    ],
)
def test_every_photo_is_looked_at_in_about_as_many_pixels(size, largest):
    levels = list(detect.pyramid(Image.new("RGB", size)))
    assert levels[0].scale_x == pytest.approx(largest, rel=0.01)
    assert levels[0].image.width * levels[0].image.height < 2_800_000
    assert min(levels[-1].image.size) >= 40


@given(st.integers(80, 3000), st.integers(80, 3000))
def test_each_level_is_smaller_by_the_root_of_one_half_and_knows_its_scale(width, height):
    levels = list(detect.pyramid(Image.new("RGB", (width, height))))
    for level, after in pairwise(levels):
        assert after.scale_x / level.scale_x == pytest.approx(SQUARE_ROOT, rel=0.02)
        assert after.scale_y / level.scale_y == pytest.approx(SQUARE_ROOT, rel=0.02)
    for level in levels:
        assert abs(level.image.width - width * level.scale_x) < 1 + 1e-6
        assert abs(level.image.height - height * level.scale_y) < 1 + 1e-6


def test_a_photo_is_laid_into_blocks_with_a_border_of_mean_colour():
    pixels = np.arange(3 * 5 * 3, dtype=np.uint8).reshape(3, 5, 3)
    laid = detect.blocks(pixels, border=2)
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
