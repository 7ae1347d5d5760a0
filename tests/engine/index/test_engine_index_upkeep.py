"""A file of vectors is kept up beside the searches: appended to, and made anew when it must be."""

import threading

import numpy as np
import pytest

from facesearch.engine import index_file, scan, vector_file
from facesearch.engine.index import Indexes
from facesearch.engine.vectors import VectorFiles

pytestmark = pytest.mark.usefixtures("small_tiles")


def on_disk(staff):
    with staff.store.snapshot(1) as snapshot:
        token, rows = snapshot.file()
    return staff.store.vector_files.open(1, token, rows), rows


@pytest.fixture
def held_up(monkeypatch):
    """Writing a file waits, once `waits` is set, until `go` is."""

    class HeldUp:
        go, waits = threading.Event(), threading.Event()

    streamed = vector_file._streamed

    def slow(file, batches):
        result = streamed(file, batches)
        HeldUp.waits.set()
        assert HeldUp.go.wait(30)
        return result

    HeldUp.go.set()
    monkeypatch.setattr(vector_file, "_streamed", slow)
    yield HeldUp
    HeldUp.go.set()


def test_faces_stored_later_are_appended_to_the_file(staff, indexes, made):
    staff.add(staff.people(100))
    staff.check(indexes)
    before = staff.files
    for seed in range(1, 4):
        staff.add(staff.people(9, seed=seed))
        staff.check(indexes)
        base, rows = on_disk(staff)
        assert rows == base.written == len(staff.known)
        assert len(indexes._indexes[1]._vectors.later) == 0
    assert made == [1]
    assert staff.files == before


def test_another_process_finds_all_of_an_appended_file_without_reading_the_store(staff, indexes, monkeypatch):
    staff.add(staff.people(100))
    staff.check(indexes)
    staff.add(staff.people(25, seed=1))
    staff.check(indexes)
    monkeypatch.setattr(VectorFiles, "append", None)
    fresh = Indexes(staff.store, staff.FROM)
    assert staff.search(fresh, staff.known[120], 3) == staff.expected(staff.known[120], 3)
    assert len(fresh._indexes[1]._vectors.later) == 0


def test_a_file_without_room_is_made_anew_and_the_old_one_goes(staff, indexes, made):
    staff.add(staff.people(100))
    staff.check(indexes)
    (before,) = staff.files
    staff.add(staff.people(40, seed=1))
    staff.check(indexes)
    assert made == [1, 1]
    (after,) = staff.files
    assert after != before


def test_a_file_of_which_much_is_erased_is_made_anew(staff, indexes, made):
    numbers = staff.add(staff.people(100))
    staff.check(indexes)
    staff.delete(numbers[:6])
    staff.check(indexes)
    assert made == [1]
    staff.delete(numbers[6:7])
    staff.check(indexes)
    assert made == [1, 1]
    base, rows = on_disk(staff)
    assert rows == 93
    assert np.count_nonzero(base.rows.numbers) == 93


def test_a_search_does_not_wait_for_a_file_that_is_made_anew(staff, indexes, held_up, made):
    staff.add(staff.people(100))
    staff.check(indexes)
    held_up.go.clear()
    held_up.waits.clear()
    staff.add(staff.people(40, seed=1))
    queries = list(staff.known.values())
    staff.search(indexes, queries[0])
    assert held_up.waits.wait(30)
    for turn, query in enumerate(queries[::20]):
        assert staff.search(indexes, query) == staff.expected(query)
        staff.add(staff.people(2, seed=50 + turn))
    assert indexes._upkeep._thread is not None
    held_up.go.set()
    staff.check(indexes)
    assert on_disk(staff)[1] == len(staff.known)


def test_a_collection_that_grows_while_it_is_searched_gets_its_file_beside_the_searches(
    staff, indexes, held_up
):
    staff.add(staff.people(30))
    staff.check(indexes)
    held_up.go.clear()
    staff.add(staff.people(30, seed=1))
    query = staff.known[40]
    assert staff.search(indexes, query) == staff.expected(query)
    assert held_up.waits.wait(30)
    assert staff.search(indexes, query) == staff.expected(query)
    held_up.go.set()
    staff.check(indexes)
    assert on_disk(staff)[1] == 60


def test_faces_deleted_while_a_file_is_written_are_not_in_it(staff, indexes, held_up, made):
    numbers = staff.add(staff.people(100))
    held_up.go.clear()
    searching = threading.Thread(target=staff.search, args=(indexes, staff.known[1]))
    searching.start()
    assert held_up.waits.wait(30)
    vectors = staff.delete(numbers[:2])
    held_up.go.set()
    searching.join()
    staff.check(indexes)
    assert made == [1, 1]
    for vector in vectors:
        assert staff.anywhere(vector) == []
    (file,) = staff.files
    assert file.suffix == ""


def test_who_deletes_without_end_waits_for_the_file_in_the_end(staff, indexes, monkeypatch, made):
    numbers = staff.add(staff.people(100))
    streamed = vector_file._streamed

    def interrupted(file, batches):
        result = streamed(file, batches)
        if len(made) <= index_file._ATTEMPTS:
            staff.delete([numbers[len(made)]])
        return result

    monkeypatch.setattr(vector_file, "_streamed", interrupted)
    assert staff.search(indexes, staff.known[numbers[50]]) == staff.expected(staff.known[numbers[50]])
    assert len(made) == index_file._ATTEMPTS + 1
    assert on_disk(staff)[1] == 97
    staff.check(indexes)


def test_who_stores_many_faces_keeps_the_file_up_without_any_search(staff, indexes):
    for seed in range(6):
        staff.add(staff.people(30, seed=seed))
        indexes.stored(1, 30)
        indexes.settle()
    _, rows = on_disk(staff)
    assert rows == 180
    assert indexes._indexes[1]._vectors is None


def test_a_file_written_further_than_the_store_knows_is_not_appended_to_again(
    staff, indexes, monkeypatch, made
):
    staff.add(staff.people(100))
    staff.check(indexes)
    append = VectorFiles.append

    def undone(self, *those):
        append(self, *those)
        raise OSError("killed before the transaction was on disk")

    monkeypatch.setattr(VectorFiles, "append", undone)
    added = staff.add(staff.people(10, seed=1))
    staff.check(indexes)
    base, rows = on_disk(staff)
    assert (rows, base.written) == (100, 110)
    (vector,) = staff.delete(added[:1])
    assert staff.anywhere(vector) == []
    monkeypatch.undo()
    staff.check_afresh()
    assert made == [1]  # tiles are of their own size again, and so is the file


def test_room_that_no_face_fills_is_harmless_to_multiply_with(staff):
    vectors = staff.people(90)
    for _ in range(20):
        dirty = np.full((4, 40, scan.TILE), np.nan, np.float32)
        del dirty
        base = vector_file.in_memory([(np.arange(1, 91), vectors)], 90, 128, None)
        assert base.rows.numbers.shape[0] > 96
        assert np.isfinite(base.tiles).all()


def test_a_failing_disk_ends_the_upkeep_and_no_search(staff, indexes, monkeypatch, caplog):
    staff.add(staff.people(100))
    staff.check(indexes)

    def full(*those):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(VectorFiles, "append", full)
    monkeypatch.setattr(VectorFiles, "write", full)
    for seed in range(1, 8):
        staff.add(staff.people(30, seed=seed))
        staff.check(indexes)
    assert caplog.text.count("No space left") == 1
    assert not staff.base(indexes).mapped


def test_a_file_that_another_process_writes_is_left_to_it(staff, indexes, made):
    staff.add(staff.people(100))
    staff.check(indexes)
    (file,) = staff.files
    theirs = file.with_name(f"1-{'f' * 32}.part")
    theirs.write_bytes(b"half of it")
    staff.add(staff.people(40, seed=1))
    staff.check(indexes)
    assert made == [1]
    assert theirs.exists()
    assert not indexes._indexes[1].file.asked


def test_an_append_over_several_tiles_is_found_by_the_scan(staff, indexes):
    staff.add(staff.people(300))
    staff.check(indexes)
    staff.add(staff.people(70, seed=3) * 1.5)  # further from the mean than any before
    staff.check(indexes, limit=60)
    base, rows = on_disk(staff)
    assert (rows, len(indexes._indexes[1]._vectors.later)) == (370, 0)
    from facesearch.engine import scan

    expected = scan.tiled(base.projection.table(base.rows.matrix[:rows]))
    shown, table = base.shown(rows)
    np.testing.assert_array_equal(
        table.tiles.transpose(0, 2, 1).reshape(-1, table.tiles.shape[1])[:rows],
        expected.transpose(0, 2, 1).reshape(-1, table.tiles.shape[1])[:rows],
    )
    assert table.reach >= scan.reach_of(base.projection.table(shown.matrix))


@pytest.mark.parametrize("few", [0, 1000])
def test_few_faces_and_many_are_erased_alike(staff, indexes, monkeypatch, few):
    monkeypatch.setattr(vector_file, "_FEW", few)
    numbers = staff.add(staff.people(300))
    staff.check(indexes)
    for vector in staff.delete(numbers[:36:2]):
        assert staff.anywhere(vector) == []
    staff.check(indexes)
    base, rows = on_disk(staff)
    table = base.tiles.transpose(0, 2, 1).reshape(-1, base.tiles.shape[1])[:rows]
    assert not table[:36:2, :-1].any()
    assert np.isneginf(table[:36:2, -1]).all()
    assert np.isfinite(table[1:36:2]).all()
    assert np.isfinite(table[36:]).all()
