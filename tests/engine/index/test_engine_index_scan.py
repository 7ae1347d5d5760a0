"""The scan by lower bounds finds exactly what comparing with every vector finds, in data of every kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesearch.engine import scan


def rows_of(vectors):
    numbers = np.arange(1, len(vectors) + 1)
    return scan.Rows(numbers, vectors, scan.half_squares(vectors))


def table_of(vectors, directions_from=None):
    projection = scan.Projection.fitted(vectors if directions_from is None else directions_from)
    table = projection.table(vectors)
    return scan.Table(projection, scan.tiled(table), scan.reach_of(table))


def by_hand(vectors, query, limit, within=np.inf):
    distances = np.sqrt(((vectors.astype(np.float64) - query) ** 2).sum(axis=1))
    order = np.argsort(distances, kind="stable")[:limit]
    order = order[distances[order] <= within]
    return (order + 1).tolist(), distances[order]


def hold(vectors, queries, limits, within=np.inf, table=None):
    rows, table = rows_of(vectors), table or table_of(vectors)
    for query in queries:
        for limit in limits:
            found = scan.scanned(rows, table, query, limit, within)
            numbers, distances = by_hand(vectors, query, limit, within)
            assert found.numbers.tolist() == numbers
            assert np.allclose(found.distances, distances, atol=1e-12)


def people(count, dimensions=128, photos=5, seed=0):
    """Unit vectors in clusters, with less and less variance along the dimensions, far from the origin."""
    rng = np.random.default_rng(seed)
    spread = np.exp(-np.arange(dimensions) / 21) * 0.13
    centres = rng.normal(size=(count // photos + 1, dimensions)) * spread
    vectors = np.repeat(centres, photos, axis=0)[:count] + rng.normal(size=(count, dimensions)) * spread / 2
    vectors[:, 0] += 0.9
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def uniform(count, dimensions=128, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def compared_in_full(monkeypatch):
    """How often the scan gave up on its bounds."""
    calls = []
    compared = scan.compared
    monkeypatch.setattr(scan, "compared", lambda *those: calls.append(1) or compared(*those))
    return calls


def test_the_nearest_of_people_are_found_without_comparing_all(compared_in_full):
    vectors = people(20_000)
    hold(vectors, people(20_010)[20_000:], (1, 10, 40))
    assert not compared_in_full


def test_vectors_without_structure_are_compared_in_full(compared_in_full):
    vectors = uniform(5_000)
    hold(vectors, uniform(4, seed=1), (1, 10))
    assert compared_in_full


@pytest.mark.parametrize("limit", [255, 256, 4096, 10_000])
def test_any_limit_is_exact(limit):
    vectors = people(6_000)
    hold(vectors, vectors[:2], [limit])


def test_those_further_than_asked_are_left_out(compared_in_full):
    vectors = people(20_000)
    near = np.linalg.norm(vectors - vectors[0], axis=1)
    hold(vectors, vectors[:3], [4096], within=float(np.partition(near, 30)[30]))
    hold(vectors, vectors[:1], [10], within=0.0)
    assert not compared_in_full


def test_directions_that_fit_other_data_cost_only_time():
    vectors = people(5_000, seed=3)
    hold(vectors, vectors[:5], (1, 10), table=table_of(vectors, directions_from=uniform(300)))


@pytest.mark.parametrize("dimensions", [1, 2, 29, 31, 512])
def test_any_number_of_dimensions_is_exact(dimensions):
    vectors = people(700, dimensions, seed=dimensions)
    hold(vectors, vectors[::100], (1, 5, 300))


def test_of_equals_the_first_stored_comes_first_and_zeros_are_vectors_too():
    vectors = people(3_000)
    vectors[100:900] = vectors[5]
    vectors[1000:1100] = 0
    queries = [vectors[5], vectors[1000], vectors[2000]]
    hold(vectors, queries, (1, 10, 850, 2900))


def test_vectors_that_are_all_the_same_are_in_the_order_of_storing():
    hold(np.repeat(people(1), 2_000, axis=0), people(2), (1, 7, 2_000))


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_vectors_of_any_length_are_ranked_by_distance(size):
    rng = np.random.default_rng(5)
    vectors = (people(3_000) * rng.uniform(0, size, (3_000, 1))).astype(np.float32)
    hold(vectors, vectors[::500], (1, 10, 100))


def test_differences_that_float32_cannot_see_are_ordered_rightly():
    vectors = people(4_000)
    nudge = uniform(1)[0]
    steps = np.random.default_rng(1).permutation(1_000).astype(np.float32)
    vectors[:1_000] = vectors[0] + steps[:, None] * nudge * 1e-7
    hold(vectors, vectors[:2], (1, 10, 500))


def test_erased_rows_are_found_by_neither_way():
    vectors = people(2_000)
    rows, table = rows_of(vectors), table_of(vectors)
    query = vectors[7].copy()
    for gone in (7, 3, 500):
        rows.numbers[gone] = 0
        rows.halves[gone] = np.inf
        table.tiles[0, :, gone] = 0
        table.tiles[0, -1, gone] = -np.inf
        rows.matrix[gone] = 0
    kept = np.flatnonzero(rows.numbers)
    expected, _ = by_hand(vectors[kept], query, 1_999)
    for limit in (1, 10, 1_997, 2_000):
        wanted = (kept[np.array(expected) - 1] + 1)[:limit].tolist()
        assert scan.scanned(rows, table, query, limit, np.inf).numbers.tolist() == wanted
        assert scan.compared(rows, query, limit, np.inf).numbers.tolist() == wanted


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    count=st.integers(1, 400),
    dimensions=st.integers(1, 40),
    distinct=st.integers(1, 400),
    grain=st.sampled_from([0.0, 1e-7, 1e-3, 1.0]),
    limit=st.integers(1, 450),
)
def test_no_data_make_the_bounds_exclude_a_neighbour(seed, count, dimensions, distinct, grain, limit):
    rng = np.random.default_rng(seed)
    seeds = rng.normal(size=(distinct, dimensions))
    vectors = seeds[rng.integers(distinct, size=count)] + grain * rng.normal(size=(count, dimensions))
    vectors = vectors.astype(np.float32)
    hold(vectors, [vectors[0], rng.normal(size=dimensions).astype(np.float32)], [limit])
