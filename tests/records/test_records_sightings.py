from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from facesearch.domain import Box, Person, PersonMatch, Photo, SearchedFace
from facesearch.errors import DatabaseError

BOX, OTHER_BOX = Box(-0.125, 0.25, 0.5, 0.5), Box(0.5, 0.25, 0.25, 0.25)


def face(*people, box=BOX):
    matches = [
        PersonMatch(person, 95.5 - 5 * place, f"face-{place}", None, agreeing=2, enrolled=3, margin=5.0)
        for place, person in enumerate(people)
    ]
    return SearchedFace(box, 99.0, tuple(matches))


def photo(making, name):
    return Photo(making.sha256(name), f"/seen/{name}")


@pytest.fixture
def people(staff, enrol):
    return enrol(staff, "Anna", "a.jpg"), enrol(staff, "Bob", "b.jpg")


def test_the_best_match_of_every_face_is_a_sighting(database, staff, people, making):
    anna, bob = people
    faces = [face(anna, bob), face(bob, box=OTHER_BOX), face(), face(None)]
    with database.begin() as records:
        assert records.replace_sightings(staff.arn, photo(making, "party"), faces, 80.0) == 2
    with database.read() as records:
        second, first = records.sightings()
        assert [one.person for one in records.sightings(anna.id)] == [anna]
    assert (first.person, first.box, second.person, second.box) == (anna, BOX, bob, OTHER_BOX)
    assert (first.collection_id, first.photo) == ("staff", photo(making, "party"))
    assert (first.similarity, first.threshold, first.margin) == (95.5, 80.0, 5.0)
    assert (first.agreeing, first.enrolled, first.face_id) == (2, 3, "face-0")
    assert timedelta(0) <= datetime.now(UTC) - first.seen_at < timedelta(minutes=1)


def test_a_photo_that_is_searched_again_says_what_it_says_now(database, staff, people, making):
    anna, bob = people
    elsewhere = Photo(making.sha256("party"), "/moved/party")
    with database.begin() as records:
        records.replace_sightings(staff.arn, photo(making, "party"), [face(anna)], 80.0)
        records.replace_sightings(staff.arn, photo(making, "door"), [face(anna)], 80.0)
        records.replace_sightings(staff.arn, elsewhere, [face(bob)], 80.0)
    with database.read() as records:
        assert [(one.person, one.photo.path) for one in records.sightings()] == [
            (bob, "/moved/party"),
            (anna, "/seen/door"),
        ]
        assert [one.photo.path for one in records.sightings(sha256=making.sha256("door"))] == ["/seen/door"]
        assert [one.person for one in records.sightings(path="/moved/party")] == [bob]
        assert list(records.sightings(anna.id, path="/moved/party")) == []
        assert len(list(records.sightings(limit=1))) == 1
        assert len(list(records.sightings(since=datetime.now(UTC) - timedelta(minutes=1)))) == 2
        assert list(records.sightings(since=datetime.now(UTC) + timedelta(minutes=1))) == []
    with database.begin() as records:
        records.replace_sightings(staff.arn, elsewhere, [], 80.0)
        assert [one.person for one in records.sightings()] == [anna]


def test_nobody_who_is_not_on_record_is_seen(database, staff, making):
    with database.begin() as records:
        stranger = Person("0" * 32, "Nobody")
        assert records.replace_sightings(staff.arn, photo(making, "party"), [face(stranger)], 80.0) == 0
        assert list(records.sightings()) == []
        with pytest.raises(DatabaseError, match="hold no collection"):
            records.replace_sightings("arn:of:none", photo(making, "party"), [], 80.0)


def test_the_sightings_of_a_person_go_with_them(database, staff, people, making):
    anna, bob = people
    with database.begin() as records:
        records.replace_sightings(
            staff.arn, photo(making, "party"), [face(anna), face(bob, box=OTHER_BOX)], 80.0
        )
        erased = records.begin_erasure(anna.id, datetime.now(UTC))
        assert erased.sightings == 1
        assert [one.person for one in records.sightings()] == [bob]


@pytest.mark.parametrize("anew", [True, False])
def test_the_sightings_in_a_collection_go_with_it(anew, database, staff, people, making):
    with database.begin() as records:
        records.replace_sightings(staff.arn, photo(making, "party"), [face(people[0])], 80.0)
        if anew:
            assert records.remember_collection(replace(staff, created_at=datetime(2026, 5, 5, tzinfo=UTC)))
        else:
            records.forget_collection(staff.arn)
        assert list(records.sightings()) == []
