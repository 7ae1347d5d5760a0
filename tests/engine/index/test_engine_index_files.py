"""Large collections have a file of vectors: always what the store says, never more, and worth nothing alone."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facesearch.engine import vector_file
from facesearch.engine.index import Indexes
from facesearch.engine.storage import Store
from facesearch.engine.vectors import VectorFiles


def test_a_small_collection_has_no_file(staff, indexes):
    staff.add(staff.people(staff.FROM - 1))
    staff.check(indexes)
    assert staff.files == []


def test_a_large_collection_has_one_file_for_the_owner_alone(staff, indexes):
    staff.add(staff.people(100))
    staff.check(indexes)
    (file,) = staff.files
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_another_start_reads_the_file_and_only_later_faces_from_the_store(staff, indexes, made):
    staff.add(staff.people(4000))
    staff.check(indexes)
    staff.add(staff.people(3, seed=1))
    fresh = Indexes(staff.store, 3200)  # from 100 on, faces would be appended
    staff.check(fresh)
    assert made == [1]
    assert len(fresh._indexes[1]._vectors.later) == 3


def test_a_collection_that_shrinks_gives_its_file_up(staff, indexes):
    numbers = staff.add(staff.people(100))
    staff.check(indexes)
    staff.delete(numbers[:80])
    staff.check(indexes)
    assert staff.files == []
    staff.add(staff.people(100, seed=1))
    staff.check(indexes)
    assert len(staff.files) == 1
    staff.delete(list(staff.known))
    staff.check(indexes)
    assert staff.files == []


def test_an_erased_face_is_in_no_file_when_the_call_returns(staff, indexes):
    numbers = staff.add(staff.people(100))
    staff.check(indexes)
    later = staff.add(staff.people(5, seed=1))
    staff.check(indexes)
    kept = staff.known[numbers[8]]
    assert len(staff.anywhere(kept)) >= 2
    for number in (numbers[0], numbers[7], numbers[99], later[2]):
        (vector,) = staff.delete([number])
        assert staff.anywhere(vector) == []
        staff.check(indexes)
    assert not staff.base(indexes).tiles[0, :-1, 7].any()
    assert staff.anywhere(kept)


def test_erasing_needs_no_search_by_the_process_that_erases(staff, indexes):
    numbers = staff.add(staff.people(100))
    staff.check(indexes)
    other = Store(staff.path)
    face_id = other.faces_by_number(1, [numbers[3]])[numbers[3]].face_id
    other.delete_faces("staff", [face_id])
    other.close()
    assert staff.anywhere(staff.known.pop(numbers[3])) == []
    staff.check(indexes)


def test_a_deletion_makes_no_new_file(staff, indexes, made):
    numbers = staff.add(staff.people(100))
    staff.check(indexes)
    for number in numbers[:6]:
        staff.delete([number])
        staff.check(indexes)
    assert made == [1]
    fresh = Indexes(staff.store, staff.FROM)
    staff.check(fresh)
    assert made == [1]


def test_the_files_go_with_the_collection(staff, indexes):
    vectors = staff.people(100)
    staff.add(vectors)
    staff.check(indexes)
    staff.store.delete_collection("staff")
    assert staff.files == []
    assert staff.anywhere(vectors[0]) == []


def test_a_deletion_that_is_undone_leaves_every_face_to_be_found(staff, indexes, monkeypatch):
    numbers = staff.add(staff.people(100))
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
    staff.check(Indexes(staff.store, staff.FROM))


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: data + b"more",
        lambda data: data[:25] + b"x" + data[26:],
        lambda data: data[:4000] + bytes([data[4000] ^ 1]) + data[4001:],
        lambda data: data[:32] + b"\1" + data[33:],
    ],
    ids=["empty", "header cut", "cut", "longer", "magic", "directions", "version"],
)
def test_a_file_that_is_harmed_is_made_again(staff, indexes, made, harm):
    staff.add(staff.people(100))
    staff.check(indexes)
    (file,) = staff.files
    data = file.read_bytes()
    file.unlink()  # others may have it mapped
    file.write_bytes(harm(data))
    staff.check_afresh()
    assert made == [1, 1]
    assert file not in staff.files


def test_a_missing_file_is_made_again(staff, indexes, made):
    staff.add(staff.people(100))
    staff.check(indexes)
    staff.files[0].unlink()
    staff.check(Indexes(staff.store, staff.FROM))
    assert made == [1, 1]


def test_the_file_of_another_store_is_not_believed(staff, indexes, large_collection, tmp_path, made):
    staff.add(staff.people(100))
    staff.check(indexes)
    (file,) = staff.files
    other = large_collection(tmp_path / "other" / "engine.db")
    other.add(staff.people(100, seed=1))
    other.check_afresh()
    (theirs,) = other.files
    theirs.unlink()
    theirs.write_bytes(file.read_bytes())
    other.check_afresh()
    assert made == [1, 1, 1]
    assert theirs not in other.files
    other.store.close()


def test_a_store_brought_back_from_a_copy_does_not_believe_a_later_file(staff):
    staff.add(staff.people(60))
    staff.check_afresh()
    staff.store.close()
    copies = [staff.path.read_bytes()]

    staff.reopen()
    staff.add(staff.people(60, seed=1))
    staff.check_afresh()  # which appends to the very file that the copy knows
    staff.store.close()
    copies.append(staff.path.read_bytes())
    afterwards = dict(staff.known)

    staff.path.write_bytes(copies[0])
    staff.reopen()
    staff.known = dict(list(staff.known.items())[:60])
    staff.add(staff.people(60, seed=2))  # numbers that the file has for other faces
    staff.check_afresh()
    assert len(staff.files) == 1
    staff.store.close()

    staff.path.write_bytes(copies[1])
    staff.reopen()
    staff.known = afterwards
    staff.check_afresh()


def test_what_no_store_names_is_swept_out_by_the_next_file(staff, indexes):
    staff.add(staff.people(100))
    folder = staff.path.with_name(staff.path.name + "-vectors")
    folder.mkdir()
    (folder / f"7-{'0' * 32}").write_bytes(b"an older store's")
    abandoned = folder / f"7-{'1' * 32}.part"
    abandoned.write_bytes(b"of a process that was killed")
    os.utime(abandoned, (0, 0))
    being_written = folder / f"7-{'2' * 32}.part"
    being_written.write_bytes(b"of one that lives")
    staff.check(indexes)
    assert [one.name.partition("-")[0] for one in staff.files if one != being_written] == ["1"]
    assert being_written.exists()


def test_where_no_file_can_be_written_the_vectors_stay_in_memory(staff, indexes, caplog):
    staff.path.with_name(staff.path.name + "-vectors").write_text("in the way")
    numbers = staff.add(staff.people(100))
    staff.check(indexes)
    assert "for want of a file" in caplog.text
    assert indexes._indexes[1].size == 100
    staff.delete(numbers[:30:3])
    staff.add(staff.people(5, seed=1))
    staff.check(indexes)
    staff.delete(list(staff.known)[:70])
    staff.check(indexes)


def test_a_full_disk_costs_only_memory(staff, indexes, monkeypatch, caplog):
    def full(file, batches):
        file.write(b"some")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vector_file, "_streamed", full)
    staff.add(staff.people(100))
    staff.check(indexes)
    assert "No space left" in caplog.text
    assert staff.files == []


def test_a_file_that_cannot_be_overwritten_goes_whole(staff, indexes, monkeypatch):
    numbers = staff.add(staff.people(100))
    staff.check(indexes)

    def unwritable(descriptor):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(vector_file.os, "fsync", unwritable)
    (vector,) = staff.delete(numbers[:1])
    assert staff.files == []
    monkeypatch.undo()
    assert staff.anywhere(vector) == []
    staff.check(indexes)


def test_a_store_in_memory_scans_too(large_collection, tmp_path, monkeypatch, small_tiles):
    monkeypatch.chdir(tmp_path)
    collection = large_collection(None)
    indexes = Indexes(collection.store, collection.FROM)
    numbers = collection.add(collection.people(100))
    collection.check(indexes)
    first = collection.base(indexes)
    collection.add(collection.people(7, seed=1))
    collection.check(indexes)
    assert collection.base(indexes) is first
    assert first.written == 107
    collection.delete(numbers[::3])
    collection.add(collection.people(60, seed=2))
    collection.check(indexes)
    assert collection.base(indexes) is not first
    collection.delete(list(collection.known))
    collection.check(indexes)
    collection.store.close()
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
def test_any_history_of_a_large_collection_ends_in_the_same_index(
    tmp_path_factory, large_collection, small_tiles, steps, seed, in_memory
):
    folder = tmp_path_factory.mktemp("store")
    collection = large_collection(None if in_memory else folder / "engine.db", dimensions=36)
    indexes = Indexes(collection.store, 8)
    rng = np.random.default_rng(seed)
    for step, (what, count) in enumerate([*steps, ("search", 9)]):
        if what == "add":
            collection.add(collection.people(count, seed + step, dimensions=36))
        elif what == "delete" and collection.known:
            gone = rng.choice(list(collection.known), min(count, len(collection.known)), replace=False)
            for vector in collection.delete(gone.tolist()):
                assert in_memory or step % 4 or collection.anywhere(vector) == []
        elif what == "search":
            collection.check(indexes, count)
        elif what == "start again":
            indexes = Indexes(collection.store, 8)
    indexes.settle()
    collection.store.close()
