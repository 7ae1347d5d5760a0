"""Photos that an earlier run decided over: ended by what is on record, unless something is to be written."""

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from facesearch import FaceSearch
from facesearch.domain import Person, PersonSpec, PhotoStatus
from facesearch.workflows.enrolling.decided import _says_nothing_new
from facesearch.workflows.enrolling.intents import Intents

ENROLLED, ALREADY, NO_FACE = PhotoStatus.ENROLLED, PhotoStatus.ALREADY, PhotoStatus.NO_FACE
OLD = 1_600_000_000  # nothing was written a moment ago


@pytest.fixture
def fs():
    with FaceSearch.open() as fs:
        yield fs


@pytest.fixture
def ada(samples, tmp_path):
    """Two small photos of one of the drawn people, and one of nobody."""
    folder = tmp_path / "people" / "Ada"
    folder.mkdir(parents=True)
    drawn = sorted((samples / "people").iterdir())[0]
    for photo in [*sorted(drawn.glob("*.jpg"))[:2], samples / "queries" / "lake.jpg"]:
        with Image.open(photo) as image:
            image.thumbnail((240, 240))
            image.save(folder / photo.name)
        os.utime(folder / photo.name, (OLD, OLD))
    return folder


@pytest.fixture
def written(monkeypatch):
    """The names of the photos that were looked at one by one, to be written down."""
    names = []
    write = Intents.write

    def spied(self, batch):
        names.extend(Path(work.path).name for work in batch)
        return write(self, batch)

    monkeypatch.setattr(Intents, "write", spied)
    return names


def counts(report):
    return {status: count for status, count in report.counts.items() if count}


def places(fs):
    """Where the photos of the faces are, by the records."""
    return {one.enrolled.photo.path for one in fs.faces("staff")}


def test_what_was_decided_is_ended_with_its_reason_and_its_face_and_nothing_is_written(fs, ada, written):
    first = fs.enroll([ada.parent], "staff")
    assert counts(first) == {ENROLLED: 2, NO_FACE: 1} and len(written) == 3
    written.clear()
    outcomes = []
    again = fs.enroll([ada.parent], "staff", on_photo=outcomes.append)
    assert (counts(again), again.people, written) == ({ALREADY: 2, NO_FACE: 1}, 1, [])
    assert again.problems == first.problems
    held = {face.face.face_id for face in fs.faces("staff")}
    assert {one.face_id for one in outcomes if one.status is ALREADY} == held
    with fs._database.read() as records:
        run = next(iter(records.runs()))
        assert run.counts == again.counts and not list(records.run_photos(run.id))


def test_a_relative_path_is_the_same_photo(fs, ada, written, monkeypatch):
    fs.enroll([ada.parent], "staff")
    written.clear()
    monkeypatch.chdir(ada.parent)
    assert counts(fs.enroll(["."], "staff")) == {ALREADY: 2, NO_FACE: 1}
    assert written == []


def test_a_photo_whose_face_was_deleted_is_sent_again(fs, ada, written):
    fs.enroll([ada.parent], "staff")
    face = next(iter(fs.faces("staff")))
    fs.delete_faces("staff", [face.face.face_id])
    written.clear()
    assert counts(fs.enroll([ada.parent], "staff")) == {ENROLLED: 1, ALREADY: 1, NO_FACE: 1}
    assert written == [Path(face.enrolled.photo.path).name]


def test_what_is_said_of_a_person_is_written_down_once(fs, ada, written):
    fs.enroll([ada.parent], "staff")
    (ada / "person.json").write_text(json.dumps({"attributes": {"badge": 1}, "notes": "likes tea"}))
    written.clear()
    for expected in (3, 0):
        assert fs.enroll([ada.parent], "staff").counts[ALREADY] == 2
        assert (len(written), fs.person("Ada").person.notes) == (expected, "likes tea")
        written.clear()


@pytest.mark.parametrize(
    ("spec", "nothing_new"),
    [
        (PersonSpec("Ada"), True),
        (PersonSpec("Ada", "A-1", {"badge": 1, "gone": None}, "tea"), True),
        (PersonSpec("Ada", attributes={}), True),
        (PersonSpec("Augusta", "A-1"), False),
        (PersonSpec("Ada", ""), False),
        (PersonSpec("Ada", notes=""), False),
        (PersonSpec("Ada", attributes={"badge": 2}), False),
        (PersonSpec("Ada", attributes={"badge": None}), False),
        (PersonSpec("Merged into her", attributes={"badge": 3}), True),
    ],
)
def test_only_what_changes_a_person_is_new(spec, nothing_new):
    ada = Person("0" * 32, "Ada", "A-1", {"badge": 1}, "tea")
    assert _says_nothing_new(spec, ada) is nothing_new


def test_a_folder_that_was_moved_is_on_record_where_it_is_now(fs, ada, written):
    fs.enroll([ada.parent], "staff")
    before = places(fs)
    moved = ada.parent.rename(ada.parent.parent / "moved")
    for number in (3, 0):  # found elsewhere, and then known there
        written.clear()
        assert counts(fs.enroll([moved], "staff")) == {ALREADY: 2, NO_FACE: 1}
        assert len(written) == number
    assert places(fs) == {path.replace(str(ada.parent), str(moved)) for path in before} != before


def test_a_folder_of_another_name_shows_somebody_else(fs, ada, written):
    fs.enroll([ada.parent], "staff")
    ada.rename(ada.with_name("Ben"))
    written.clear()
    assert counts(fs.enroll([ada.parent], "staff")) == {ENROLLED: 2, NO_FACE: 1}
    assert len(written) == 3


def test_a_file_that_could_not_be_read_for_a_while_is_crossed_off(fs, ada, written):
    fs.enroll([ada.parent], "staff")
    photo = sorted(ada.glob("*.jpg"))[0]
    hidden = photo.rename(ada.parent.parent / "hidden")
    photo.symlink_to("nowhere")
    assert counts(fs.enroll([ada.parent], "staff"))[PhotoStatus.UNREADABLE] == 1
    photo.unlink()
    hidden.rename(photo)
    for expected in ([photo.name], []):
        written.clear()
        assert counts(fs.enroll([ada.parent], "staff")) == {ALREADY: 2, NO_FACE: 1}
        assert written == expected
