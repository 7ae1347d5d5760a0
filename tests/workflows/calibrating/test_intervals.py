from __future__ import annotations

import math
import random

import pytest

from facesearch.workflows.calibrating.intervals import clopper_pearson, rate


def at_most(hits, tries, share):
    """How probable so many hits or fewer are."""
    return sum(math.comb(tries, n) * share**n * (1 - share) ** (tries - n) for n in range(hits + 1))


@pytest.mark.parametrize(("hits", "tries"), [(0, 28), (28, 28), (3, 300), (20, 24), (5, 10), (1, 1)])
def test_a_range_ends_where_what_was_seen_is_as_rare_as_one_in_forty(hits, tries):
    low, high = clopper_pearson(hits, tries)
    assert high == 1 if hits == tries else at_most(hits, tries, high) == pytest.approx(0.025, rel=1e-4)
    assert low == 0 if hits == 0 else 1 - at_most(hits - 1, tries, low) == pytest.approx(0.025, rel=1e-4)


def test_large_numbers_have_narrow_ranges():
    low, high = clopper_pearson(5_000_000, 10_000_000)
    assert low == pytest.approx(0.49969, abs=1e-5)
    assert high == pytest.approx(0.50031, abs=1e-5)


def test_a_range_holds_its_share_whatever_the_numbers():
    chance = random.Random(0)
    for _ in range(300):
        tries = 10 ** chance.uniform(0, 6)
        hits = tries * chance.random() ** 4
        low, high = clopper_pearson(hits, tries)
        assert 0 <= low <= hits / tries <= high <= 1
        assert low < high


def test_tries_that_hang_together_are_worth_fewer():
    independent = rate(50, 1000, 1000 * 0.05 * 0.95, 10_000)
    clustered = rate(50, 1000, 4 * 1000 * 0.05 * 0.95, 10_000)
    assert (independent.low, independent.high) == clopper_pearson(50, 1000)
    assert (clustered.low, clustered.high) == pytest.approx(clopper_pearson(12.5, 250), rel=1e-5)
    assert independent.estimate == clustered.estimate == 0.05


def test_where_nothing_was_found_so_many_people_stand_behind_it():
    none = rate(0, 10_000, 0.0, 28)
    assert (none.estimate, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(0.123436, abs=2e-6)
