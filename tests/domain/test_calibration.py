from __future__ import annotations

from datetime import UTC, datetime

import pytest

from facesearch.domain.calibration import (
    Calibration,
    Point,
    Rate,
    WantedRate,
    pairs,
    parse_threshold,
    people_for,
)


def rate(estimate):
    return Rate(estimate, estimate / 2, min(1.0, 2 * estimate + 0.1))


@pytest.fixture
def calibration():
    shares = ((50.0, 0.2), (80.0, 0.01), (95.0, 0.0))
    points = tuple(Point(similarity, rate(share), rate(share), None) for similarity, share in shares)
    return Calibration("1.0", datetime(2026, 1, 2, tzinfo=UTC), 80, 40, 3120, 0, 0, points)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("80", 80.0),
        (" 92.5 ", 92.5),
        ("0", 0.0),
        ("100", 100.0),
        ("fmr=1e-3", WantedRate(0.001)),
        ("FMR=0.01", WantedRate(0.01)),
    ],
)
def test_a_threshold_is_a_similarity_or_a_rate(text, meant):
    assert parse_threshold(text) == meant
    assert parse_threshold(str(meant)) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-1",
        "100.1",
        "nan",
        "inf",
        "fmr=",
        "fmr=0",
        "fmr=1",
        "fmr=-0.1",
        "fmr=nan",
        "fmr=fmr=0.1",
        "frr=1",
    ],
)
def test_anything_else_is_no_threshold(text):
    with pytest.raises(ValueError, match=r"is neither a number from 0 to 100|is not a false-match rate"):
        parse_threshold(text)


@pytest.mark.parametrize("people", [2, 3, 4, 7, 78, 245, 246, 2450])
def test_so_many_people_are_enough_for_their_finest_rate_and_one_fewer_is_not(people):
    finest = 3 / pairs(people)
    assert people_for(finest) == people
    assert people_for(finest * 0.9999) == people + 1


def test_a_rate_of_one_in_a_thousand_takes_78_people():
    assert (people_for(1e-3), pairs(78)) == (78, 3003)


def test_a_similarity_has_the_rate_of_the_threshold_measured_at_or_below_it(calibration):
    found = [calibration.rate_at(similarity) for similarity in (49.9, 50, 79.9, 80, 94, 99.99)]
    assert [one and one.estimate for one in found] == [None, 0.2, 0.2, 0.01, 0.01, 0.0]


def test_a_rate_is_reached_at_the_lowest_threshold_that_keeps_to_it(calibration):
    found = [calibration.reaching(wanted) for wanted in (0.5, 0.2, 0.1, 0.01, 0.001)]
    assert [one.similarity for one in found] == [50, 50, 80, 80, 95]
    assert calibration.finest == pytest.approx(3 / 780)


def test_people_who_are_too_alike_leave_no_threshold(calibration):
    twins = Calibration("1.0", calibration.made_at, 80, 40, 3120, 0, 0, calibration.points[:1])
    assert twins.reaching(0.1) is None
