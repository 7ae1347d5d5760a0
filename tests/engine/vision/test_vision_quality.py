"""Pose, light, focus and certainty."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter

from facesearch.engine.vision import embed, quality

# An average head in millimetres, x right, y down, z away: as an anatomist would measure the five points.
HEAD = np.array([(43.3, -32.7, 26), (16.5, -31, 20), (-43.3, -32.7, 26), (-16.5, -31, 20), (0, 13, 8.0)])
PAIRS = [2, 3, 0, 1, 4]  # the points after a mirror


def seen(roll=0.0, yaw=0.0, pitch=0.0):
    """The head's points in a photo: nodding first, then turned to a side, then tilted."""
    roll, yaw, pitch = np.radians([roll, yaw, pitch])
    nod = np.array([(1, 0, 0), (0, np.cos(pitch), np.sin(pitch)), (0, -np.sin(pitch), np.cos(pitch))])
    turn = np.array([(np.cos(yaw), 0, -np.sin(yaw)), (0, 1, 0), (np.sin(yaw), 0, np.cos(yaw))])
    tilt = np.array([(np.cos(roll), -np.sin(roll), 0), (np.sin(roll), np.cos(roll), 0), (0, 0, 1)])
    return (HEAD @ (tilt @ turn @ nod).T)[:, :2] * 1.3 + (200, 150)


def sharpness(chip):
    return quality.sharpness(quality.luma(chip))


def test_a_nose_right_of_the_eyes_is_a_positive_yaw_and_one_higher_up_a_positive_pitch():
    def nose(points):
        return points[4] - points[:4].mean(axis=0)

    straight = seen()
    assert nose(seen(yaw=20))[0] > nose(straight)[0]
    assert nose(seen(pitch=20))[1] < nose(straight)[1]
    assert quality.pose(seen(yaw=20)).yaw > 10
    assert quality.pose(seen(pitch=20)).pitch > quality.pose(straight).pitch + 8


def test_a_head_that_leans_clockwise_has_a_positive_roll():
    assert quality.pose(seen(roll=20)).roll == pytest.approx(20, abs=1)
    assert quality.pose(seen(roll=-35)).roll == pytest.approx(-35, abs=2)


@given(st.floats(-40, 40), st.floats(-40, 40), st.floats(-12, 25))
def test_a_turned_head_is_told_within_what_five_points_can_tell(roll, yaw, pitch):
    found = quality.pose(seen(roll, yaw, pitch))
    assert abs(found.roll - roll) < 3
    assert abs(found.yaw - yaw) < 8
    assert abs(found.pitch - pitch) < 10


@given(st.floats(-40, 40), st.floats(-40, 40), st.floats(-25, 25))
def test_a_mirror_turns_roll_and_yaw_round_and_leaves_pitch(roll, yaw, pitch):
    points = seen(roll, yaw, pitch)
    mirrored = (points * (-1, 1) + (400, 0))[PAIRS]
    found, reflected = quality.pose(points), quality.pose(mirrored)
    assert reflected.roll == pytest.approx(-found.roll, abs=1e-6)
    assert reflected.yaw == pytest.approx(-found.yaw, abs=1e-6)
    assert reflected.pitch == pytest.approx(found.pitch, abs=1e-6)


def test_points_that_fall_together_have_a_pose_too():
    assert np.isfinite(quality.pose(np.full((5, 2), 7.0))).all()


@given(st.lists(st.floats(0, 300), min_size=10, max_size=10))
def test_any_five_points_have_a_pose(numbers):
    assert np.isfinite(quality.pose(np.array(numbers).reshape(5, 2))).all()


def test_a_mirrored_photo_mirrors_the_pose(hopper, recognizer):
    (face,) = recognizer.detect(hopper)
    (mirrored,) = recognizer.detect(hopper.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert mirrored.roll == pytest.approx(-face.roll, abs=3)
    assert mirrored.yaw == pytest.approx(-face.yaw, abs=6)
    assert mirrored.pitch == pytest.approx(face.pitch, abs=6)


@pytest.mark.parametrize("angle", [-20, 15])
def test_a_photo_turned_by_some_degrees_changes_the_roll_by_as_many(angle, hopper, recognizer):
    (face,) = recognizer.detect(hopper)
    (turned,) = recognizer.detect(hopper.rotate(-angle, Image.Resampling.BICUBIC, expand=True))
    assert turned.roll - face.roll == pytest.approx(angle, abs=4)


def test_more_light_is_more_brightness_and_black_is_none(hopper, recognizer):
    shades = [ImageEnhance.Brightness(hopper).enhance(light) for light in (0.4, 0.7, 1.0)]
    levels = [face.brightness for shade in shades for face in recognizer.detect(shade)]
    assert len(levels) == 3
    assert levels == sorted(levels)
    assert quality.brightness(np.zeros((90, 90))) == 0
    assert quality.brightness(quality.luma(np.full((150, 150, 3), 255, np.uint8))) == pytest.approx(100)


def test_the_more_a_face_is_blurred_the_less_sharp_it_is(hopper, recognizer):
    (face,) = recognizer.detect(hopper)
    chip = Image.fromarray(embed.chip(hopper, face.points))
    figures = [sharpness(np.asarray(chip.filter(ImageFilter.GaussianBlur(sigma)))) for sigma in (0, 1, 2, 4)]
    assert figures == sorted(figures, reverse=True)
    assert figures[0] > 70
    assert figures[-1] < 20
    assert sharpness(np.zeros((150, 150, 3), np.uint8)) == 0


@pytest.mark.parametrize("share", [0.6, 0.3])
def test_a_face_is_as_sharp_in_little_light_or_contrast(share, hopper, recognizer):
    (face,) = recognizer.detect(hopper)
    sharp = sharpness(embed.chip(hopper, face.points))
    for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast):
        poorer = enhancer(hopper).enhance(share)
        assert sharpness(embed.chip(poorer, face.points)) == pytest.approx(sharp, abs=5)


def test_a_small_face_is_less_sharp_than_a_large_one(hopper, recognizer):
    figures = []
    for width in (300, 150, 90, 70):
        (face,) = recognizer.detect(hopper.resize((width, width * hopper.height // hopper.width)))
        figures.append(face.sharpness)
    assert figures == sorted(figures, reverse=True)
    assert figures[0] > figures[-1] + 10


def test_confidence_grows_with_the_detectors_score_and_stays_on_its_scale():
    figures = [quality.confidence(score) for score in (0.0, 0.2, 0.5, 1.0, 5.0)]
    assert figures == sorted(figures)
    assert figures[0] == pytest.approx(90, abs=0.1)
    assert figures[3] > 99.9
    assert figures[-1] <= 100
