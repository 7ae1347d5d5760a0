"""Large collections have a file of vectors: always what the store says, never more, and worth nothing alone."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facesearch.engine import vectors as vector_files
from facesearch.engine.index import Indexes
from facesearch.engine.storage import NewFace, Store
from facesearch.engine.vectors import VectorFiles

FROM = 40  # faces from which a collection has a file in these tests


def people(count, seed=0, dimensions=128):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, dimensions)) * np.exp(-np.arange(dimensions) / 21) * 0.13
    vectors[:, 0] += 0.9
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class Collection:
    """A collection and what it must hold: `known` has the vector of each number."""

    def __init__(self, path, dimensions=128):
        self.dimensions = dimensions
        self.store = Store(path)
        self.store.create_collection("staff", "1.0", {})
        self.known = {}
        self.images = 0

    def add(self, vectors):
        self.images += 1
        faces = [NewFace(n, 0.0, 0.5, 0.5, 99.0, vector.tobytes()) for n, vector in enumerate(vectors)]
        stored = self.store.add_faces("staff", "1.0", str(self.images), None, faces)
        numbers = [face.number for face in stored]
        self.known.update(zip(numbers, vectors, strict=True))
        return numbers

    def delete(self, numbers):
        faces = self.store.faces_by_number(1, numbers)
        self.store.delete_faces("staff", [face.face_id for face in faces.values()])
        return [self.known.pop(number) for number in numbers]

    def search(self, indexes, query, limit=5):
        found = indexes.nearest(self.store.collection("staff"), query, limit)
        return [one.number for one in found]

    def expected(self, query, limit=5):
        numbers = np.array(sorted(self.known), np.int64)
        if not len(numbers):
            return []
        stored = np.array([self.known[number] for number in numbers.tolist()])
        distances = np.linalg.norm(stored.astype(np.float64) - query, axis=1)
        return numbers[np.lexsort((numbers, distances))[:limit]].tolist()

    def check(self, indexes, limit=5):
        for query in [*people(2, seed=99, dimensions=self.dimensions), *list(self.known.values())[:2]]:
            assert self.search(indexes, query, limit) == self.expected(query, limit)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "engine.db"


@pytest.fixture
def staff(path):
    collection = Collection(path)
    yield collection
    collection.store.close()


@pytest.fixture
def indexes(staff):
    return Indexes(staff.store, FROM)


@pytest.fixture
def made(monkeypatch):
    """The files written, one entry each."""
    written = []
    write = VectorFiles.write

    def watched(self, *those):
        written.append(those[0])
        return write(self, *those)

    monkeypatch.setattr(VectorFiles, "write", watched)
    return written


def files(path):
    folder = path.with_name(path.name + "-vectors")
    return sorted(folder.iterdir()) if folder.exists() else []


def anywhere(path, vector):
    """The files beside the store that hold the bytes of a vector."""
    return [
        one.name for one in path.parent.rglob("*") if one.is_file() and vector.tobytes() in one.read_bytes()
    ]


def test_a_small_collection_has_no_file(staff, indexes, path):
    staff.add(people(FROM - 1))
    staff.check(indexes)
    assert files(path) == []


def test_a_large_collection_has_one_file_for_the_owner_alone(staff, indexes, path):
    staff.add(people(100))
    staff.check(indexes)
    (file,) = files(path)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_another_start_reads_the_file_and_only_later_faces_from_the_store(staff, indexes, path, made):
    staff.add(people(100))
    staff.check(indexes)
    staff.add(people(3, seed=1))
    fresh = Indexes(staff.store, FROM)
    staff.check(fresh)
    assert made == [1]
    assert len(fresh._indexes[1]._vectors.later) == 3


def test_a_file_is_made_again_when_much_was_added_and_the_old_one_goes(staff, indexes, path, made):
    staff.add(people(100))
    staff.check(indexes)
    before = files(path)
    for seed in range(1, 5):
        staff.add(people(10, seed=seed))
        staff.check(indexes)
    assert len(made) == 2
    (after,) = files(path)
    assert [after] != before


def test_a_collection_that_shrinks_gives_its_file_up(staff, indexes, path):
    numbers = staff.add(people(100))
    staff.check(indexes)
    staff.delete(numbers[:80])
    staff.check(indexes)
    assert files(path) == []
    staff.add(people(100, seed=1))
    staff.check(indexes)
    assert len(files(path)) == 1
    staff.delete(list(staff.known))
    staff.check(indexes)
    assert files(path) == []


def test_an_erased_face_is_in_no_file_when_the_call_returns(staff, indexes, path):
    numbers = staff.add(people(100))
    staff.check(indexes)
    later = staff.add(people(5, seed=1))
    staff.check(indexes)
    kept = staff.known[numbers[8]]
    assert len(anywhere(path, kept)) >= 2
    for number in (numbers[0], numbers[7], numbers[99], later[2]):
        (vector,) = staff.delete([number])
        assert anywhere(path, vector) == []
        staff.check(indexes)
    table = indexes._indexes[1]._vectors.base.table
    assert not table.rows[7, :-1].any()
    assert anywhere(path, kept)


def test_erasing_needs_no_search_by_the_process_that_erases(staff, indexes, path):
    numbers = staff.add(people(100))
    staff.check(indexes)
    other = Store(path)
    face_id = other.faces_by_number(1, [numbers[3]])[numbers[3]].face_id
    other.delete_faces("staff", [face_id])
    other.close()
    assert anywhere(path, staff.known.pop(numbers[3])) == []
    staff.check(indexes)


def test_a_deletion_makes_no_new_file(staff, indexes, made):
    numbers = staff.add(people(100))
    staff.check(indexes)
    for number in numbers[:20]:
        staff.delete([number])
        staff.check(indexes)
    assert made == [1]
    fresh = Indexes(staff.store, FROM)
    staff.check(fresh)
    assert made == [1]


def test_the_files_go_with_the_collection(staff, indexes, path):
    vectors = people(100)
    staff.add(vectors)
    staff.check(indexes)
    staff.store.delete_collection("staff")
    assert files(path) == []
    assert anywhere(path, vectors[0]) == []


def test_a_deletion_that_is_undone_leaves_every_face_to_be_found(staff, indexes, path, monkeypatch):
    numbers = staff.add(people(100))
    staff.check(indexes)
    erase = VectorFiles.erase

    def failing(self, *those):
        erase(self, *those)
        raise OSError("the power went")

    monkeypatch.setattr(VectorFiles, "erase", failing)
    face_id = staff.store.faces_by_number(1, numbers[:1])[numbers[0]].face_id
    with pytest.raises(OSError, match="the power went"):
        staff.store.delete_faces("staff", [face_id])
    staff.check(indexes)
    staff.check(Indexes(staff.store, FROM))


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: data + b"more",
        lambda data: data[:9] + b"x" + data[10:],
        lambda data: data[:4000] + bytes([data[4000] ^ 1]) + data[4001:],
        lambda data: data[:16] + b"\2" + data[17:],
    ],
    ids=["empty", "header cut", "cut", "longer", "magic", "directions", "version"],
)
def test_a_file_that_is_harmed_is_made_again(staff, indexes, path, made, harm):
    staff.add(people(100))
    staff.check(indexes)
    (file,) = files(path)
    data = file.read_bytes()
    file.unlink()  # others may have it mapped
    file.write_bytes(harm(data))
    staff.check(Indexes(staff.store, FROM))
    assert made == [1, 1]
    assert file not in files(path)


def test_a_missing_file_is_made_again(staff, indexes, path, made):
    staff.add(people(100))
    staff.check(indexes)
    files(path)[0].unlink()
    staff.check(Indexes(staff.store, FROM))
    assert made == [1, 1]


def test_the_file_of_another_store_is_not_believed(staff, indexes, path, tmp_path, made):
    staff.add(people(100))
    staff.check(indexes)
    (file,) = files(path)
    other = Collection(tmp_path / "other" / "engine.db")
    other.add(people(100, seed=1))
    other.check(Indexes(other.store, FROM))
    (theirs,) = files(tmp_path / "other" / "engine.db")
    theirs.unlink()
    theirs.write_bytes(file.read_bytes())
    other.check(Indexes(other.store, FROM))
    assert made == [1, 1, 1]
    assert theirs not in files(tmp_path / "other" / "engine.db")
    other.store.close()


def test_a_store_brought_back_from_a_copy_does_not_believe_a_later_file(tmp_path, path):
    collection = Collection(path)
    collection.add(people(60))
    collection.check(Indexes(collection.store, FROM))
    collection.store.close()
    copy = path.read_bytes()

    collection.store = Store(path)
    collection.add(people(60, seed=1))
    collection.check(Indexes(collection.store, FROM))
    collection.store.close()
    path.write_bytes(copy)

    collection.store = Store(path)
    collection.known = dict(list(collection.known.items())[:60])
    collection.add(people(60, seed=2))  # numbers that the file has for other faces
    collection.check(Indexes(collection.store, FROM))
    assert len(files(path)) == 1
    collection.store.close()


def test_what_no_store_names_is_swept_out_by_the_next_file(staff, indexes, path):
    staff.add(people(100))
    folder = path.with_name(path.name + "-vectors")
    folder.mkdir()
    (folder / f"7-{'0' * 32}").write_bytes(b"an older store's")
    staff.check(indexes)
    assert [one.name.partition("-")[0] for one in files(path)] == ["1"]


def test_where_no_file_can_be_written_the_vectors_stay_in_memory(staff, indexes, path, caplog):
    path.with_name(path.name + "-vectors").write_text("in the way")
    numbers = staff.add(people(100))
    staff.check(indexes)
    assert "for want of a file" in caplog.text
    assert indexes._indexes[1].size == 100
    staff.delete(numbers[:30:3])
    staff.add(people(5, seed=1))
    staff.check(indexes)
    staff.delete(list(staff.known)[:70])
    staff.check(indexes)


def test_a_full_disk_costs_only_memory(staff, indexes, path, monkeypatch, caplog):
    def full(file, batches):
        file.write(b"some")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vector_files, "_streamed", full)
    staff.add(people(100))
    staff.check(indexes)
    assert "No space left" in caplog.text
    assert files(path) == []


def test_a_file_that_cannot_be_overwritten_goes_whole(staff, indexes, path, monkeypatch):
    numbers = staff.add(people(100))
    staff.check(indexes)

    def unwritable(descriptor):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(vector_files.os, "fsync", unwritable)
    (vector,) = staff.delete(numbers[:1])
    assert files(path) == []
    monkeypatch.undo()
    assert anywhere(path, vector) == []
    staff.check(indexes)


def test_faces_deleted_while_a_file_is_written_are_not_in_it(staff, indexes, path, monkeypatch, made):
    numbers = staff.add(people(100))
    streamed = vector_files._streamed
    vector = staff.known[numbers[0]]
    deleting = threading.Thread(target=staff.delete, args=(numbers[:2],))

    def slow(file, batches):
        result = streamed(file, batches)
        if len(made) == 1:
            deleting.start()
            while staff.store.collection("staff").face_count == 100:
                time.sleep(0.005)
        return result

    monkeypatch.setattr(vector_files, "_streamed", slow)
    found = staff.search(indexes, vector, 3)
    deleting.join()
    assert found == staff.expected(vector, 3)
    assert made == [1, 1]
    assert anywhere(path, vector) == []
    (file,) = files(path)
    assert file.suffix == ""


def test_a_store_in_memory_scans_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    collection = Collection(None)
    indexes = Indexes(collection.store, FROM)
    numbers = collection.add(people(100))
    collection.check(indexes)
    assert indexes._indexes[1]._vectors.base is not None
    collection.delete(numbers[::3])
    collection.add(people(7, seed=1))
    collection.check(indexes)
    collection.delete(list(collection.known))
    collection.check(indexes)
    collection.store.close()
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(1, 15)),
            st.tuples(st.just("delete"), st.integers(1, 12)),
            st.tuples(st.just("search"), st.integers(1, 40)),
            st.tuples(st.just("start again"), st.just(0)),
        ),
        max_size=16,
    ),
    seed=st.integers(0, 2**16),
    in_memory=st.booleans(),
)
def test_any_history_of_a_large_collection_ends_in_the_same_index(tmp_path_factory, steps, seed, in_memory):
    folder = tmp_path_factory.mktemp("store")
    collection = Collection(None if in_memory else folder / "engine.db", dimensions=36)
    indexes = Indexes(collection.store, 8)
    rng = np.random.default_rng(seed)
    for step, (what, count) in enumerate([*steps, ("search", 9)]):
        if what == "add":
            collection.add(people(count, seed + step, dimensions=36))
        elif what == "delete" and collection.known:
            gone = rng.choice(list(collection.known), min(count, len(collection.known)), replace=False)
            for vector in collection.delete(gone.tolist()):
                assert in_memory or step % 4 or anywhere(folder / "engine.db", vector) == []
        elif what == "search":
            collection.check(indexes, count)
        elif what == "start again":
            indexes = Indexes(collection.store, 8)
    collection.store.close()


# Adds, deletes and searches in the collection of a store for ever, with a file that is made again and again.
CHURN = """
    import sys
    from pathlib import Path
    import numpy as np
    from facesearch.engine.index import Indexes
    from facesearch.engine.storage import NewFace, Store
    store = Store(Path(sys.argv[1]))
    rng = np.random.default_rng(int(sys.argv[2]))
    for turn in range(int(sys.argv[3])):
        vectors = rng.normal(size=(30, 128)).astype(np.float32)
        faces = [NewFace(n, 0.0, 0.5, 0.5, 99.0, vector.tobytes()) for n, vector in enumerate(vectors)]
        added = store.add_faces("staff", "1.0", f"{sys.argv[2]} {turn}", None, faces)
        indexes = Indexes(store, 40)
        found = indexes.nearest(store.collection("staff"), vectors[0], 1)
        assert found[0].number == added[0].number and found[0].distance == 0, found
        store.delete_faces("staff", [face.face_id for face in added[: 20 + turn % 11]])
        found = indexes.nearest(store.collection("staff"), vectors[0], 1)
        assert not found or found[0].number != added[0].number, found
        print(turn, flush=True)
    store.close()
"""


def churn(path, seed, turns):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CHURN), str(path), str(seed), str(turns)],
        stdout=subprocess.PIPE,
        text=True,
    )


def held(store):
    with store.snapshot(1) as snapshot:
        rows = [row for rows in snapshot.vectors_after(0) for row in rows]
    return {number: np.frombuffer(vector, "<f4") for number, vector in rows}


def test_processes_on_one_store_see_each_other(staff, indexes, path):
    others = [churn(path, 1, 4), churn(path, 2, 4)]
    mine = staff.add(people(50, seed=7))
    own = dict(staff.known)
    while any(other.poll() is None for other in others):
        for number in mine[::10]:
            assert staff.search(indexes, own[number], 1) == [number]
    for other in others:
        other.stdout.close()
        assert other.wait() == 0
    staff.known = held(staff.store)
    staff.check(indexes)
    staff.check(Indexes(staff.store, FROM))


def test_whatever_kill_9_interrupts_the_next_search_is_right_and_nothing_lingers(staff, path):
    staff.add(people(60, seed=7))
    for turn in range(3):
        process = churn(path, turn, 1000)
        for _ in range(2 + turn):
            process.stdout.readline()
        time.sleep(0.007 * turn)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        staff.known = held(staff.store)
        staff.check(Indexes(staff.store, FROM))
        victim = max(staff.known)
        (vector,) = staff.delete([victim])
        assert anywhere(path, vector) == []
        staff.check(Indexes(staff.store, FROM))
    assert not [one for one in files(path) if one.suffix == ".part"]


def test_a_part_that_a_killed_process_left_goes_with_the_first_deletion(staff, indexes, path):
    numbers = staff.add(people(100))
    staff.check(indexes)
    (file,) = files(path)
    left = file.with_name(f"1-{'a' * 32}.part")
    left.write_bytes(staff.known[numbers[4]].tobytes())
    os.utime(left, (0, 0))
    (vector,) = staff.delete([numbers[4]])
    assert anywhere(path, vector) == []
    assert files(path) == [file]
