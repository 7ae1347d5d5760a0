"""Runs as the records tell of them: how they ended, what their photos took, and what is to be enrolled still."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from facesearch.domain import Call, PersonSpec, PhotoOutcome, PhotoStatus, RunOutcome

CALL = Call("request-1", 2, 345)


@pytest.fixture
def anna(database):
    with database.begin() as records:
        [anna] = records.resolve_people([PersonSpec("Anna")])
    return anna


def started(database, staff, source=None):
    with database.begin() as records:
        return records.start_run(staff.arn, source)


def intended(database, staff, run, anna, making, *files):
    with database.begin() as records:
        records.intend(run, staff.arn, [making.intent(anna, file) for file in files])


def settled(database, staff, *settlements):
    with database.begin() as records:
        records.settle(staff.arn, settlements)


def photos_of(database, run):
    with database.read() as records:
        return list(records.run_photos(run))


def test_a_run_is_told_with_how_and_why_it_ended(database, staff):
    killed, stopped = started(database, staff, "people/"), started(database, staff, "odd \udcff folder")
    with database.begin() as records:
        records.finish_run(stopped, {PhotoStatus.ENROLLED: 2}, RunOutcome.STOPPED, "over its limit")
    with database.read() as records:
        runs = {run.id: run for run in records.runs()}
    assert (runs[killed].outcome, runs[killed].finished_at, runs[killed].counts) == (None, None, None)
    assert (runs[killed].source, runs[killed].collection_id) == ("people/", staff.collection_id)
    assert (runs[stopped].outcome, runs[stopped].reason) == (RunOutcome.STOPPED, "over its limit")
    assert (runs[stopped].counts, runs[stopped].source) == ({PhotoStatus.ENROLLED: 2}, "odd \udcff folder")


def test_each_collection_is_told_with_its_newest_run(database, staff, making):
    others = making.collection("guests"), making.collection("nobody")
    with database.begin() as records:
        for other in others:
            records.remember_collection(other)
    _, guests, newest = (started(database, one) for one in (staff, others[0], staff))
    with database.begin() as records:
        records.finish_run(newest, {}, RunOutcome.STOPPED)
    with database.read() as records:
        last = {one.collection.collection_id: one.last_run for one in records.recorded_collections()}
    assert (last["staff"].id, last["staff"].outcome) == (newest, "stopped")
    assert (last["guests"].id, last["guests"].finished_at, last["nobody"]) == (guests, None, None)


def test_runs_come_newest_first_and_by_the_collection_that_was_asked_for(database, staff, making):
    other = making.collection("guests")
    with database.begin() as records:
        records.remember_collection(other)
    first, second, third = (started(database, one) for one in (staff, other, staff))
    with database.read() as records:
        assert [run.id for run in records.runs()] == [third, second, first]
        assert [run.id for run in records.runs("guests")] == [second]
        assert list(records.runs("nowhere")) == []


def test_a_run_is_found_by_the_beginning_of_its_id_alone(database, staff):
    run = started(database, staff)
    with database.read() as records:
        assert [found.id for found in records.find_runs(run[:7])] == [run]
        assert [found.id for found in records.find_runs(run)] == [run]
        for nothing in ("", "%", "_", run + "0", "zz", run.upper() + "'"):
            assert records.find_runs(nothing) == []


def test_tries_and_billed_calls_of_a_photo_add_up_over_its_runs(database, staff, anna, making):
    first = started(database, staff)
    intended(database, staff, first, anna, making, "a.jpg")
    failed = making.settled(anna, "a.jpg", PhotoStatus.FAILED, "throttled")
    settled(database, staff, replace(failed, attempts=5, call=replace(CALL, attempts=5)))
    second = started(database, staff)
    intended(database, staff, second, anna, making, "a.jpg")
    done = making.enrolled(anna, "a.jpg", staff)
    settled(database, staff, replace(done, attempts=2, calls=1, call=replace(CALL, request_id="request-2")))
    assert photos_of(database, first) == []
    [photo] = photos_of(database, second)
    assert (photo.attempts, photo.calls, photo.milliseconds, photo.request_id) == (7, 1, 345, "request-2")
    assert (photo.status, photo.reason, photo.person.name) == (PhotoStatus.ENROLLED, None, "Anna")
    assert photo.settled_at >= photo.intended_at


def test_a_settlement_without_a_call_keeps_what_is_known_of_the_last(database, staff, anna, making):
    run = started(database, staff)
    intended(database, staff, run, anna, making, "a.jpg")
    settlement = making.settled(anna, "a.jpg", PhotoStatus.FAILED, "throttled")
    settled(database, staff, replace(settlement, attempts=2, call=CALL))
    settled(database, staff, settlement)
    [photo] = photos_of(database, run)
    assert (photo.attempts, photo.milliseconds, photo.request_id) == (2, 345, "request-1")


def test_a_photo_without_a_clear_answer_stays_open_with_what_is_known_of_it(database, staff, anna, making):
    run = started(database, staff)
    intended(database, staff, run, anna, making, "a.jpg", "b.jpg")
    settlement = making.settled(anna, "a.jpg", PhotoStatus.FAILED, "no answer")
    settled(database, staff, replace(settlement, attempts=5, open=True))
    first, second = photos_of(database, run)
    assert (first.status, first.reason, first.attempts, first.settled_at) == (None, "no answer", 5, None)
    assert (second.status, second.attempts) == (None, 0)
    with database.read() as records:
        assert [one.path for one in records.open_intents(staff.arn)] == [first.path, second.path]


def test_unfinished_photos_are_the_open_the_failed_and_the_unreadable_page_by_page(
    database, staff, anna, making
):
    run = started(database, staff)
    files = {f"{status}.jpg": status for status in PhotoStatus if status is not PhotoStatus.ALREADY}
    intended(database, staff, run, anna, making, *files, "open.jpg")
    settled(database, staff, *(making.settled(anna, file, status) for file, status in files.items()))
    found, after = [], 0
    with database.read() as records:
        while page := records.unfinished(staff.arn, after, limit=1):
            found += page
            after = page[-1].number
    wanted = {making.sha256(file) for file in ("unreadable.jpg", "failed.jpg", "open.jpg")}
    assert {one.sha256 for one in found} == wanted
    assert {one.person.id for one in found} == {anna.id}


@pytest.mark.parametrize("path", ["/p/caf\udce9.jpg", "/p/\0", "/" + "å" * 10_000])
def test_a_file_that_could_not_be_read_is_told_once_until_it_is_taken_up(database, staff, anna, path):
    first, second = started(database, staff), started(database, staff)
    outcome = PhotoOutcome(path, "Anna", PhotoStatus.UNREADABLE, "the file is empty")
    with database.begin() as records:
        records.set_aside(first, staff.arn, [(outcome, anna.id), (outcome, anna.id)])
        records.set_aside(second, staff.arn, [(replace(outcome, reason="no rights"), anna.id)])
    assert photos_of(database, first) == []
    [photo] = photos_of(database, second)
    assert (photo.path, photo.status, photo.reason) == (path, PhotoStatus.UNREADABLE, "no rights")
    with database.read() as records:
        assert [one.path for one in records.unread(staff.arn)] == [path]
    with database.begin() as records:
        assert records.unread_among(staff.arn, [path, "/another"]) == {path}
        records.take_up(staff.arn, [path, "/another"])
        assert records.unread_among(staff.arn, iter(pytest.fail, "nobody asks for a path")) == set()
        assert records.unread(staff.arn) == []


def test_a_file_that_belongs_to_nobody_is_on_record_and_not_tried_again(database, staff):
    run = started(database, staff)
    outcome = PhotoOutcome("loose.jpg", None, PhotoStatus.FAILED, "it belongs to nobody")
    with database.begin() as records:
        records.set_aside(run, staff.arn, [(outcome, None)])
        assert records.unread(staff.arn) == []
    [photo] = photos_of(database, run)
    assert (photo.person, photo.reason) == (None, "it belongs to nobody")


def test_what_could_not_be_read_goes_with_its_person_and_its_collection(database, staff, anna):
    run = started(database, staff)
    outcomes = [PhotoOutcome(f"{n}.jpg", "Anna", PhotoStatus.UNREADABLE, "empty") for n in range(2)]
    with database.begin() as records:
        records.set_aside(run, staff.arn, [(outcomes[0], anna.id), (outcomes[1], None)])
        records.begin_erasure(anna.id, datetime.now(UTC))
    assert [photo.path for photo in photos_of(database, run)] == ["1.jpg"]
    with database.begin() as records:
        records.forget_collection(staff.arn)
    assert photos_of(database, run) == []


def test_a_face_that_left_the_collection_is_dropped_and_its_photo_keeps_its_state(
    database, staff, enrol, making
):
    anna = enrol(staff, "Anna", "a.jpg")
    with database.begin() as records:
        records.drop_faces(staff.arn, [making.face_id("a.jpg", staff), "f" * 36])
        assert list(records.iter_faces(staff.arn)) == []
        [entry] = records.journal(staff.arn, [(anna.id, making.sha256("a.jpg"))]).values()
    assert entry.status is PhotoStatus.ENROLLED
