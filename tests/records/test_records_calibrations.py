from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from facesearch.domain.calibration import Calibration, Point, Rate

MADE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def calibration(model_version="7.0", made_at=MADE, **facts):
    points = (
        Point(50.25, Rate(0.1, 0.05, 0.2), Rate(0.5, 0.25, 0.75), Rate(0.0, 0.0, 0.25)),
        Point(99.875, Rate(0.0, 0.0, 0.125), Rate(0.0, 0.0, 0.25), None),
    )
    numbers = {"faces": 24, "people": 8, "comparisons": 168, "own": 24, "own_people": 8, **facts}
    return Calibration(model_version, made_at, **numbers, points=points)


def kept(database, collection):
    with database.read() as records:
        return records.calibrations(collection.arn), records.own_threshold(collection.arn)


@pytest.fixture
def measured(database, staff):
    with database.begin() as records:
        records.save_calibration(staff.arn, calibration())
        records.set_own_threshold(staff.arn, "fmr=0.001")
    return staff


def test_a_calibration_comes_back_as_it_was_kept(database, measured):
    assert kept(database, measured) == ([calibration()], "fmr=0.001")


def test_a_newer_calibration_replaces_that_of_its_model_alone(database, measured):
    newer = calibration(made_at=MADE + timedelta(days=1), comparisons=3_000_000_000)
    other = calibration("6.0", made_at=MADE + timedelta(days=2))
    with database.begin() as records:
        records.save_calibration(measured.arn, newer)
        records.save_calibration(measured.arn, other)
    assert kept(database, measured)[0] == [other, newer]


def test_collections_of_one_name_on_two_engines_have_calibrations_of_their_own(database, measured, making):
    other = making.collection("staff", engine="999999999999")
    with database.begin() as records:
        records.remember_collection(other)
    assert kept(database, other) == ([], None)


def test_a_collection_that_is_made_anew_or_forgotten_loses_both(database, measured, making):
    with database.begin() as records:
        assert records.remember_collection(replace(measured, created_at=MADE + timedelta(days=9)))
    assert kept(database, measured) == ([], None)
    with database.begin() as records:
        records.save_calibration(measured.arn, calibration())
        records.forget_collection(measured.arn)
    assert kept(database, measured) == ([], None)


def test_seeing_a_collection_again_keeps_both(database, measured):
    with database.begin() as records:
        assert not records.remember_collection(replace(measured, model_version="7.1"))
    assert kept(database, measured) == ([calibration()], "fmr=0.001")


def test_a_threshold_can_be_taken_back(database, measured):
    with database.begin() as records:
        records.set_own_threshold(measured.arn, None)
    assert kept(database, measured)[1] is None


def test_faces_are_told_with_whose_they_are(database, staff, enrol, making):
    anna, bo = enrol(staff, "Anna", "a.jpg", "b.jpg"), enrol(staff, "Bo", "c.jpg")
    enrol(making.collection("staff"), "Anna")
    with database.read() as records:
        assert list(records.whose_faces(staff.arn)) == [
            (making.face_id("a.jpg", staff), anna.id),
            (making.face_id("b.jpg", staff), anna.id),
            (making.face_id("c.jpg", staff), bo.id),
        ]
        assert list(records.whose_faces(making.collection("guests").arn)) == []
