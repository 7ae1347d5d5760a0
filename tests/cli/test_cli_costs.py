"""What enrolling costs: said before, limited while it goes on, and counted afterwards."""

import csv
import io
import json
import shutil

import pytest
from click.testing import CliRunner

from facesearch.cli import main

LOOK_AT_NOBODY = ("--on-conflict", "enroll")  # a call less for each photo


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    return result


def answer(*arguments, code=0):
    return json.loads(run(*arguments, "-o", "json", code=code).stdout)


@pytest.fixture
def folder(samples, tmp_path):
    """Two people with three photos each, one of them a second copy; a file that is no photo; one of nobody's."""
    people = tmp_path / "people"
    for person in sorted((samples / "people").iterdir())[:2]:
        pictures = sorted(path for path in person.iterdir() if path.suffix == ".jpg")[:2]
        (people / person.name).mkdir(parents=True)
        for picture in pictures:
            shutil.copy(picture, people / person.name)
        shutil.copy(pictures[0], people / person.name / "copy.jpg")
    shutil.copy(pictures[0], people / "nobody.jpg")
    return people


def test_a_dry_run_says_what_a_run_then_does_and_leaves_nothing_behind(folder):
    told = answer("enroll", folder, "-c", "staff", "--dry-run", "--on-conflict", "enroll")
    looking = answer("enroll", folder, "-c", "staff", "--dry-run")
    assert looking["calls"] == {"IndexFaces": 4, "SearchFaces": 4}
    assert looking["aws_dollars"] == 0.008
    assert told["photos"] == {"total": 7, "failed": 1, "new": 4, "already": 2}
    assert told["people"] == 2
    assert told["calls"] == {"IndexFaces": 4}
    assert told["aws_dollars"] == 0.004
    assert answer("collection", "list")["collections"] == []
    assert answer("person", "list")["people"] == []
    report = answer("enroll", folder, "-c", "staff", code=3)
    assert report["photos"]["enrolled"] == 4
    again = answer("enroll", folder, "-c", "staff", "--dry-run")
    assert again["photos"] == {"total": 7, "already": 6, "failed": 1, "new": 0}
    assert again["aws_dollars"] == 0


def test_a_run_stops_before_the_call_that_passes_its_limit_and_a_later_one_continues(folder):
    stopped = run(
        "enroll", folder, "-c", "staff", "--jobs", "2", *LOOK_AT_NOBODY, "--max-cost", "0.0035", code=6
    )
    assert "another IndexFaces would bring this run to $0.004, over its limit of $0.0035" in stopped.stderr
    assert answer("collection", "show", "staff")["collection"]["face_count"] == 3
    assert answer("enroll", folder, "-c", "staff", "--dry-run")["photos"]["new"] == 1
    assert (
        answer("enroll", folder, "-c", "staff", *LOOK_AT_NOBODY, "--max-cost", "$0.001", code=3)["photos"][
            "enrolled"
        ]
        == 1
    )
    assert run("enroll", folder, "-c", "staff", "--max-cost", "0", code=3).stderr.count("error") == 0


def test_usage_counts_what_was_billed_and_nothing_else(folder, samples, tmp_path, monkeypatch):
    run("enroll", folder, "-c", "staff", code=3)
    photo = next(folder.rglob("copy.jpg"))
    run("search", photo, photo, "-c", "staff")
    run("compare", photo, photo)
    run("search", photo, "-c", "nobody", code=5)
    rows = list(csv.DictReader(io.StringIO(run("usage", "-o", "csv").stdout)))
    assert {row["operation"]: int(row["calls"]) for row in rows} == {
        "CompareFaces": 1,
        "IndexFaces": 4,
        "SearchFaces": 4,
        "SearchFacesByImage": 2,
    }
    assert {row["engine"] for row in rows} == {"embedded"}
    assert sum(float(row["aws_dollars"]) for row in rows) == pytest.approx(0.011)
    prices = tmp_path / "prices.toml"
    prices.write_text(
        'as_of = 2026-01-01\nsource = "ours"\nface_month = "0"\n'
        '[[groups]]\nname = "all"\noperations = ["IndexFaces"]\ntiers = [{ price = "0.5" }]\n'
    )
    monkeypatch.setenv("FACESEARCH_PRICES", str(prices))
    priced = {row["operation"]: row["aws_dollars"] for row in answer("usage")["usage"]}
    assert priced == {
        "CompareFaces": None,
        "IndexFaces": 2.0,
        "SearchFaces": None,
        "SearchFacesByImage": None,
    }
    month = rows[0]["month"]
    assert len(answer("usage", "--month", month)["usage"]) == 4
    assert answer("usage", "--month", "1999-12")["usage"] == []
    monkeypatch.setenv("FACESEARCH_PRICES", str(tmp_path / "none.toml"))
    assert "none.toml cannot be read" in run("usage", code=4).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("enroll", "x", "-c", "staff", "--max-cost", "-1"), "'-1' is not an amount of dollars"),
        (("enroll", "x", "-c", "staff", "--max-cost", "inf"), "'inf' is not an amount of dollars"),
        (("usage", "--month", "2026-13"), "'2026-13' is not a month such as 2026-11"),
    ],
)
def test_amounts_and_months_that_are_none_are_refused(arguments, said):
    assert said in run(*arguments, code=2).stderr
