"""How far users are from faces and from each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesearch.engine.user_distance import Groups


def around(rng, faces, spread, dimensions=16):
    """Unit vectors about one place, as little-endian float32."""
    place = rng.normal(size=dimensions)
    vectors = place / np.linalg.norm(place) + rng.normal(scale=spread, size=(faces, dimensions))
    return [(vector / np.linalg.norm(vector)).astype("<f4").tobytes() for vector in vectors]


def distance(some, others):
    (found,) = Groups.one(some).distances(Groups.one(others))
    return found


def euclidean(one, other):
    return np.linalg.norm(np.frombuffer(one, "<f4").astype(float) - np.frombuffer(other, "<f4"))


SEEDS = st.integers(0, 2**32 - 1).map(np.random.default_rng)
BOUNDED = settings(deadline=None, derandomize=True, database=None)


@BOUNDED
@given(SEEDS)
def test_two_groups_of_one_are_as_far_as_their_faces(rng):
    one, other = around(rng, 1, 0.1) + around(rng, 1, 0.1)
    assert distance([one], [other]) == pytest.approx(euclidean(one, other), abs=1e-5)


@BOUNDED
@given(SEEDS, st.integers(1, 9), st.integers(1, 4))
def test_it_is_the_same_both_ways_and_in_any_order(rng, faces, others):
    mine, theirs = around(rng, faces, 0.1), around(rng, others, 0.1)
    there = distance(mine, theirs)
    assert distance(theirs, mine) == pytest.approx(there, abs=1e-6)
    assert distance(mine[::-1], theirs[::-1]) == pytest.approx(there, abs=1e-6)


@BOUNDED
@given(SEEDS, st.integers(1, 99), st.floats(0.01, 2.0))
def test_a_face_of_the_user_is_at_the_user_whatever_else_is_added(rng, faces, spread):
    mine = around(rng, faces, spread)
    for face in mine:
        assert distance(mine, [face]) < 0.03


@BOUNDED
@given(SEEDS)
def test_the_same_face_many_times_is_that_face(rng):
    one, other = around(rng, 1, 0.1) + around(rng, 1, 0.1)
    assert distance([one] * 7, [other]) == pytest.approx(euclidean(one, other), abs=1e-3)


@BOUNDED
@given(SEEDS, st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_many_groups_at_once_are_as_far_as_each_alone(rng, sizes):
    users = [around(rng, size, 0.2) for size in sizes]
    query = around(rng, 1, 0.2)
    matrix = np.frombuffer(b"".join(face for user in users for face in user), "<f4").reshape(sum(sizes), -1)
    starts = np.cumsum([0, *sizes[:-1]])
    together = Groups.of(matrix, starts).distances(Groups.one(query))
    assert together == pytest.approx([distance(user, query) for user in users], abs=1e-6)


def test_no_groups_have_no_distances():
    nobody = Groups.of(np.zeros((0, 16), dtype=np.float32), np.zeros(0, dtype=np.int64))
    assert nobody.distances(Groups.one(around(np.random.default_rng(0), 1, 0.1))).shape == (0,)


def test_one_photo_unlike_the_others_is_not_lost_among_them():
    """Nine photos of one look, one of another; a second photo of that other look still finds the user."""
    rng = np.random.default_rng(3)
    usual, odd = around(rng, 9, 0.02), around(rng, 2, 0.02)
    mean = np.mean([euclidean(face, odd[1]) for face in [*usual, odd[0]]])
    assert distance([*usual, odd[0]], [odd[1]]) < mean / 2


def test_a_stranger_does_not_come_as_near_to_a_user_as_to_the_nearest_face():
    rng = np.random.default_rng(4)
    nearer = []
    for _ in range(50):
        mine, (stranger,) = around(rng, 6, 0.08), around(rng, 1, 0.08)
        nearer.append(distance(mine, [stranger]) - min(euclidean(face, stranger) for face in mine))
    assert np.mean(nearer) > 0.01
