"""Scales of similarity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesearch.engine.vision.built_in import ACCURATE, BUILT_IN, DLIB
from facesearch.engine.vision.similarity import Scale

TABLE = Scale.through([(0.8, 99), (1.0, 90), (1.2, 60), (1.3, 5)])
SCALES = [DLIB.scale, ACCURATE.scale, TABLE]


@pytest.mark.parametrize("scale", SCALES)
def test_similarity_falls_as_faces_are_farther_apart(scale):
    distances = np.linspace(0, 2, 2001)
    values = scale.similarity(distances)
    assert (np.diff(values) < 0).all()
    assert values[0] < 100
    assert values[-1] > 0


@pytest.mark.parametrize("scale", SCALES)
@given(value=st.floats(0.001, 99.999))
def test_distance_is_the_inverse_of_similarity(scale, value):
    assert scale.similarity(scale.distance(value)) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("apart", "similar"), [(0.4115, 50), (0.3783, 80), (0.3589, 90), (0.3411, 95), (0.3016, 99)]
)
def test_the_scale_is_the_documented_one(apart, similar):
    assert DLIB.scale.similarity(apart) == pytest.approx(similar, abs=0.2)


def test_a_scale_leads_through_its_points_and_between_them():
    assert TABLE.similarity(np.array([0.8, 1.0, 1.2, 1.3])) == pytest.approx([99, 90, 60, 5])
    assert TABLE.similarity(1.1) == pytest.approx(100 / (1 + np.exp(-(np.log(9) + np.log(1.5)) / 2)))


def test_two_points_make_a_logistic_curve():
    through = Scale.through([(0.3783, 80), (0.4115, 50)])
    distances = np.linspace(0, 2, 50)
    wanted = Scale.logistic(np.log(4) / 0.0332, 0.4115).similarity(distances)
    assert through.similarity(distances) == pytest.approx(wanted)


def test_however_steep_a_scale_is_it_ends_at_0_and_100():
    steep = Scale.through([(0.5, 99.999), (0.5001, 0.001)])
    assert steep.similarity(np.array([0.0, 2.0])) == pytest.approx([100, 0])


def test_a_number_gives_a_number_and_an_array_an_array():
    assert isinstance(DLIB.scale.similarity(0.3), float)
    assert DLIB.scale.similarity(np.full((2, 3), 0.3, np.float32)).shape == (2, 3)


@pytest.mark.parametrize("scale", SCALES)
def test_no_distance_reaches_the_ends_of_the_scale(scale):
    assert scale.distance(100.0) == -np.inf
    assert scale.distance(0.0) == np.inf


def test_versions_are_ones_that_rekognition_could_have_and_all_different():
    assert len(BUILT_IN) == 2
    assert all(set(version) <= set("0123456789.") for version in BUILT_IN)
