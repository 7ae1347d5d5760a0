"""Status: both sides in numbers, on the embedded engine and real records."""

import json
import sqlite3

import pytest
from click.testing import CliRunner

from facesearch import FaceSearch
from facesearch.cli import main
from facesearch.domain import Change
from facesearch.errors import CollectionNotFoundError


@pytest.fixture
def fs():
    with FaceSearch.open() as fs:
        yield fs


@pytest.fixture
def ada(fs, samples):
    """A person of one photo in the collection staff."""
    photo = sorted((samples / "people").rglob("*.jpg"))[0]
    fs.enroll([photo], "staff", person="Ada")
    return photo


def run(*arguments):
    result = CliRunner().invoke(main, arguments, prog_name="facesearch")
    return result.exit_code, result.stdout, result.stderr


def test_equal_counts_are_no_drift_and_nothing_is_written(fs, ada, home):
    fs.create_collection("empty")
    before = {path.name: path.read_bytes() for path in home.glob("*.db")}
    code, out, err = run("status", "-o", "json")
    assert {path.name: path.read_bytes() for path in home.glob("*.db")} == before
    assert code == 0, err
    empty, staff = sorted(json.loads(out)["collections"], key=lambda one: one["collection_id"])
    assert (empty["collection_id"], empty["faces_there"], empty["faces_here"]) == ("empty", 0, 0)
    assert (staff["faces_there"], staff["faces_here"], staff["people"], staff["photos"]) == (1, 1, 1, 1)
    assert staff["last_run"]["finished_at"]
    assert not staff["drift"]


def test_a_face_deleted_behind_our_back_is_drift(fs, ada, home):
    fs._gateway.delete_faces("staff", [face.face.face_id for face in fs.faces("staff")])
    code, out, err = run("status", "-c", "staff", "-o", "json")
    [staff] = json.loads(out)["collections"]
    assert (code, staff["drift"], staff["faces_there"], staff["faces_here"]) == (1, True, 0, 1)
    assert "facesearch reconcile -c staff" in err


@pytest.mark.parametrize("kind", ["photo", "change"])
def test_what_is_unsettled_is_drift_although_the_counts_agree(fs, ada, home, kind):
    if kind == "change":
        with fs._database.begin() as records:
            records.intend_changes(fs.collection("staff").arn, [Change("DeleteFaces", face_id="x")])
    else:
        with sqlite3.connect(home / "facesearch.db") as connection:
            connection.execute("UPDATE journal SET state = 'intent', settled_at = NULL")
        connection.close()
    [staff] = fs.status("staff")
    assert staff.drifted and staff.unsettled == 1
    assert staff.there.face_count == staff.here.faces == 1


def test_a_collection_of_others_differs_as_soon_as_it_holds_a_face(fs, samples):
    fs._gateway.create_collection("theirs")
    [theirs] = fs.status()
    assert theirs.here is None and not theirs.drifted
    photo = sorted((samples / "people").rglob("*.jpg"))[0]
    fs._gateway.index_faces("theirs", photo.read_bytes(), "john_smith", max_faces=1)
    [theirs] = fs.status()
    assert theirs.here is None and theirs.drifted


def test_a_collection_that_is_gone_is_told_as_such(fs, ada):
    fs.create_collection("other")
    fs._gateway.delete_collection("staff")
    by_name = {one.collection.collection_id: one for one in fs.status()}
    assert by_name["staff"].there is None and by_name["staff"].drifted
    assert not by_name["other"].drifted
    [staff] = fs.status("staff")
    assert staff == by_name["staff"]
    code, out, _ = run("status", "-o", "table")
    assert code == 1
    assert "gone" in out


def test_a_collection_nobody_knows_is_an_error(fs, ada):
    with pytest.raises(CollectionNotFoundError):
        list(fs.status("nix"))
