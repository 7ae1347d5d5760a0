from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from facesearch.domain import PersonSpec


def faces_in(database, known):
    with database.read() as records:
        return [face.face.face_id for face in records.iter_faces(known.arn)]


def test_remembering_a_collection_again_changes_nothing(database, staff, enrol, making):
    enrol(staff, "Anna", "a.jpg")
    almost_then = replace(
        staff, created_at=staff.created_at + timedelta(milliseconds=999), model_version="7.1"
    )
    with database.begin() as records:
        assert records.remember_collection(almost_then) is False
    assert faces_in(database, staff) == [making.face_id("a.jpg", staff)]


def test_a_collection_made_anew_has_none_of_the_old_ones_faces(database, staff, enrol, making):
    anna = enrol(staff, "Anna", "a.jpg")
    with database.begin() as records:
        assert records.remember_collection(replace(staff, created_at=staff.created_at + timedelta(days=1)))
        assert not records.remember_collection(
            replace(staff, created_at=staff.created_at + timedelta(days=1))
        )
        assert records.journal(staff.arn, [(anna.id, making.sha256("a.jpg"))]) == {}
        assert records.summary(anna.id).faces == {}
    assert faces_in(database, staff) == []


def test_collections_of_one_name_on_two_engines_do_not_mix(database, staff, enrol, making):
    other = making.collection("staff", engine="999999999999")
    with database.begin() as records:
        assert records.remember_collection(other) is False
    enrol(staff, "Anna", "a.jpg")
    bob = enrol(other, "Bob", "a.jpg")
    with database.begin() as records:
        assert records.forget_collection(staff.arn) == 1
    assert faces_in(database, staff) == []
    assert faces_in(database, other) == [making.face_id("a.jpg", other)]
    with database.read() as records:
        assert [summary.person for summary in records.people(other.arn)] == [bob]


def test_forgetting_a_collection_keeps_its_people_and_takes_its_photos(database, staff, enrol, making):
    anna = enrol(staff, "Anna", "a.jpg", "b.jpg")
    with database.begin() as records:
        run = records.start_run(staff.arn)
        records.intend(run, staff.arn, [making.intent(anna, "c.jpg")])
        assert records.forget_collection(staff.arn) == 2
        assert records.forget_collection(staff.arn) == 0
    with database.begin() as records:
        assert records.person(anna.id) == anna
        assert records.resolve_people([PersonSpec("Anna")]) == [anna]
        assert records.journal(staff.arn, [(anna.id, making.sha256("c.jpg"))]) == {}
