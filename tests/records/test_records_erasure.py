"""Erasing people from the records, and moving them into others."""

from datetime import UTC, datetime, timedelta

import pytest

from facesearch.domain import Change, ChangeState, Person, PersonSpec, Photo
from facesearch.domain.erasure import ERASE_PERSON, ErasureState
from facesearch.domain.files import FileState, KnownFile
from facesearch.errors import UsageError

EVER = datetime(2000, 1, 1, tzinfo=UTC)


def ids(changes):
    return [change.id for change in changes]


def test_a_person_goes_at_once_and_what_the_service_must_confirm_stays(database, staff, enrol, making):
    bob = enrol(staff, "Bob", "both.jpg")
    anna = enrol(staff, "Anna", "hers.jpg", "too.jpg")
    with database.begin() as records:
        records.remember_files(
            [KnownFile(name.ljust(64, "0"), FileState(1, 2, "3"), making.sha256(name)) for name in
             ("hers.jpg", "both.jpg")]
        )  # fmt: skip
        erased = records.begin_erasure(anna.id, datetime.now(UTC))
    assert (erased.people, erased.faces, erased.journal, erased.photos) == (1, 2, 2, 2)
    with database.read() as records:
        assert [one.person for one in records.people()] == [bob]
        assert records.known_files(["hers.jpg".ljust(64, "0")]) == {}
        assert len(records.known_files(["both.jpg".ljust(64, "0")])) == 1
        assert records.unfinished_erasures() == [anna.id]
        changes = records.open_changes(staff.arn, person_id=anna.id)
        assert [change.operation for change in changes] == ["DeleteFaces", "DeleteFaces", ERASE_PERSON]
        [there] = records.erasure(anna.id)
    assert (there.collection.arn, there.state, len(there.waiting)) == (staff.arn, ErasureState.PENDING, 2)


def test_an_erasing_ends_with_nothing_kept_but_that_it_was(database, staff, enrol):
    anna = enrol(staff, "Anna", "a.jpg")
    with database.begin() as records:
        records.begin_erasure(anna.id, datetime.now(UTC))
        records.settle_changes(ids(records.open_changes(staff.arn, person_id=anna.id)), request_id="r")
        [there] = records.erasure(anna.id)
        assert (there.state, len(there.faces), there.proof) == (ErasureState.ERASED, 1, "r")
        assert records.unfinished_erasures() == [anna.id]
        records.end_erasure(anna.id)
        assert records.unfinished_erasures() == []
        assert records.erased_people([anna.id, "0" * 32]) == {anna.id}
        assert [one.state for one in records.erasure(anna.id)] == [ErasureState.ERASED]


def test_a_photo_on_its_way_is_remembered_and_one_of_long_ago_is_not(database, staff, making):
    for since, expected in ((EVER, ["IndexFaces", ERASE_PERSON]), (None, [ERASE_PERSON])):
        with database.begin() as records:
            [anna] = records.resolve_people([PersonSpec("Anna")])
            records.intend(records.start_run(staff.arn), staff.arn, [making.intent(anna, "a.jpg")])
            records.begin_erasure(anna.id, since or datetime.now(UTC) + timedelta(minutes=1))
            changes = records.open_changes(staff.arn, person_id=anna.id)
        assert [change.operation for change in changes] == expected


def test_a_change_that_somebody_else_intended_becomes_the_persons(database, staff, enrol, making):
    anna = enrol(staff, "Anna", "a.jpg")
    with database.begin() as records:
        [known] = records.intend_changes(staff.arn, [Change("DeleteFaces", making.face_id("a.jpg", staff))])
        records.begin_erasure(anna.id, datetime.now(UTC))
        assert known in ids(records.open_changes(staff.arn, person_id=anna.id))


def test_faces_of_somebody_being_erased_are_told_from_others(database, staff, enrol, making):
    anna = enrol(staff, "Anna", "a.jpg")
    face_id = making.face_id("a.jpg", staff)
    asked = {face_id: None, "f-1": f"{anna.id}:1", "f-2": "somebody:2", "f-3": None}
    with database.begin() as records:
        assert records.being_erased(staff.arn, asked) == set()
        records.begin_erasure(anna.id, datetime.now(UTC))
        assert records.being_erased(staff.arn, asked) == {face_id, "f-1"}
        assert records.being_erased(making.collection("guests").arn, asked) == set()
        open_ = ids(records.open_changes(staff.arn, person_id=anna.id))
        records.settle_changes(open_, ChangeState.DONE)
        assert records.being_erased(staff.arn, asked) == set()


def test_a_run_of_one_person_forgets_what_it_was_of(database, staff, making):
    with database.begin() as records:
        anna, bob = records.resolve_people([PersonSpec("Anna"), PersonSpec("Bob")])
        hers, both = (records.start_run(staff.arn, source) for source in ("Anna/", "people/"))
        records.intend(hers, staff.arn, [making.intent(anna, "a.jpg")])
        records.intend(both, staff.arn, [making.intent(anna, "b.jpg"), making.intent(bob, "b.jpg")])
        records.begin_erasure(anna.id, datetime.now(UTC))
    with database.read() as records:
        sources = {run.id: run.source for run in records.runs()}
    assert sources == {hers: None, both: "people/"}


def test_people_are_matched_by_id_key_or_the_only_one_of_a_name(database):
    with database.begin() as records:
        keyed, only, *_ = records.resolve_people(
            [PersonSpec("Keyed", "k"), PersonSpec("Only"), PersonSpec("Two", "1"), PersonSpec("Two", "2")]
        )
    asked = [
        Person(keyed.id, "Other name", "other key"),
        Person("1" * 32, "Nobody", "k"),
        Person("2" * 32, "Only"),
        Person("3" * 32, "Only", "a key"),
        Person("4" * 32, "Two"),
    ]
    with database.read() as records:
        found = records.people_alike(asked, [True] * 5)
        assert [one.id if one else None for one in found] == [keyed.id, keyed.id, only.id, None, None]
        assert records.people_alike(asked[2:3], [False]) == [None]


def test_people_come_out_and_go_in_as_they_were(database, staff, enrol):
    anna = enrol(staff, "Анна 山田", "a.jpg", key="7")
    enrol(staff, "Bob", "b.jpg")
    with database.read() as records:
        assert [face.person for face in records.exported_faces(staff.arn) if face.person == anna] == [anna]
        assert {one.name for one, _ in records.exported_people(staff.arn)} == {"Анна 山田", "Bob"}
        assert [photo.path for photo in records.exported_photos()] == ["/photos/a.jpg", "/photos/b.jpg"]
        assert list(records.exported_people("arn:nowhere")) == []
    moved = Person("5" * 32, "Eve", "8", {"a": [1]}, "note", datetime(2020, 1, 2, tzinfo=UTC))
    with database.begin() as records:
        records.add_people([moved])
        records.move_photos([Photo(next(records.exported_photos()).sha256, "/elsewhere/a.jpg")])
    with database.read() as records:
        assert records.people_by_id([moved.id, "6" * 32]) == {moved.id: moved}
        assert next(records.exported_photos()).path == "/elsewhere/a.jpg"
    with pytest.raises(UsageError, match="NUL"), database.begin() as records:
        records.add_people([Person("9" * 32, "a\0b")])
