import pytest

from facesearch.domain import (
    Box,
    Face,
    FaceDetail,
    FaceRecord,
    IndexResult,
    OnMultiple,
    PhotoStatus,
    UnindexedFace,
)
from facesearch.workflows.choosing import choose, in_plain_words


def detail(area):
    return FaceDetail(Box(0, 0, area, 1), 99)


def record(area, face_id="kept"):
    return FaceRecord(Face(face_id, "image", Box(0, 0, area, 1), 99), detail(area))


def answer(records, unindexed):
    return IndexResult(
        tuple(records), tuple(UnindexedFace(detail(a), reasons) for a, reasons in unindexed), "1"
    )


ROOM = ("EXCEEDS_MAX_FACES",)


def test_the_only_face_is_enrolled():
    choice = choose(answer([record(0.2)], []), OnMultiple.SKIP)
    assert (choice.status, choice.kept.face.face_id, choice.superfluous) == (PhotoStatus.ENROLLED, "kept", ())


def test_a_photo_without_a_face_is_no_face():
    assert choose(answer([], []), OnMultiple.AUTO).status is PhotoStatus.NO_FACE


@pytest.mark.parametrize(
    ("next_area", "status"), [(0.25, PhotoStatus.ENROLLED), (0.26, PhotoStatus.SEVERAL_FACES)]
)
def test_auto_takes_the_largest_face_when_it_has_three_times_the_area_of_the_next(next_area, status):
    choice = choose(answer([record(0.75)], [(next_area, ROOM)]), OnMultiple.AUTO)
    assert choice.status is status


def test_a_photo_that_is_left_out_leaves_no_face_behind():
    choice = choose(answer([record(0.3)], [(0.2, ROOM)]), OnMultiple.AUTO)
    assert (choice.kept, choice.superfluous) == (None, ("kept",))
    assert choice.reason == "2 faces, and the largest has only 1.5 times the area of the next"


def test_skip_leaves_out_a_photo_with_the_smallest_bystander():
    assert choose(answer([record(0.3)], [(0.001, ROOM)]), OnMultiple.SKIP).status is PhotoStatus.SEVERAL_FACES


def test_a_largest_face_that_only_wanted_room_is_asked_for_again():
    assert choose(answer([record(0.1)], [(0.5, ROOM)]), OnMultiple.LARGEST) is None


def test_with_room_for_all_the_largest_is_kept_and_the_others_go():
    choice = choose(answer([record(0.1, "bystander"), record(0.5)], []), OnMultiple.LARGEST)
    assert (choice.kept.face.face_id, choice.superfluous) == ("kept", ("bystander",))


def test_a_largest_face_that_was_filtered_is_not_replaced_by_a_bystander():
    choice = choose(answer([record(0.1)], [(0.5, ("LOW_SHARPNESS",))]), OnMultiple.LARGEST)
    assert (choice.status, choice.superfluous) == (PhotoStatus.FILTERED, ("kept",))
    assert choice.reason == "the face is too blurred (LOW_SHARPNESS)"


def test_faces_without_any_area_are_no_division_by_zero():
    assert choose(answer([record(0.0)], [(0.0, ROOM)]), OnMultiple.AUTO).status is PhotoStatus.ENROLLED


def test_a_reason_rekognition_may_add_later_is_still_told():
    assert in_plain_words(["TOO_SHINY"]) == "not stored (TOO_SHINY)"
