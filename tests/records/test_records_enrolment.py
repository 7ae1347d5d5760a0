from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from facesearch.domain import Intent, JournalEntry, OnMultiple, PersonSpec, Photo, PhotoStatus
from facesearch.errors import DatabaseError
from facesearch.records.tables import RUNS


@pytest.fixture
def anna(database):
    with database.begin() as records:
        [anna] = records.resolve_people([PersonSpec("Anna")])
    return anna


@pytest.fixture
def run(database, staff):
    with database.begin() as records:
        return records.start_run(staff.arn)


def journal(database, staff, *pairs):
    with database.read() as records:
        return records.journal(staff.arn, pairs)


def paths_of(database, staff):
    with database.read() as records:
        return [face.photo.path for face in records.iter_faces(staff.arn)]


def test_a_photo_never_tried_is_not_in_the_journal(database, staff, anna, making):
    assert journal(database, staff) == {}
    assert journal(database, staff, (anna.id, making.sha256("a.jpg"))) == {}


def test_an_intent_that_nobody_settled_has_no_status(database, staff, anna, run, making):
    with database.begin() as records:
        records.intend(run, staff.arn, [making.intent(anna, "a.jpg", OnMultiple.LARGEST)])
    pair = (anna.id, making.sha256("a.jpg"))
    entry = JournalEntry(None, None, OnMultiple.LARGEST, person="Anna", path=making.path("a.jpg"), run=run)
    assert journal(database, staff, pair) == {pair: entry}


@pytest.mark.parametrize("status", [status for status in PhotoStatus if status is not PhotoStatus.ENROLLED])
def test_a_settled_photo_has_its_status_and_reason(database, staff, anna, run, making, status):
    with database.begin() as records:
        records.intend(run, staff.arn, [making.intent(anna, "a.jpg"), making.intent(anna, "b.jpg")])
        records.settle(staff.arn, [making.settled(anna, "b.jpg", status, "odd name \udcff, NUL \0, ünï")])
    one, two = ((anna.id, making.sha256(file)) for file in ("a.jpg", "b.jpg"))
    assert journal(database, staff, one, two) == {
        one: JournalEntry(None, None, OnMultiple.AUTO, person="Anna", path=making.path("a.jpg"), run=run),
        two: JournalEntry(
            status,
            r"odd name \udcff, NUL \x00, ünï",
            OnMultiple.AUTO,
            person="Anna",
            path=making.path("b.jpg"),
            run=run,
        ),
    }


def test_an_enrolled_photo_is_told_with_its_face(database, staff, enrol, making):
    anna = enrol(staff, "Anna", "a.jpg")
    pair = (anna.id, making.sha256("a.jpg"))
    [entry] = journal(database, staff, pair, pair).values()
    assert (entry.status, entry.face_id) == (PhotoStatus.ENROLLED, making.face_id("a.jpg", staff))
    assert (entry.person, entry.path) == ("Anna", making.path("a.jpg"))


def test_the_journal_tells_the_newest_face_of_a_photo(database, staff, enrol, run, making):
    anna = enrol(staff, "Anna", "a.jpg")
    settlement = making.enrolled(anna, "a.jpg", staff)
    newer = replace(settlement.record, face=replace(settlement.record.face, face_id="f" * 36))
    with database.begin() as records:
        records.intend(run, staff.arn, [making.intent(anna, "a.jpg")])
        records.settle(staff.arn, [replace(settlement, record=newer)])
    [entry] = journal(database, staff, (anna.id, making.sha256("a.jpg"))).values()
    assert entry.face_id == "f" * 36


def test_one_photo_of_two_people_is_two_entries(database, staff, enrol, making):
    anna, bob = enrol(staff, "Anna", "a.jpg"), enrol(staff, "Bob", "b.jpg")
    digest = making.sha256("a.jpg")
    assert set(journal(database, staff, (anna.id, digest), (bob.id, digest))) == {(anna.id, digest)}


def test_intending_again_takes_back_a_settlement_and_tells_where_the_photo_is_now(
    database, staff, enrol, run, making
):
    anna = enrol(staff, "Anna", "a.jpg")
    moved = Intent(anna.id, Photo(making.sha256("a.jpg"), "/moved/a.jpg"), OnMultiple.SKIP)
    with database.begin() as records:
        records.intend(run, staff.arn, [making.intent(anna, "a.jpg"), moved])
    [entry] = journal(database, staff, (anna.id, making.sha256("a.jpg"))).values()
    assert (entry.status, entry.on_multiple) == (None, OnMultiple.SKIP)
    assert paths_of(database, staff) == ["/moved/a.jpg"]


@pytest.mark.parametrize(
    "path",
    ["/p/caf\udce9.jpg", "/p/\ud800", "escaped:%41", "C:\\p\\100%.jpg", "/p/\0", "/" + "å" * 10_000],
    ids=["half a byte", "half a character", "like an escape", "of Windows", "a NUL", "very long"],
)
def test_any_path_comes_back_as_it_was(database, staff, anna, run, making, path):
    settlement = making.enrolled(anna, "a.jpg", staff)
    with database.begin() as records:
        photo = Photo(settlement.sha256, path)
        records.intend(run, staff.arn, [Intent(anna.id, photo, OnMultiple.AUTO)])
        records.settle(staff.arn, [settlement])
    assert paths_of(database, staff) == [path]


def test_settling_twice_keeps_one_face_and_the_time_of_the_first(database, staff, enrol, making):
    anna = enrol(staff, "Anna", "a.jpg")
    face_id = making.face_id("a.jpg", staff)
    with database.begin() as records:
        before = records.faces(staff.arn, [face_id])
        records.settle(staff.arn, [making.enrolled(anna, "a.jpg", staff)] * 2)
        assert records.faces(staff.arn, [face_id]) == before
        assert len(list(records.iter_faces(staff.arn))) == 1


def test_thousands_of_photos_are_intended_and_settled_in_one_transaction(database, staff, anna, run, making):
    files = [f"{number}.jpg" for number in range(2_500)]
    with database.begin() as records:
        records.intend(run, staff.arn, [making.intent(anna, file) for file in files])
        records.settle(staff.arn, [making.enrolled(anna, file, staff) for file in reversed(files)])
    entries = journal(database, staff, *((anna.id, making.sha256(file)) for file in files))
    assert len(entries) == len(files)
    assert {entry.status for entry in entries.values()} == {PhotoStatus.ENROLLED}


def test_nothing_to_intend_or_settle_is_fine(database, staff, run):
    with database.begin() as records:
        records.intend(run, staff.arn, [])
        records.settle(staff.arn, [])


def test_only_a_finished_run_has_its_counts(database, staff, run):
    with database.begin() as records:
        unfinished = records.start_run(staff.arn)
        records.finish_run(run, {PhotoStatus.ENROLLED: 3, PhotoStatus.NO_FACE: 0})
    with database._engine.connect() as connection:
        runs = {row.id: row for row in connection.execute(select(RUNS))}
    done, going_on = runs[run], runs[unfinished]
    assert (done.counts, done.finished_at >= done.started_at) == ({"enrolled": 3, "no_face": 0}, True)
    assert (going_on.counts, going_on.finished_at) == (None, None)


def test_settling_what_another_command_deleted_is_refused_and_writes_nothing(
    database, staff, anna, run, making
):
    with database.begin() as records:
        [bob] = records.resolve_people([PersonSpec("Bob")])
        records.intend(run, staff.arn, [making.intent(anna, "a.jpg"), making.intent(bob, "a.jpg")])
        records.begin_erasure(bob.id, datetime.now(UTC))
    for gone in (making.enrolled(bob, "a.jpg", staff), making.settled(anna, "new.jpg", PhotoStatus.FAILED)):
        with pytest.raises(DatabaseError, match="run the same command again"), database.begin() as records:
            records.settle(staff.arn, [making.settled(anna, "a.jpg", PhotoStatus.NO_FACE), gone])
    [entry] = journal(database, staff, (anna.id, making.sha256("a.jpg"))).values()
    assert entry.status is None


def test_intending_for_a_person_or_collection_another_command_deleted_is_refused(
    database, staff, anna, run, making
):
    with database.begin() as records:
        records.begin_erasure(anna.id, datetime.now(UTC))
    with pytest.raises(DatabaseError, match="changed by another command"), database.begin() as records:
        records.intend(run, staff.arn, [making.intent(anna, "a.jpg")])
    with database.begin() as records:
        records.forget_collection(staff.arn)
    with pytest.raises(DatabaseError, match="deleted by another command"), database.begin() as records:
        records.intend(run, staff.arn, [making.intent(anna, "a.jpg")])
    with pytest.raises(DatabaseError, match="deleted by another command"), database.begin() as records:
        records.start_run(staff.arn)
