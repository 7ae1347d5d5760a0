"""Which faces a QualityFilter keeps, which go for their number, and what is said of the others."""

import dataclasses

import numpy as np
import pytest

from facesearch.engine import protocol
from facesearch.engine.operations import quality
from facesearch.engine.vision.recognizer import SeenFace

GOOD = SeenFace(
    left=10,
    top=10,
    width=120,
    height=120,
    score=1.0,
    confidence=99.9,
    points=np.zeros((5, 2), np.float32),
    roll=0,
    yaw=0,
    pitch=0,
    brightness=50,
    sharpness=90,
    chip=np.zeros((150, 150, 3), np.uint8),
)
LEVELS = ["LOW", "AUTO", "MEDIUM", "HIGH"]


def face(**changes):
    return dataclasses.replace(GOOD, **changes)


WORST = {
    "SMALL_BOUNDING_BOX": {"width": 10.0},
    "LOW_CONFIDENCE": {"confidence": 80.0},
    "LOW_BRIGHTNESS": {"brightness": 1.0},
    "LOW_SHARPNESS": {"sharpness": 0.0},
    "EXTREME_POSE": {"yaw": -88.0},
}


@pytest.mark.parametrize("level", [*LEVELS, "NONE"])
def test_a_good_face_reaches_every_bar(level):
    assert quality.shortcomings(GOOD, level) == ()


@pytest.mark.parametrize("reason", WORST)
def test_each_shortcoming_has_rekognition_s_own_reason(reason):
    assert quality.shortcomings(face(**WORST[reason]), "AUTO") == (reason,)
    assert reason in protocol.service_model().shape_for("Reason").enum
    assert quality.shortcomings(face(**WORST[reason]), "NONE") == ()


def test_a_head_turned_far_up_or_down_is_an_extreme_pose_too():
    assert quality.shortcomings(face(pitch=75.0), "LOW") == ("EXTREME_POSE",)
    assert quality.shortcomings(face(pitch=-75.0), "LOW") == ("EXTREME_POSE",)


def test_every_shortcoming_is_told():
    worst = face(**{name: value for changes in WORST.values() for name, value in changes.items()})
    assert quality.shortcomings(worst, "HIGH") == tuple(WORST)


def test_a_higher_bar_keeps_nothing_that_a_lower_one_drops():
    for changes in [
        *({"height": float(side)} for side in range(5, 120, 5)),
        *({"confidence": float(percent)} for percent in range(80, 100)),
        *({"brightness": float(percent)} for percent in range(0, 60, 2)),
        *({"sharpness": float(percent)} for percent in range(0, 90, 2)),
        *({"yaw": float(degrees)} for degrees in range(-90, 91, 5)),
        *({"pitch": float(degrees)} for degrees in range(-90, 91, 5)),
    ]:
        kept = [not quality.shortcomings(face(**changes), level) for level in ["NONE", *LEVELS]]
        assert kept == sorted(kept, reverse=True), changes


def test_auto_keeps_small_and_soft_faces_that_can_still_be_recognised():
    assert quality.shortcomings(face(width=30.0, height=30.0, sharpness=14.0, brightness=10.0), "AUTO") == ()


def test_low_quality_goes_before_small_size():
    largest_blurred = face(width=300.0, sharpness=0.0)
    large, small = face(width=200.0), face(width=100.0)
    chosen, others = quality.choose([largest_blurred, large, small], "AUTO", 1)
    assert chosen == [large]
    assert others == [(largest_blurred, ("LOW_SHARPNESS",)), (small, ("EXCEEDS_MAX_FACES",))]


def test_without_a_filter_the_largest_stay():
    faces = [face(width=300.0, sharpness=0.0), face(width=200.0)]
    assert quality.choose(faces, "NONE", 1) == (faces[:1], [(faces[1], ("EXCEEDS_MAX_FACES",))])


def test_an_image_gives_a_hundred_faces_however_many_are_asked_for():
    faces = [face(width=200.0 - number) for number in range(130)]
    chosen, others = quality.choose(faces, "AUTO", 1000)
    assert chosen == faces[:100]
    assert [reasons for _, reasons in others] == [("EXCEEDS_MAX_FACES",)] * 30
    assert quality.good_enough(faces, "NONE") == faces[:100]
