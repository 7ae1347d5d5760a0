"""Measuring a collection, and thresholds said as rates, with real recognition on drawn people."""

import csv
import io
import json
import shutil

import pytest
from click.testing import CliRunner
from PIL import Image

from facesearch.app.bound import Bound
from facesearch.cli import main

NAMES = ("Amara Okafor", "Hugo Lindqvist", "José Ñandú", "Leyla Haddad", "Samuel Adeyemi")


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def answer(*arguments, code=0):
    return json.loads(run(*arguments, "-o", "json", code=code).stdout)


@pytest.fixture(scope="session")
def enrolled_home(samples, vision_cache, tmp_path_factory):
    """A home in which five people of two photos each are enrolled in the collection `staff`."""
    home = tmp_path_factory.mktemp("calibrated")
    (home / "cache").symlink_to(vision_cache)
    people = tmp_path_factory.mktemp("photos") / "people"
    for name in NAMES:
        (people / name).mkdir(parents=True)
        for photo in sorted((samples / "people" / name).glob("*.jpg"))[:2]:
            shutil.copy(photo, people / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACESEARCH_HOME", str(home))
        run("enroll", people, "-c", "staff")
    return home


@pytest.fixture
def staff(own_home):
    """This test's own copy of that home."""


@pytest.fixture
def hugo(samples):
    return samples / "queries" / "hugo.jpg"


def test_a_measured_collection_says_what_its_similarities_mean(staff, tmp_path):
    told = answer("calibrate", "-c", "staff", "--plot", tmp_path / "curves.png")
    assert (told["faces"], told["people"], told["comparisons"], told["own_comparisons"]) == (10, 5, 40, 10)
    assert (told["engine"], told["collection"], told["face_model_version"]) == ("embedded", "staff", "1.0")
    assert told["finest_rate"] == 0.3
    by_name = {line["asked"]: line for line in told["thresholds"]}
    assert by_name["fmr=0.001"]["threshold"] is None
    assert by_name["fmr=0.001"]["note"] == "takes 78 people"
    usual = by_name["80"]
    assert usual["false_match_rate"] == {"estimate": 0.0, "low": 0.0, "high": pytest.approx(0.3085, abs=1e-4)}
    assert usual["miss_rate"]["estimate"] == 0.0
    assert told["curve"][0]["false_match_rate"]["estimate"] > 0.5
    assert told["curve"][-1]["false_match_rate"]["estimate"] == 0
    assert {len(pair["people"]) for pair in told["nearest"]} == {2}
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (1920, 1280)


def test_it_is_told_for_reading_and_as_rows_too(staff):
    read = run("calibrate", "-c", "staff", "-o", "table")
    assert "10 faces of 5 people: 40 comparisons with somebody else, 10 with the same person" in read.stderr
    assert "takes 78 people" in read.stdout
    assert "< 31 % (0 % to 31 %)" in read.stdout
    rows = list(csv.DictReader(io.StringIO(run("calibrate", "-c", "staff", "-o", "csv").stdout)))
    assert [row["asked"] for row in rows[:2]] == ["fmr=0.1", "fmr=0.01"]
    assert rows[-1]["false_match_rate"] == "0.0"


def test_a_rate_is_a_threshold_once_the_collection_was_measured(staff, hugo):
    refused = run("search", hugo, "-c", "staff", "--threshold", "fmr=0.3", code=2).stderr
    assert (
        "fmr=0.3 cannot be used: collection staff was not measured yet; run `facesearch calibrate" in refused
    )
    [photo] = answer("search", hugo, "-c", "staff")["photos"]
    assert photo["faces"][0]["matches"][0]["false_match_rate"] is None
    run("calibrate", "-c", "staff")
    found = answer("search", hugo, "-c", "staff", "--threshold", "fmr=0.3")
    assert (found["threshold_from"], found["threshold_rate"]) == ("asked", 0.3)
    matches = found["photos"][0]["faces"][0]["matches"]
    assert matches[0]["person"]["name"] == "Hugo Lindqvist"
    for match in matches:
        assert match["similarity"] >= found["threshold"]
        assert match["false_match_rate"]["estimate"] <= 0.3 < 0.31 < match["false_match_rate"]["high"] + 0.01
    read = run("search", hugo, "-c", "staff", "--threshold", "fmr=0.3", "-o", "table")
    assert "for fmr=0.3: somebody else matches in" in read.stderr
    assert "< 31 %" in read.stdout
    [best, *_] = csv.DictReader(io.StringIO(run("search", hugo, "-c", "staff", "-o", "csv").stdout))
    assert float(best["false_match_rate"]) == 0.0
    assert float(best["false_match_high"]) == pytest.approx(0.3085, abs=1e-4)
    finer = run("search", hugo, "-c", "staff", "--threshold", "fmr=1e-3", code=2).stderr
    assert "takes 78 people: 5 make 10 pairs" in finer


def test_verifying_a_person_takes_a_rate_and_two_photos_do_not(staff, hugo):
    run("calibrate", "-c", "staff")
    asked = ("verify", hugo, "--person", "Hugo Lindqvist", "-c", "staff", "--threshold", "fmr=0.3")
    told = answer(*asked)
    assert told["same"] is True
    assert told["false_match_rate"]["estimate"] == 0.0
    assert "somebody else is so similar in < 31 %" in run(*asked, "-o", "table").stdout
    said = run("verify", hugo, hugo, "--threshold", "fmr=0.3", code=2).stderr
    assert "fmr=0.3 is a rate of one collection" in said


def test_a_collection_keeps_a_threshold_of_its_own(staff, hugo):
    shown = answer("collection", "edit", "staff", "--threshold", "99.5")["collection"]
    assert shown["threshold"] == "99.5"
    found = answer("search", hugo, "-c", "staff")
    assert (found["threshold"], found["threshold_from"]) == (99.5, "collection")
    assert answer("verify", hugo, "--person", "Hugo Lindqvist", "-c", "staff")["threshold"] == 99.5
    assert answer("search", hugo, "-c", "staff", "--threshold", "70")["threshold_from"] == "asked"
    assert "not measured yet" in run("collection", "edit", "staff", "--threshold", "fmr=0.3", code=2).stderr
    run("calibrate", "-c", "staff")
    run("collection", "edit", "staff", "--threshold", "fmr=0.3")
    assert "fmr=0.3" in run("collection", "show", "staff", "-o", "table").stdout
    assert answer("search", hugo, "-c", "staff")["threshold_rate"] == 0.3
    run("collection", "edit", "staff", "--threshold", "default")
    assert answer("search", hugo, "-c", "staff")["threshold"] == 80.0


@pytest.mark.parametrize("wrong", ["fmr=0", "101", "often"])
def test_what_is_no_threshold_is_refused_before_anything_starts(wrong):
    for command in (
        ("search", "x.jpg", "-c", "s", "--threshold", wrong),
        ("verify", "x.jpg", "y.jpg", "--threshold", wrong),
        ("collection", "edit", "s", "--threshold", wrong),
    ):
        assert "false-match rate such as fmr=1e-3" in run(*command, code=2).stderr


def test_too_few_people_cannot_be_measured(home):
    run("collection", "create", "empty")
    said = run("calibrate", "-c", "empty", code=2).stderr
    assert "has faces of 0 people on record, and it takes 4" in said
    assert "is neither .png nor .svg" in run("calibrate", "-c", "empty", "--plot", "a.gif", code=2).stderr


def test_on_aws_the_calls_and_their_cost_are_said_first(staff, monkeypatch):
    monkeypatch.setattr(Bound, "engine", "aws")
    said = run("calibrate", "-c", "staff", "--faces", "7").stderr
    assert "this takes 7 calls of SearchFaces, $0.007 on AWS" in said
    assert said.index("this takes") < said.index("comparisons with")
