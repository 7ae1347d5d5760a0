"""Thresholds said as rates, chosen on some people and tried on others who were held back."""

from __future__ import annotations

import numpy as np
import pytest

from facesearch.domain.calibration import people_for


@pytest.mark.parametrize("rate", [1e-1, 1e-2])
def test_a_rate_holds_on_people_who_were_held_back_within_its_range(made, rate):
    chance = np.random.default_rng(1)
    number = people_for(rate) + 5
    everybody = made.best_of_each(made.people(chance, 250, 2))
    held = []
    for _ in range(10):
        calibration = made.calibrated(made.people(chance, number, 2))
        point = calibration.reaching(rate)
        true_fmr, _, true_misses = made.rates(*everybody, point.similarity)
        assert point.false_matches.estimate <= rate
        held.append(
            point.false_matches.low <= true_fmr <= point.false_matches.high
            and point.misses.low <= true_misses <= point.misses.high
        )
    assert sum(held) >= 8  # of 10; both ranges are of 95 %


def test_one_half_of_the_people_keeps_the_rate_that_was_set_on_the_other(made):
    vectors = made.people(np.random.default_rng(2), 180, 2)
    for mine, other in ((vectors[::2], vectors[1::2]), (vectors[1::2], vectors[::2])):
        point = made.calibrated(mine).reaching(1e-3)
        held_back = made.calibrated(other).rate_at(point.similarity)
        assert point.false_matches.estimate <= 1e-3
        assert held_back.low <= point.false_matches.high
        assert held_back.high >= point.false_matches.low
        assert point.false_matches.low <= held_back.estimate <= point.false_matches.high
