"""The scale of similarity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesearch.engine.vision.similarity import MODEL_VERSION, distance, similarity


def test_similarity_falls_as_faces_are_farther_apart():
    distances = np.linspace(0, 2, 2001)
    values = similarity(distances)
    assert (np.diff(values) < 0).all()
    assert values[0] < 100
    assert values[-1] > 0


@given(st.floats(0.001, 99.999))
def test_distance_is_the_inverse_of_similarity(value):
    assert similarity(distance(value)) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("apart", "similar"), [(0.4115, 50), (0.3783, 80), (0.3589, 90), (0.3411, 95), (0.3016, 99)]
)
def test_the_scale_is_the_documented_one(apart, similar):
    assert similarity(apart) == pytest.approx(similar, abs=0.2)


def test_a_number_gives_a_number_and_an_array_an_array():
    assert isinstance(similarity(0.3), float)
    assert similarity(np.full((2, 3), 0.3, np.float32)).shape == (2, 3)


def test_no_distance_reaches_the_ends_of_the_scale():
    assert distance(100.0) == -np.inf
    assert distance(0.0) == np.inf


def test_the_model_version_is_one_that_rekognition_could_have():
    assert MODEL_VERSION.replace(".", "").isdigit()
