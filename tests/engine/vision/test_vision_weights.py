"""The published weights: found, checked, read."""

import struct
from importlib.metadata import files

import numpy as np
import pytest

from facesearch.engine.vision import shapes, streams, weights
from facesearch.engine.vision.recognizer import DlibRecognizer


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The models' folder of a package that stands before the installed one, and cannot be imported."""
    models = tmp_path / weights.PACKAGE / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").write_text("raise ImportError('this package must never be imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    return models


def test_the_published_files_are_read_without_importing_their_package(installed):
    published = next(file for file in files(weights.PACKAGE) if file.name == weights.DETECTOR.name)
    (installed / weights.DETECTOR.name).write_bytes(published.read_binary())
    assert len(weights.read(weights.DETECTOR)) == 729_940


def test_weights_that_are_not_installed_are_named_with_what_installs_them(monkeypatch):
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package_of_weights")
    with pytest.raises(weights.WeightsNotFoundError, match="pip install face_recognition_models"):
        DlibRecognizer.load(None)


def test_a_missing_file_is_named(installed):
    with pytest.raises(weights.WeightsNotFoundError, match=weights.DETECTOR.name):
        weights.read(weights.DETECTOR)


def test_a_file_that_was_cut_short_is_named(installed):
    (installed / weights.LANDMARKS.name).write_bytes(b"\x01\x01" * 500)
    with pytest.raises(weights.WeightsDamagedError, match=r"landmarks\.dat is cut short or changed \(1,000 "):
        weights.read(weights.LANDMARKS)


def test_every_error_of_the_weights_has_one_root():
    assert issubclass(weights.WeightsNotFoundError, weights.WeightsError)
    assert issubclass(weights.WeightsDamagedError, weights.WeightsError)


def test_the_descriptor_network_is_29_convolutions_and_a_projection():
    layers = list(streams.layers(weights.read(weights.DESCRIPTOR)))
    convolutions = [layer for layer in layers if isinstance(layer, streams.Convolution)]
    assert len(convolutions) == 29
    assert convolutions[0].weights.shape == (32, 3, 7, 7)
    assert isinstance(layers[-1], streams.Projection)
    assert layers[-1].weights.shape == (256, 128)


def test_a_network_that_ends_within_a_layer_is_refused():
    data = weights.read(weights.DETECTOR)
    with pytest.raises(streams.StreamError, match="con_4"):
        list(streams.layers(data[: len(data) // 2]))


def test_the_name_of_a_layer_within_other_bytes_is_not_taken_for_one():
    assert list(streams.layers(b"\x01\x04affine_ and \x01\x07con_4" + struct.pack("<f", 1.0))) == []


def test_a_shape_predictor_of_another_size_is_refused():
    with pytest.raises(streams.StreamError, match="was expected, not of 3"):
        shapes.parse(b"\x01\x01\x81\x05\x01\x00")


def test_the_mean_face_has_its_eyes_above_its_nose_and_the_first_at_the_right():
    start = shapes.parse(weights.read(weights.LANDMARKS)).start
    assert start.real[0] > start.real[1] > start.real[4] > start.real[3] > start.real[2]
    assert (start.imag[:4] < start.imag[4]).all()


def test_tables_survive_their_way_through_a_mapping():
    first = shapes.parse(weights.read(weights.LANDMARKS))
    again = shapes.Shapes.of(first.tables())
    for name, table in first.tables().items():
        assert np.array_equal(getattr(again, name), table)
