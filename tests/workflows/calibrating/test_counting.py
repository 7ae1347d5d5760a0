from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from facesearch.workflows.calibrating.counting import THRESHOLDS, Answer, Counting, Tally


def points(counting):
    return list(counting.points())


def at(counting, similarity):
    return [point for point in counting.points() if point.similarity <= similarity][-1]


@pytest.fixture
def four():
    """Four people of two faces each. The first two resemble each other (90), nobody else does (10)."""
    counting = Counting(dict.fromkeys(range(4), 2))
    for person in (0, 0, 1, 1, 2, 2, 3, 3):
        best = {other: 90.0 if {person, other} == {0, 1} else 10.0 for other in range(4)}
        counting.add(Answer(person, {**best, person: 97.0 if person else 60.0}))
    return counting


def test_comparisons_are_with_people_and_not_with_faces(four):
    assert (four.faces, four.people, four.comparisons, four.own, four.own_people) == (8, 4, 24, 8, 4)


def test_rates_are_the_shares_that_reach_a_threshold(four):
    told = {
        limit: (point.false_matches.estimate, point.false_finds.estimate, point.misses.estimate)
        for limit in (5, 50, 70, 95, 99)
        for point in [at(four, limit)]
    }
    assert told == {
        5: (1.0, 1.0, 0.0),
        50: (4 / 24, 4 / 8, 0.0),
        70: (4 / 24, 4 / 8, 2 / 8),
        95: (0.0, 0.0, 2 / 8),
        99: (0.0, 0.0, 1.0),
    }


def test_there_is_a_point_where_something_changes_and_nowhere_else(four):
    counted = points(four)
    assert counted[0].similarity == THRESHOLDS[0]
    assert len(counted) == 5  # from the beginning, and above 10, 60, 90 and 97
    for before, after in pairwise(counted):
        assert before.false_matches.estimate >= after.false_matches.estimate
        assert before.misses.estimate <= after.misses.estimate


def test_a_similarity_that_is_a_threshold_reaches_it():
    counting = Counting({0: 1, 1: 1})
    limit = THRESHOLDS[100]
    counting.add(Answer(0, {1: limit}))
    assert at(counting, limit).false_matches.estimate == 1.0
    assert at(counting, THRESHOLDS[101]).false_matches.estimate == 0.0


def test_what_was_cut_off_from_an_answer_counts_as_compared_and_unlike():
    counting = Counting({0: 2, 1: 1, 2: 1, 3: 1})
    counting.add(Answer(0, {1: 70.0, 2: 60.0}, cut_off_at=60.0))
    counting.add(Answer(1, {0: 70.0, 2: 20.0, 3: 10.0}))
    assert (counting.people, counting.comparisons, counting.own) == (4, 6, 1)
    assert points(counting)[0].similarity >= 60.0
    assert at(counting, 65).false_matches.estimate == 2 / 6
    assert at(counting, 65).misses.estimate == 1.0


def test_whoever_is_on_record_and_in_no_whole_answer_is_not_counted():
    counting = Counting({0: 1, 1: 1, 2: 1})
    counting.add(Answer(0, {1: 5.0}))
    counting.add(Answer(1, {0: 5.0}))
    assert (counting.people, counting.comparisons) == (2, 2)


def test_without_second_faces_nothing_is_known_of_misses():
    counting = Counting({0: 1, 1: 1})
    counting.add(Answer(0, {1: 50.0}))
    assert {point.misses for point in counting.points()} == {None}


def test_the_spread_of_the_people_is_that_of_drawing_people_again_and_again(made):
    vectors = made.people(np.random.default_rng(5), 40, 3)
    best, whose = made.best_of_each(vectors)
    threshold = next(t for t in THRESHOLDS if t >= 60)
    tally = Tally()
    reaching = best >= threshold
    for face, person in enumerate(whose.tolist()):
        for other in np.flatnonzero(best[face] >= 0).tolist():
            if other != person:
                tally.add(float(best[face, other]), person, other)
    counts = tally.counts(dict.fromkeys(range(40), 3 * 39 + 117), 120 * 39)
    counted = counts[THRESHOLDS.index(threshold)]

    chance = np.random.default_rng(6)
    hits = np.zeros((40, 40))
    for face, person in enumerate(whose):
        hits[person] += reaching[face]
    np.fill_diagonal(hits, 0)
    tries = 3.0 * (1 - np.eye(40))
    assert counted.hits == hits.sum()
    shares = []
    for _ in range(2000):
        weight = np.bincount(chance.integers(0, 40, 40), minlength=40)
        shares.append((weight @ hits @ weight) / (weight @ tries @ weight))
    drawn = np.std(shares) * tries.sum()
    assert np.sqrt(counted.variance) == pytest.approx(drawn, rel=0.35)
    alone = np.sqrt(counted.hits * (1 - counted.hits / tries.sum()))
    assert drawn > 1.3 * alone  # taking comparisons for independent would promise too much


def test_the_spread_is_never_less_than_that_of_independent_comparisons():
    tally = Tally()
    for person in range(10):
        tally.add(90.0 if person == 0 else 1.0, person, (person + 1) % 10)
    counts = tally.counts(dict.fromkeys(range(10), 2), 10)
    for hits, variance in counts:
        assert variance >= hits * (1 - hits / 10)
