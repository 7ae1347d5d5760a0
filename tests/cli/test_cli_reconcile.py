"""`facesearch reconcile`: what it prints, what it asks, and its exit codes."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

from facesearch import FaceSearch
from facesearch.cli import main


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="facesearch")
    assert result.exit_code == code, result.output + result.stderr
    assert "Traceback" not in result.stderr
    return result


@pytest.fixture
def photo(samples):
    return sorted((samples / "people").rglob("*.jpg"))[0]


@pytest.fixture
def staff(photo):
    """One person on record and one face of another program."""
    with FaceSearch.open() as fs:
        fs.enroll([photo], "staff", person="Ada")
        fs._gateway.index_faces("staff", photo.read_bytes(), "john_smith", max_faces=1)


def test_agreement_is_said_and_the_exit_code_is_0(photo):
    run("enroll", photo, "-c", "staff", "--person", "Ada")
    assert "1 face there, 1 on record: they agree" in run("reconcile", "-c", "staff", "-o", "table").stdout
    document = json.loads(run("reconcile", "-c", "staff", "--apply", "-o", "json").stdout)
    assert (document["schema"], document["drift"], document["findings"]) == (1, False, [])


def test_a_difference_is_explained_with_examples_and_changes_nothing(staff):
    shown = run("reconcile", "-c", "staff", "-o", "table", code=1).stdout
    assert "2 faces there, 1 on record: 1 difference" in shown
    assert "1 foreign: a face that another program stored" in shown
    assert "--adopt puts it on record, --delete-unknown deletes it" in shown
    assert "john_smith" in shown
    document = json.loads(run("reconcile", "-c", "staff", "--adopt", "-o", "json", code=1).stdout)
    [finding] = document["findings"]
    assert (finding["drift"], finding["repair"], finding["count"]) == ("foreign", "adopt", 1)
    assert finding["examples"][0]["external_image_id"] == "john_smith"
    assert document["repaired"] is None


def test_adopting_needs_no_question_and_ends_in_agreement(staff):
    shown = run("reconcile", "-c", "staff", "--adopt", "--apply", "-o", "table").stdout
    assert "repaired: 1 difference" in shown and "they agree" in shown
    people = json.loads(run("person", "list", "-o", "json").stdout)["people"]
    assert [one["name"] for one in people] == ["Ada", "john_smith"]
    faces = json.loads(run("face", "list", "-c", "staff", "-o", "json").stdout)["faces"]
    assert [face["photo"] is None for face in faces] == [False, True]


def test_deleting_asks_first_and_says_what(staff):
    refused = run("reconcile", "-c", "staff", "--delete-unknown", "--apply", "-o", "json", code=2)
    assert "From collection staff will be deleted: 1 foreign. Nobody can be asked here" in refused.stderr
    document = json.loads(
        run("reconcile", "-c", "staff", "--delete-unknown", "--apply", "--yes", "-o", "json").stdout
    )
    assert document["repaired"] == [{"drift": "foreign", "repair": "delete", "count": 1}]
    assert (document["drift"], document["left"]) == (False, [])


def test_what_is_left_is_said_and_the_exit_code_stays_1(staff):
    shown = run("reconcile", "-c", "staff", "--apply", "-o", "table", code=1).stdout
    assert "is left alone" in shown


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_every_difference_is_a_line_where_lines_are_asked_for(staff, form):
    out = run("reconcile", "-c", "staff", "-o", form, code=1).stdout
    [row] = (
        list(csv.DictReader(io.StringIO(out)))
        if form == "csv"
        else [json.loads(line) for line in out.splitlines()]
    )
    assert (row["drift"], row["external_image_id"]) == ("foreign", "john_smith")


def test_both_ways_at_once_are_refused():
    assert "opposites" in run("reconcile", "-c", "staff", "--adopt", "--delete-unknown", code=2).stderr


def test_a_collection_that_is_not_there_is_an_error():
    assert "no collection 'nix'" in run("reconcile", "-c", "nix", code=5).stderr
