"""What enrolled photos look like, and whose a photo is."""

from dataclasses import replace

import pytest

from facesearch.domain import PhotoStatus


@pytest.fixture
def seen(database):
    """Enrols a photo that looks so: seen(collection, person, "a.jpg", "0" * 16)."""

    def seen(making, into, person, file, dhash):
        with database.begin() as records:
            run = records.start_run(into.arn)
            records.intend(run, into.arn, [making.intent(person, file)])
            records.settle(into.arn, [replace(making.enrolled(person, file, into), dhash=dhash)])

    return seen


def test_photos_are_known_by_what_they_look_like(database, staff, enrol, seen, making):
    anna, ben = (enrol(staff, name, f"{name}.jpg") for name in ("Anna", "Ben"))
    for person, file, dhash in ((anna, "a", "0" * 16), (anna, "b", "f" * 16), (ben, "c", "0" * 16)):
        seen(making, staff, person, file, dhash)
    other = making.collection("other")
    with database.begin() as records:
        records.remember_collection(other)
    seen(making, other, anna, "d", "1" * 16)
    with database.read() as records:
        assert list(records.looks(staff.arn, [anna.id])) == [(anna.id, "0" * 16), (anna.id, "f" * 16)]
        assert len(list(records.looks(staff.arn, [anna.id, ben.id]))) == 3  # those never seen are not there
        assert list(records.looks(staff.arn, [])) == []
        alike = records.photos_that_look(staff.arn, [(anna.id, "0" * 16), (ben.id, "f" * 16)])
        assert [(person_id, photo.path) for person_id, _, photo in alike] == [(anna.id, making.path("a"))]


def test_what_a_photo_looks_like_stays_when_it_is_settled_without_being_decoded(
    database, staff, enrol, seen, making
):
    anna = enrol(staff, "Anna", "first.jpg")
    seen(making, staff, anna, "a", "0" * 16)
    seen(making, staff, anna, "a", None)
    with database.read() as records:
        assert list(records.looks(staff.arn, [anna.id])) == [(anna.id, "0" * 16)]


def test_a_photo_is_told_with_everyone_it_was_tried_for(database, staff, enrol, making):
    anna, ben = (enrol(staff, name, "both.jpg") for name in ("Anna", "Ben"))
    enrol(staff, "Cleo", "hers.jpg")
    with database.read() as records:
        told = records.journal_of_photos(staff.arn, [making.sha256("both.jpg"), making.sha256("never.jpg")])
        assert records.journal_of_photos(staff.arn, []) == {}
    assert set(told) == {making.sha256("both.jpg")}
    people = told[making.sha256("both.jpg")]
    assert {id_: entry.person for id_, entry in people.items()} == {anna.id: "Anna", ben.id: "Ben"}
    assert {entry.status for entry in people.values()} == {PhotoStatus.ENROLLED}
