"""What is said of a network: every key checked, and a version that follows from all that decides vectors."""

import numpy as np
import pytest

from facesearch.engine.models.definition import Definition, DefinitionError
from facesearch.engine.vision.built_in import BUILT_IN

LEAST = {"name": "some", "file": "some.onnx", "sha256": "ab" * 32, "licence": "MIT"}


def parse(**keys):
    table = {key: value for key, value in {**LEAST, **keys}.items() if value is not None}
    return Definition.parse(table, "some.toml")


def test_what_is_left_out_is_as_arcface_has_it():
    made = parse()
    assert (made.size, made.layout, made.colour, made.template) == ((112, 112), "NCHW", "RGB", "arcface")
    assert (made.mean, made.std, made.flip, made.metric) == ((127.5,) * 3, (127.5,) * 3, True, "cosine")
    assert (made.dimensions, made.similarity) == (None, None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", None),
        ("name", "Some Model"),
        ("name", ""),
        ("name", "a" * 65),
        ("name", 7),
        ("name", "dlib"),
        ("name", "accurate"),
        ("file", None),
        ("file", "../some.onnx"),
        ("file", "/etc/passwd"),
        ("file", ".."),
        ("file", "a\0b"),
        ("sha256", None),
        ("sha256", "AB" * 32),
        ("sha256", "ab" * 31),
        ("licence", None),
        ("licence", "  "),
        ("licence", "MIT\x1b[2J"),
        ("dimensions", 1),
        ("dimensions", 4097),
        ("dimensions", 128.0),
        ("dimensions", True),
        ("size", [112]),
        ("size", "11"),
        ("size", [112, 16]),
        ("size", [112.0, 112.0]),
        ("size", [True, 112]),
        ("layout", "nchw"),
        ("layout", []),
        ("colour", "GRB"),
        ("mean", "127.5"),
        ("mean", [1, 2]),
        ("mean", float("nan")),
        ("mean", [1, 2, 10**400]),
        ("std", 0),
        ("std", [1, 1, -1]),
        ("std", float("inf")),
        ("template", "five"),
        ("template", {"left_eye": [30, 50]}),
        ("template", {"left_eye": [30, 50], "right_eye": [70, 50], "chin": [50, 90]}),
        ("template", {"left_eye": [30, 50], "right_eye": [70, 500]}),
        ("template", {"left_eye": [70, 50], "right_eye": [30, 50]}),
        ("template", {"left_eye": [30, 50], "right_eye": ["a", 50]}),
        ("flip", 1),
        ("metric", "manhattan"),
        ("similarity", [[0.3, 80]]),
        ("similarity", [[0.3, 80], [0.4, 100]]),
        ("similarity", [[0.3, 0], [0.4, 99]]),
        ("similarity", [[0.3, 80], [0.4, 70]]),
        ("similarity", [[0.3, 80], [0.3, 90]]),
        ("similarity", [[0.3, 80], [1.4, 90]]),
        ("similarity", [[0.3, 80], [0.4]]),
        ("similarity", {"a": 1}),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_key(key, value):
    with pytest.raises(DefinitionError, match=rf"^some\.toml: {key}"):
        parse(**{key: value})


def test_a_key_that_is_none_is_refused_with_those_that_are():
    with pytest.raises(DefinitionError, match="unknown key 'scale'; the keys are name, file, sha256"):
        parse(scale=2)


@pytest.mark.parametrize("template", ["arcface", "dlib"])
def test_a_template_by_name_is_of_a_square_input(template):
    with pytest.raises(DefinitionError, match=r"square input, and size is \[112, 96\]"):
        parse(template=template, size=[112, 96])


CHANGES = {
    "sha256": "cd" * 32,
    "dimensions": 64,
    "size": [128, 128],
    "layout": "NHWC",
    "colour": "BGR",
    "mean": 0,
    "std": [127.5, 127.5, 128],
    "template": {"left_eye": [38.3, 51.7], "right_eye": [73.5, 51.5]},
    "flip": False,
    "similarity": [[0.3, 80], [0.4, 99]],
}


def test_the_version_changes_with_all_that_decides_vectors_and_similarities():
    versions = [parse(dimensions=128).version]
    versions += [parse(**{"dimensions": 128, key: value}).version for key, value in CHANGES.items()]
    assert len(set(versions)) == len(CHANGES) + 1


def test_the_version_is_the_same_whatever_the_model_is_called():
    assert parse().version == parse(name="other", file="other.onnx", licence="BSD").version


def test_the_version_is_one_that_rekognition_could_have_and_none_of_the_engine():
    version = parse().version
    assert version.startswith("0.") and len(version) == 20
    assert set(version) <= set("0123456789.")
    assert version not in BUILT_IN


def test_the_version_is_the_same_on_every_machine():
    assert parse(dimensions=128).version == "0.388076809791988699"


def test_a_definition_is_what_it_was_after_a_stay_in_a_file():
    made = parse(**CHANGES)
    again = Definition.parse(made.table(), "kept.json")
    assert again == made
    assert again.version == made.version


def test_a_scale_over_cosines_leads_through_its_points():
    scale = parse(similarity=[[0.42, 99], [0.30, 80]]).scale
    cosines = np.array([0.30, 0.42])
    assert scale.similarity(np.sqrt(2 - 2 * cosines)) == pytest.approx([80, 99])


def test_a_scale_over_distances_leads_through_its_points():
    scale = parse(metric="euclidean", similarity=[[0.9, 99], [1.2, 80], [1.25, 5]]).scale
    assert scale.similarity(np.array([0.9, 1.2, 1.25])) == pytest.approx([99, 80, 5])


def test_without_a_scale_a_guess_takes_its_place():
    assert parse().scale.similarity(np.sqrt(2 - 2 * 0.3)) == pytest.approx(80)
