"""`facesearch runs`, and enrolling again what failed, as they are seen on the command line."""

import csv
import io
import json
import shutil

import pytest
from click.testing import CliRunner

from facesearch.cli import main


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


@pytest.fixture
def ada(samples, tmp_path):
    """A photo of a drawn person, one of nobody, and a file that is none."""
    folder = tmp_path / "people" / "Ada"
    folder.mkdir(parents=True)
    person = sorted((samples / "people").iterdir())[0]
    shutil.copy(sorted(person.glob("*.jpg"))[0], folder / "ada.jpg")
    shutil.copy(samples / "queries" / "lake.jpg", folder / "lake.jpg")
    (folder / "notes.jpg").write_text("no photo")
    return folder


def test_a_run_is_listed_and_shown_with_what_each_photo_took(ada):
    report = json.loads(run("enroll", ada.parent, "-c", "staff", "-o", "json", code=3).stdout)
    assert (report["settled_first"], report["problems_left_out"]) == (0, 0)
    [listed] = json.loads(run("runs", "list", "-o", "json").stdout)["runs"]
    assert listed["run"] == report["run"]
    assert (listed["outcome"], listed["source"]) == ("finished", str(ada.parent))
    assert listed["counts"] == report["photos"]
    for ref in ("last", report["run"], report["run"][:6]):
        shown = json.loads(run("runs", "show", ref, "-o", "json").stdout)
        assert shown["run"] == report["run"]
    photos = {photo["photo"]: photo for photo in shown["photos"]}
    enrolled, empty, broken = (photos[str(ada / name)] for name in ("ada.jpg", "lake.jpg", "notes.jpg"))
    assert (enrolled["state"], enrolled["attempts"], enrolled["calls"]) == ("enrolled", 1, 1)
    assert enrolled["milliseconds"] >= 0
    assert len(enrolled["request_id"]) == 36
    assert (empty["state"], empty["calls"], empty["person"]["name"]) == ("no_face", 1, "Ada")
    assert (broken["state"], broken["calls"], broken["request_id"]) == ("unreadable", 0, None)


def test_a_run_as_a_table_and_as_flat_rows(ada):
    run("enroll", ada.parent, "-c", "staff", code=3)
    table = run("runs", "show", "last", "-o", "table").stdout
    assert "into collection staff" in table
    assert "3 photos: 1 enrolled, 1 no face, 1 unreadable" in table
    rows = list(csv.DictReader(io.StringIO(run("runs", "show", "last", "-o", "csv").stdout)))
    assert {row["state"] for row in rows} == {"enrolled", "no_face", "unreadable"}
    assert {row["person_name"] for row in rows} == {"Ada"}
    listed = run("runs", "list", "-c", "staff", "-o", "table").stdout
    assert "finished" in listed
    assert run("runs", "list", "-c", "guests", "-o", "csv").stdout.count("\n") == 1


def test_what_failed_is_enrolled_again_without_a_path(ada, samples):
    run("enroll", ada.parent, "-c", "staff", code=3)
    again = json.loads(run("enroll", "-c", "staff", "--retry-failed", "-o", "json", code=3).stdout)
    assert (again["photos"]["total"], again["photos"]["unreadable"]) == (1, 1)
    other = sorted((samples / "people").iterdir())[1]
    shutil.copy(sorted(other.glob("*.jpg"))[0], ada / "notes.jpg")
    again = json.loads(run("enroll", "-c", "staff", "--retry-failed", "-o", "json").stdout)
    assert (again["photos"]["total"], again["photos"]["enrolled"]) == (1, 1)
    assert (
        json.loads(run("enroll", "-c", "staff", "--retry-failed", "-o", "json").stdout)["photos"]["total"]
        == 0
    )


def test_a_photo_is_found_again_from_another_folder(ada, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("enroll", "people", "-c", "staff", code=3)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = json.loads(run("enroll", "-c", "staff", "--retry-failed", "-o", "json", code=3).stdout)
    assert again["problems"][0]["photo"] == str(ada / "notes.jpg")
    assert "not a photo" in again["problems"][0]["reason"]


def test_an_enrolment_of_nothing_is_a_mistake():
    assert "--retry-failed" in run("enroll", "-c", "staff", code=2).stderr
    for rate in ("0", "-1", "much"):
        run("enroll", "people", "-c", "staff", "--rate", rate, code=2)


def test_a_run_that_is_not_there_is_said_to_be_so():
    assert "there was no run yet" in run("runs", "show", "last", code=2).stderr
    assert "there is no run 'abc'" in run("runs", "show", "abc", code=2).stderr
    assert run("runs", "list", "-o", "csv").stdout.count("\n") == 1
