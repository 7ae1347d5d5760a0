"""Faces that were stored and may not stay: too small, or under another person already."""

import pytest

from facesearch import FaceSearch
from facesearch.domain import (
    Box,
    Face,
    FaceDetail,
    FaceMatch,
    FaceRecord,
    PhotoStatus,
    Settlement,
)
from facesearch.domain.door import AtTheDoor, OnConflict
from facesearch.workflows.choosing import Choice
from facesearch.workflows.door import Door, large_enough

ENROLLED, ALREADY, CONFLICT, FILTERED = (
    PhotoStatus.ENROLLED,
    PhotoStatus.ALREADY,
    PhotoStatus.CONFLICT,
    PhotoStatus.FILTERED,
)


@pytest.fixture
def fs():
    with FaceSearch.open() as fs:
        yield fs


@pytest.fixture
def people(samples, tmp_path):
    """Two files of one photo of one of the drawn people, under two names, and one of somebody else."""
    folders = sorted((samples / "people").iterdir())[:2]
    photos = [sorted(path for path in folder.iterdir() if path.suffix == ".jpg")[0] for folder in folders]
    for name, photo in (("Ann", photos[0]), ("Ben", photos[0]), ("Cleo", photos[1])):
        (tmp_path / name).mkdir()
        # Bytes after its end: another file of the same picture, which must be looked at to be known again
        (tmp_path / name / "1.jpg").write_bytes(photo.read_bytes() + name.encode())
    return tmp_path


def counts(report):
    return {status: count for status, count in report.counts.items() if count}


def test_a_face_under_another_person_is_enrolled_and_told_of(fs, people):
    report = fs.enroll([people], "staff", jobs=2)
    assert counts(report) == {ENROLLED: 3}
    (told,) = report.conflicts
    (other,) = {"Ann", "Ben"} - {told.person}
    assert told.reason == f"the same face is under {other} already (similarity 100.0)"
    assert fs.enroll([people], "staff").conflicts == ()


def test_of_two_new_photos_of_one_face_one_is_let_in(fs, people):
    report = fs.enroll([people], "staff", on_conflict="skip", jobs=2)
    assert counts(report) == {ENROLLED: 2, CONFLICT: 1}
    assert fs.collection("staff").face_count == 2
    assert len(list(fs.faces("staff"))) == 2
    assert counts(fs.enroll([people], "staff", on_conflict="skip")) == {ALREADY: 2, CONFLICT: 1}
    assert counts(fs.enroll([people], "staff")) == {ALREADY: 2, ENROLLED: 1}


def test_who_does_not_look_is_told_nothing(fs, people):
    report = fs.enroll([people], "staff", on_conflict="enroll")
    assert (counts(report), report.conflicts) == ({ENROLLED: 3}, ())


def test_a_face_of_too_few_pixels_leaves_the_collection_again(fs, people):
    report = fs.enroll([people], "staff", min_face=5000)
    assert counts(report) == {FILTERED: 3}
    assert all("pixels on its shorter side, and 5000 are asked for" in one.reason for one in report.problems)
    assert fs.collection("staff").face_count == 0
    assert counts(fs.enroll([people], "staff", min_face=5000)) == {FILTERED: 3}
    assert counts(fs.enroll([people], "staff", min_face=10)) == {ENROLLED: 3}


def test_a_photo_that_was_filtered_is_looked_at_again_by_another_filter(fs, samples, tmp_path):
    from PIL import Image, ImageFilter

    folder = sorted((samples / "people").iterdir())[0]
    photo = sorted(path for path in folder.iterdir() if path.suffix == ".jpg")[0]
    (tmp_path / "Ann").mkdir()
    with Image.open(photo) as image:
        image.filter(ImageFilter.GaussianBlur(image.width // 40)).save(tmp_path / "Ann" / "blurred.jpg")
    report = fs.enroll([tmp_path], "staff", quality="HIGH")
    assert counts(report) == {FILTERED: 1}
    assert counts(fs.enroll([tmp_path], "staff", quality="NONE")) == {ENROLLED: 1}


@pytest.mark.parametrize(("least", "status"), [(50, ENROLLED), (51, FILTERED)])
def test_the_shorter_side_counts_in_pixels_of_the_photo_as_sent(least, status):
    record = FaceRecord(Face("f", "i", Box(0, 0, 0.5, 0.1), 99), FaceDetail(Box(0, 0, 0.5, 0.1), 99))
    choice = large_enough(Choice(ENROLLED, None, record, ("bystander",)), 400, 500, least)
    assert choice.status is status
    assert choice.superfluous == (("bystander",) if status is ENROLLED else ("bystander", "f"))


class Records:
    """Records that know some faces, as the tables do."""

    def __init__(self, **people):
        self._people = people

    def owners(self, arn, face_ids):
        return {id_: (self._people[id_], self._people[id_]) for id_ in face_ids if id_ in self._people}


def face(face_id):
    return Face(face_id, "image", Box(0, 0, 1, 1), 99)


def settled(face_id, name, *matches):
    record = FaceRecord(face(face_id), FaceDetail(Box(0, 0, 1, 1), 99))
    found = tuple(FaceMatch(face(other), 99.5) for other in matches)
    return Settlement(name, face_id, ENROLLED, None, record, person=name, matches=found)


SKIP = AtTheDoor(on_conflict=OnConflict.SKIP)


def states(settlements):
    return [(one.person, one.status) for one in settlements]


def test_two_that_met_in_flight_are_told_apart_by_who_is_settled_first():
    both = [settled("a", "Ann", "b"), settled("b", "Ben", "a")]
    assert states(Door(SKIP, "arn").decide(Records(), both)) == [("Ann", ENROLLED), ("Ben", CONFLICT)]


def test_one_that_is_settled_with_the_other_is_turned_away_though_no_record_tells_of_it_yet():
    both = [settled("a", "Ann"), settled("b", "Ben", "a")]
    assert states(Door(SKIP, "arn").decide(Records(), both)) == [("Ann", ENROLLED), ("Ben", CONFLICT)]


def test_one_that_looked_before_the_other_was_there_is_told_of_it():
    door = Door(SKIP, "arn")
    assert states(door.decide(Records(), [settled("a", "Ann", "b")])) == [("Ann", ENROLLED)]
    [late] = door.decide(Records(a="Ann"), [settled("b", "Ben")])
    assert (late.status, late.record, late.superfluous) == (CONFLICT, None, ("b",))
    assert late.reason == "the same face is under Ann already (similarity 99.5)"


def test_a_face_that_was_turned_away_turns_nobody_away():
    door = Door(SKIP, "arn")
    door.decide(Records(x="Eve"), [settled("a", "Ann", "x", "b")])
    assert states(door.decide(Records(), [settled("b", "Ben", "a")])) == [("Ben", ENROLLED)]


def test_faces_of_the_same_person_are_no_conflict():
    assert states(Door(SKIP, "arn").decide(Records(x="Ann"), [settled("a", "Ann", "x")])) == [
        ("Ann", ENROLLED)
    ]


def test_a_face_nobody_has_a_record_of_is_no_conflict():
    assert states(Door(SKIP, "arn").decide(Records(), [settled("a", "Ann", "foreign")])) == [
        ("Ann", ENROLLED)
    ]
