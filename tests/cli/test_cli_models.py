"""`facesearch engine models`: the face models as an operator sees them."""

import json

import pytest
from click.testing import CliRunner

from facesearch.cli import main


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(one) for one in arguments], prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    return result


def models(*arguments, code=0):
    return run("engine", "models", *arguments, code=code)


def answer(*arguments, code=0):
    document = json.loads(models(*arguments, code=code).stdout)
    assert document.pop("schema") == 1
    return document


@pytest.fixture
def toml(networks, tmp_path):
    return networks.defined(tmp_path / "files", networks.network())


def test_the_models_of_the_engine_are_listed_and_dlibs_is_chosen():
    dlib, accurate = answer("list")["models"]
    assert (dlib["name"], dlib["version"], dlib["chosen"], dlib["built_in"]) == ("dlib", "1.0", True, True)
    assert (accurate["name"], accurate["chosen"], accurate["dimensions"]) == ("accurate", False, 128)


def test_a_model_is_added_used_and_seen_in_its_collections(toml):
    added = answer("add", toml)
    assert (added["name"], added["chosen"], added["dimensions"]) == ("random", False, 96)
    assert answer("use", "random")["chosen"] is True
    made = json.loads(run("collection", "create", "staff").stdout)["collection"]
    assert made["face_model_version"] == added["version"]
    assert [model["collections"] for model in answer("list")["models"]] == [0, 0, 1]
    answer("use", "dlib")
    assert [model["chosen"] for model in answer("list")["models"]] == [True, False, False]
    assert json.loads(run("collection", "create", "new").stdout)["collection"]["face_model_version"] == "1.0"


def test_the_choice_is_the_stores(tmp_path):
    answer("use", "accurate", "--data", tmp_path / "other.db")
    assert [model["chosen"] for model in answer("list")["models"]] == [True, False]
    assert [model["chosen"] for model in answer("list", "--data", tmp_path / "other.db")["models"]] == [
        False,
        True,
    ]


def test_adding_tells_what_to_do_next(toml):
    result = models("add", toml, "-o", "table")
    assert "112 x 112, arcface points, 2 crops, RGB NCHW (pixel - 127.5) / 127.5" in result.stdout
    assert result.stderr == "new collections are made with it after: facesearch engine models use random\n"


def test_a_scale_that_nobody_measured_is_called_a_guess(networks, tmp_path):
    (tmp_path / "bare.onnx").write_bytes(networks.network())
    for result in (models("add", tmp_path / "bare.onnx"), models("use", "bare")):
        assert json.loads(result.stdout)["calibrated"] is False
        assert "the similarities of bare are a guess" in result.stderr


def test_a_model_that_is_refused_says_why_and_is_usage(networks, tmp_path):
    path = networks.defined(tmp_path / "files", networks.network(), sha256="0" * 64)
    result = models("add", path, code=2)
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: {path}: sha256 is not that of random.onnx, whose SHA-256 is ")
    assert (
        "no face model is called 'random'; there are dlib, accurate" in models("use", "random", code=2).stderr
    )


def test_verifying_says_what_each_model_made_of_the_drawn_faces(toml):
    models("add", toml)
    verdicts = answer("verify")["models"]
    assert [(one["name"], one["sound"], one["dimensions"]) for one in verdicts] == [
        ("dlib", True, 128),
        ("accurate", True, 128),
        ("random", True, 96),
    ]
    for one in verdicts:
        assert one["same_person"]["similarity"] > 80 > one["other_person"]["similarity"]
        assert one["seconds_per_face"] > 0
    (alone,) = answer("verify", "accurate")["models"]
    assert alone["name"] == "accurate"


def test_a_model_that_is_not_sound_is_the_answer_no(toml, home):
    models("add", toml)
    (path,) = (home / "models").glob("*.onnx")
    path.write_bytes(path.read_bytes()[:-1])
    verdict = answer("verify", "random", code=1)["models"][0]
    assert verdict["sound"] is False
    assert verdict["problem"] == f"{path} was changed: delete it, and add random again"
    assert "was changed" in models("verify", "-o", "table", code=1).stdout


def test_a_table_names_the_chosen_model():
    lines = models("list", "-o", "table").stdout.splitlines()
    assert lines[0].split() == [
        "model",
        "version",
        "dimensions",
        "licence",
        "for",
        "new",
        "collections",
        "collections",
    ]
    assert lines[1].split() == ["dlib", "1.0", "128", "CC0-1.0", "yes", "0"]
