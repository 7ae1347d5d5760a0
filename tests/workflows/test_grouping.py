"""Matches of faces become matches of people."""

from datetime import UTC, datetime

from facesearch.domain import Box, EnrolledFace, Face, FaceMatch, Person, PersonMatch, Photo
from facesearch.workflows.searching import by_person

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOX = Box(0, 0, 1, 1)
ANNA, BOB = Person("a" * 32, "Anna"), Person("b" * 32, "Bob")
PHOTO = Photo("c" * 64, "p.jpg")


def match(face_id, similarity):
    return FaceMatch(Face(face_id, "i", BOX, 99.0, f"x:{face_id}"), similarity)


def known(**people):
    return {
        face_id: EnrolledFace(Face(face_id, "i", BOX, 99.0), "staff", person, PHOTO, None, None, NOON)
        for face_id, person in people.items()
    }


def test_a_person_is_named_once_with_how_many_faces_agree_and_how_far_the_next_person_is():
    matches = [match("b1", 85.0), match("a1", 91.0), match("a2", 97.5), match("a3", 84.0)]
    found = by_person(matches, known(a1=ANNA, a2=ANNA, a3=ANNA, b1=BOB), {ANNA.id: 5, BOB.id: 2})
    assert found == [
        PersonMatch(ANNA, 97.5, "a2", PHOTO, "x:a2", agreeing=3, enrolled=5, margin=12.5, box=BOX),
        PersonMatch(BOB, 85.0, "b1", PHOTO, "x:b1", agreeing=1, enrolled=2, margin=None, box=BOX),
    ]


def test_another_face_of_the_same_person_is_no_runner_up():
    [found] = by_person([match("a1", 91.0), match("a2", 90.0)], known(a1=ANNA, a2=ANNA), {ANNA.id: 2})
    assert (found.agreeing, found.enrolled, found.margin) == (2, 2, None)


def test_each_face_that_nobody_knows_stands_for_itself_and_may_be_the_runner_up():
    found = by_person([match("x", 90.0), match("a1", 95.0), match("y", 88.0)], known(a1=ANNA), {ANNA.id: 1})
    assert [(one.person, one.agreeing, one.enrolled, one.margin) for one in found] == [
        (ANNA, 1, 1, 5.0),
        (None, 1, None, 2.0),
        (None, 1, None, None),
    ]


def test_no_match_is_nobody():
    assert by_person([], {}, {}) == []
