"""The index finds exactly what comparing with every vector finds, however the collection came to be what it is."""

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesearch.engine import index
from facesearch.engine.index import Indexes
from facesearch.engine.snapshots import Snapshot
from facesearch.engine.storage import NewFace, Store


def unit(rows, seed=0, dimensions=128):
    vectors = np.random.default_rng(seed).normal(size=(rows, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def add(store, vectors, image="image", collection="staff"):
    faces = [NewFace(n, 0.0, 0.5, 0.5, 99.0, vector.tobytes()) for n, vector in enumerate(vectors)]
    return [face.number for face in store.add_faces(collection, "1.0", image, None, faces)]


def by_hand(numbers, vectors, query, limit):
    distances = np.linalg.norm(vectors.astype(np.float64) - query, axis=1)
    order = np.lexsort((numbers, distances))[:limit]
    return [numbers[n] for n in order], distances[order]


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "engine.db")
    store.create_collection("staff", "1.0", {})
    yield store
    store.close()


@pytest.fixture
def indexes(store):
    return Indexes(store)


def find(indexes, store, query, limit=5):
    return [found.number for found in indexes.nearest(store.collection("staff"), query, limit)]


@pytest.mark.parametrize("limit", [1, 3, 50, 999, 1000, 4096])
def test_the_nearest_are_those_that_comparing_with_each_finds(store, indexes, limit):
    vectors = unit(1000)
    numbers = add(store, vectors)
    for query in unit(5, seed=1):
        found = indexes.nearest(store.collection("staff"), query, limit)
        expected, distances = by_hand(numbers, vectors, query, limit)
        assert [one.number for one in found] == expected
        assert np.allclose([one.distance for one in found], distances, atol=1e-12)


def test_an_empty_collection_has_no_neighbours(store, indexes):
    assert find(indexes, store, unit(1)[0]) == []


def test_a_vector_is_at_no_distance_from_itself(store, indexes):
    vectors = unit(10)
    numbers = add(store, vectors)
    (nearest,) = indexes.nearest(store.collection("staff"), vectors[3], 1)
    assert (nearest.number, nearest.distance) == (numbers[3], 0.0)


def test_of_equals_the_one_stored_first_comes_first_at_any_limit(store, indexes):
    one, other = unit(2)
    numbers = add(store, [other, one, one, one, other, one])
    assert find(indexes, store, one, 3) == [numbers[1], numbers[2], numbers[3]]
    assert find(indexes, store, one, 6) == [numbers[n] for n in (1, 2, 3, 5, 0, 4)]


def test_differences_that_float32_products_cannot_see_are_ordered_rightly(store, indexes):
    query = unit(1)[0]
    nudge = unit(1, seed=9)[0]
    vectors = [(query + nudge * step).astype(np.float32) for step in (3e-4, 1e-4, 4e-4, 2e-4)]
    numbers = add(store, vectors)
    assert find(indexes, store, query, 2) == [numbers[1], numbers[3]]


def test_what_was_added_since_the_last_search_is_found(store, indexes):
    vectors = unit(60)
    numbers = []
    for step, start in enumerate(range(0, 60, 7)):
        numbers += add(store, vectors[start : start + 7], image=str(step))
        query = vectors[len(numbers) - 1]
        assert find(indexes, store, query, 1) == [numbers[-1]]


def test_only_what_was_added_is_read(store, indexes, monkeypatch):
    add(store, unit(20))
    find(indexes, store, unit(1)[0])
    read = []
    vectors_after = Snapshot.vectors_after

    def watched(self, number, *rest):
        for rows in vectors_after(self, number, *rest):
            read.extend(rows)
            yield rows

    monkeypatch.setattr(Snapshot, "vectors_after", watched)
    find(indexes, store, unit(1)[0])
    assert read == []
    add(store, unit(3, seed=5), image="more")
    find(indexes, store, unit(1)[0])
    assert len(read) == 3


def test_what_was_deleted_is_found_no_more(store, indexes):
    vectors = unit(30)
    numbers = add(store, vectors)
    find(indexes, store, vectors[4])
    faces = {face.number: face.face_id for face in store.faces(1, 0, 100)}
    store.delete_faces("staff", [faces[numbers[4]], faces[numbers[29]]])
    left = [n for n in range(30) if n not in (4, 29)]
    expected, _ = by_hand([numbers[n] for n in left], vectors[left], vectors[4], 5)
    assert find(indexes, store, vectors[4]) == expected


def test_a_collection_that_is_gone_has_no_neighbours(store, indexes):
    add(store, unit(5))
    collection = store.collection("staff")
    assert len(indexes.nearest(collection, unit(1)[0], 5)) == 5
    store.delete_collection("staff")
    indexes.forget(collection.number)
    assert indexes.nearest(collection, unit(1)[0], 5) == []


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e20], ids=str)
def test_a_vector_that_no_distance_can_be_told_of_is_neither_stored_nor_searched_for(store, indexes, number):
    vectors = unit(4)
    numbers = add(store, vectors[:2])
    spoilt = vectors[2].copy()
    spoilt[7] = number
    with pytest.raises(ValueError, match="not finite; nothing was stored"):
        add(store, [vectors[3], spoilt], image="more")
    assert store.collection("staff").face_count == 2
    with pytest.raises(ValueError, match="finite"):
        indexes.nearest(store.collection("staff"), spoilt, 1)
    assert find(indexes, store, vectors[1], 1) == [numbers[1]]


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(1, 12)),
            st.tuples(st.just("delete"), st.integers(1, 6)),
            st.tuples(st.just("search"), st.integers(1, 8)),
        ),
        max_size=14,
    ),
    seed=st.integers(0, 2**16),
)
def test_any_history_of_a_collection_ends_in_the_same_index(steps, seed):
    store = Store(None)
    store.create_collection("staff", "1.0", {})
    indexes = Indexes(store)
    rng = np.random.default_rng(seed)
    known = {}
    for step, (what, count) in enumerate(steps):
        if what == "add":
            vectors = unit(count, seed=seed + step, dimensions=8)
            known.update(zip(add(store, vectors, image=str(step)), vectors, strict=True))
        elif what == "delete" and known:
            gone = rng.choice(list(known), min(count, len(known)), replace=False).tolist()
            faces = store.faces_by_number(1, gone)
            store.delete_faces("staff", [face.face_id for face in faces.values()])
            for number in gone:
                del known[number]
        elif what == "search" and known:
            query = unit(1, seed=seed + step + 1000, dimensions=8)[0]
            expected, _ = by_hand(list(known), np.array(list(known.values())), query, count)
            assert find(indexes, store, query, count) == expected
    store.close()


def test_what_another_process_writes_is_seen_by_the_next_search(store, indexes, tmp_path):
    vectors = unit(4)
    numbers = add(store, vectors[:2])
    assert find(indexes, store, vectors[0], 1) == [numbers[0]]
    code = """
        import sys
        import numpy as np
        from pathlib import Path
        from facesearch.engine.storage import NewFace, Store
        store = Store(Path(sys.argv[1]))
        vectors = np.frombuffer(bytes.fromhex(sys.argv[2]), "<f4").reshape(-1, 128)
        faces = [NewFace(n, 0.0, 0.5, 0.5, 99.0, vector.tobytes()) for n, vector in enumerate(vectors)]
        stored = store.add_faces("staff", "1.0", "theirs", None, faces)
        store.delete_faces("staff", [store.faces(1, 0, 1)[0].face_id])
        print(*[face.number for face in stored])
        store.close()
    """
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(code),
            str(tmp_path / "engine.db"),
            vectors[2:].tobytes().hex(),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = [int(number) for number in done.stdout.split()]
    assert find(indexes, store, vectors[3], 1) == [theirs[1]]
    assert set(find(indexes, store, vectors[0], 10)) == {numbers[1], *theirs}


def test_threads_search_while_others_add_and_delete(store, indexes):
    vectors = unit(200, dimensions=16)
    first = add(store, vectors[:20], image="first")

    def work(number):
        if number % 4 == 0:
            add(store, vectors[20 + number : 24 + number], image=str(number))
        elif number % 4 == 1:
            faces = store.faces(1, first[-1], 2)
            store.delete_faces("staff", [face.face_id for face in faces])
        else:
            assert find(indexes, store, vectors[number % 20], 1) == [first[number % 20]]

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(120)))
    assert len(find(indexes, store, vectors[0], 1000)) == store.collection("staff").face_count


def test_memory_is_bounded_by_letting_go_of_the_collection_not_searched_for_longest(store, monkeypatch):
    monkeypatch.setattr(index, "_KEPT_VECTORS", 25)
    indexes = Indexes(store)
    query = unit(1)[0]
    for name in ("staff", "b", "c"):
        if name != "staff":
            store.create_collection(name, "1.0", {})
        add(store, unit(10), collection=name)
        assert len(indexes.nearest(store.collection(name), query, 20)) == 10
    kept = [store.collection(name).number for name in ("b", "c")]
    assert list(indexes._indexes) == kept
    add(store, unit(40, seed=1), image="many", collection="c")
    assert len(indexes.nearest(store.collection("c"), query, 100)) == 50
    assert list(indexes._indexes) == kept[1:]
