"""The store: durable, private, shared by threads and processes, and forgetting what it was told to forget."""

import sqlite3
import stat
import struct
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from facesearch.engine import connections, schema
from facesearch.engine.errors import RekognitionError, StoreError
from facesearch.engine.storage import NewFace, Store
from facesearch.engine.tags import Tags

IMAGE = "0b8f2c9e-4d2a-5b7e-9c1d-3e5f7a9b1c2d"
OTHER_IMAGE = "1b8f2c9e-4d2a-5b7e-9c1d-3e5f7a9b1c2d"


def face(left=0.1, vector=b"\0\0\x80\x3f", size=0.2):
    return NewFace(left=left, top=0.1, width=size, height=size, confidence=99.0, vector=vector)


@pytest.fixture(params=["file", "memory"])
def store(request, tmp_path):
    store = Store(tmp_path / "engine.db" if request.param == "file" else None)
    yield store
    store.close()


@pytest.fixture
def staff(store):
    store.create_collection("staff", "1.0", {})
    return store


def add(store, faces, image=IMAGE, external=None, collection="staff", model="1.0"):
    return store.add_faces(collection, model, image, external, faces)


def run(code, *arguments):
    """A Python program of its own, whose output is returned."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_file_and_its_folder_are_for_the_owner_alone(tmp_path):
    path = tmp_path / "new" / "engine.db"
    store = Store(path)
    store.create_collection("a", "1.0", {})
    try:
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        files = list(path.parent.iterdir())
        assert path in files and len(files) > 1
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    finally:
        store.close()


def test_a_file_that_is_there_keeps_its_mode(tmp_path):
    path = tmp_path / "engine.db"
    path.touch(mode=0o640)
    path.chmod(0o640)
    Store(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_store_keeps_its_account_and_another_has_another(tmp_path):
    accounts = []
    for name in ("a.db", "a.db", "b.db"):
        store = Store(tmp_path / name)
        accounts.append(store.account_id)
        store.close()
    assert accounts[0] == accounts[1] != accounts[2]
    assert all(len(account) == 12 and account.isdecimal() for account in accounts)


def test_a_store_of_a_newer_version_is_refused_in_words(tmp_path):
    path = tmp_path / "engine.db"
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match=r"engine\.db was written by a newer version of the engine"):
        Store(path)


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "theirs.db"
    theirs = sqlite3.connect(path)
    theirs.execute("CREATE TABLE mail (subject TEXT)")
    theirs.close()
    with pytest.raises(StoreError, match="another program"):
        Store(path)
    theirs = sqlite3.connect(path)
    assert theirs.execute("SELECT name FROM sqlite_schema").fetchall() == [("mail",)]
    theirs.close()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "engine.db"
    path.write_bytes(b"no database at all " * 100)
    with pytest.raises(StoreError, match="cannot be used as the engine's store"):
        Store(path)


def test_a_place_that_no_file_can_be_in_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path / "file" / "engine.db")
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path)


def test_nothing_is_asked_of_a_closed_store(store):
    store.close()
    store.close()
    with pytest.raises(RuntimeError, match="closed"):
        store.collection("a")


def test_what_is_in_use_when_the_store_closes_is_closed_when_it_comes_back(tmp_path):
    store = Store(tmp_path / "engine.db")
    store.create_collection("a", "1.0", {})
    with store.snapshot(store.collection("a").number) as snapshot:
        store.close()
        assert snapshot.face_count == 0
    assert not (tmp_path / "engine.db-wal").exists()


def test_tags_are_kept_with_their_collection_and_go_with_it(store):
    store.create_collection("a", "1.0", {"team": "red", "имя": ""})
    assert Tags(store.connections).tags_of("a") == {"team": "red", "имя": ""}
    store.delete_collection("a")
    store.create_collection("a", "1.0", {})
    assert Tags(store.connections).tags_of("a") == {}


def test_a_collection_made_again_is_not_the_one_it_was(staff):
    add(staff, [face()])
    first = staff.collection("staff")
    assert staff.delete_collection("staff") == first.number
    staff.create_collection("staff", "1.0", {})
    again = staff.collection("staff")
    assert again.number > first.number
    assert (again.face_count, staff.faces(again.number, 0, 10)) == (0, [])


def test_a_collection_that_cannot_be_made_leaves_no_tags_behind(staff):
    with pytest.raises(RekognitionError, match="already exists"):
        staff.create_collection("staff", "1.0", {"a": "b"})
    assert Tags(staff.connections).tags_of("staff") == {}


def test_the_same_image_under_the_same_id_is_stored_once(staff):
    first = add(staff, [face(), face(0.6)], external="x")
    assert add(staff, [face(), face(0.6)], external="x") == first
    assert staff.collection("staff").face_count == 2


def test_no_external_id_is_an_id_like_any_other(staff):
    first = add(staff, [face()])
    assert add(staff, [face()]) == first
    assert add(staff, [face()], external="x")[0].face_id != first[0].face_id
    assert add(staff, [face()], image=OTHER_IMAGE)[0].face_id != first[0].face_id
    assert staff.collection("staff").face_count == 3


def test_a_box_that_moved_by_a_hair_is_the_same_face(staff):
    first = add(staff, [face(0.1), face(0.25)])
    assert add(staff, [face(0.251), face(0.101)]) == first[::-1]


def test_faces_that_were_left_out_the_first_time_are_added_the_second(staff):
    (first,) = add(staff, [face()])
    again = add(staff, [face(0.6), face()])
    assert again[1] == first
    assert staff.collection("staff").face_count == 2


def test_boxes_without_an_area_are_never_taken_for_the_same(staff):
    add(staff, [face(size=0.0)])
    add(staff, [face(size=0.0)])
    assert staff.collection("staff").face_count == 2


def test_faces_of_another_model_do_not_enter_a_collection(staff):
    with pytest.raises(
        RekognitionError, match=r"face model version 1\.0, and this engine runs 2\.0"
    ) as refused:
        add(staff, [face()], model="2.0")
    assert refused.value.code == "InvalidParameterException"
    assert staff.collection("staff").face_count == 0


def test_faces_of_a_collection_that_is_gone_are_not_stored(staff):
    staff.delete_collection("staff")
    with pytest.raises(RekognitionError, match="does not exist"):
        add(staff, [face()])


def test_a_revision_moves_with_every_change_and_only_then(staff):
    def revision():
        return staff.collection("staff").revision

    start = revision()
    (stored,) = add(staff, [face()], external="x")
    added = revision()
    add(staff, [face()], external="x")
    assert added > start and revision() == added
    staff.delete_faces("staff", ["no such face"])
    assert revision() == added
    staff.delete_faces("staff", [stored.face_id])
    assert revision() > added


def test_a_transaction_that_fails_leaves_nothing(staff):
    bad = NewFace(left=0.1, top=0.1, width=0.1, height=0.1, confidence=None, vector=face().vector)
    with pytest.raises(sqlite3.IntegrityError):
        add(staff, [face(), bad])
    assert staff.collection("staff").face_count == 0
    assert staff.faces(staff.collection("staff").number, 0, 10) == []


def test_deleted_vectors_are_not_left_in_the_files(tmp_path):
    path = tmp_path / "engine.db"
    store = Store(path)
    secret = struct.pack("<128f", *range(1, 129))
    store.create_collection("staff", "1.0", {})
    (one,) = add(store, [face(vector=secret)])
    add(store, [face(vector=secret)], image=OTHER_IMAGE)

    def found():
        return any(secret[:64] in file.read_bytes() for file in tmp_path.iterdir())

    assert found()
    store.delete_faces("staff", [one.face_id])
    assert found()
    store.delete_collection("staff")
    assert not found()
    store.close()
    assert not found()


def test_a_store_that_others_keep_busy_answers_that_it_is_throttled(tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "_BUSY_SECONDS", 0.05)
    path = tmp_path / "engine.db"
    store = Store(path)
    new = tmp_path / "new.db"
    other, making = sqlite3.connect(path, isolation_level=None), sqlite3.connect(new, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    making.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(RekognitionError, match="ThrottlingException"):
            store.create_collection("a", "1.0", {})
        Store(path).close()
        with pytest.raises(StoreError, match="cannot be used as the engine's store"):
            Store(new)
    finally:
        other.close()
        making.close()
    store.create_collection("a", "1.0", {})
    store.close()


def test_readers_are_not_held_up_by_a_writer(tmp_path):
    path = tmp_path / "engine.db"
    store = Store(path)
    store.create_collection("a", "1.0", {})
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert store.collection("a").face_count == 0
    other.close()
    store.close()


def test_threads_share_a_store(staff):
    def work(number):
        stored = add(staff, [face()], external=str(number % 20))
        staff.collection("staff")
        staff.faces(1, 0, 5)
        if number % 20 == 7:
            staff.delete_faces("staff", [one.face_id for one in stored])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(160)))
    collection = staff.collection("staff")
    assert len(staff.faces(collection.number, 0, 1000)) == collection.face_count
    assert collection.face_count in (19, 20)


def test_a_snapshot_shows_one_moment(tmp_path):
    store = Store(tmp_path / "engine.db")
    store.create_collection("staff", "1.0", {})
    add(store, [face(), face(0.6)])
    with store.snapshot(1) as snapshot:
        add(store, [face()], image=OTHER_IMAGE)
        assert [len(rows) for rows in snapshot.vectors_after(0, batch=1)] == [1, 1]
        assert len(snapshot.numbers()) == snapshot.face_count == 2
    store.close()


RACE = """
    import sys, time
    from pathlib import Path
    from facesearch.engine.errors import RekognitionError
    from facesearch.engine.storage import NewFace, Store
    while time.time() < float(sys.argv[2]):
        time.sleep(0.001)
    store = Store(Path(sys.argv[1]))
    try:
        store.create_collection("staff", "1.0", {})
    except RekognitionError as error:
        assert error.code == "ResourceAlreadyExistsException"
    for number in range(20):
        faces = [NewFace(0.1, 0.1, 0.2, 0.2, 99.0, b"1234")]
        (stored,) = store.add_faces("staff", "1.0", f"image {number}", "x", faces)
        print(stored.face_id)
    store.close()
"""


def test_processes_that_make_a_store_and_index_the_same_images_at_once_agree_on_every_face(tmp_path):
    path = tmp_path / "engine.db"
    start = time.time() + 1.5
    with ThreadPoolExecutor(5) as threads:
        outputs = list(threads.map(lambda _: run(RACE, path, start), range(5)))
    assert len(set(outputs)) == 1
    assert len(set(outputs[0].split())) == 20
    store = Store(path)
    assert store.collection("staff").face_count == 20
    store.close()


def test_a_store_may_be_used_on_both_sides_of_a_fork(tmp_path):
    output = run(
        """
        import os, sys
        from pathlib import Path
        from facesearch.engine.storage import NewFace, Store
        store = Store(Path(sys.argv[1]))
        memory = Store(None)
        for one in (store, memory):
            one.create_collection("staff", "1.0", {})
        child = os.fork()
        for one in (store, memory):
            for number in range(50):
                image = f"{child == 0} {number}"
                one.add_faces("staff", "1.0", image, None, [NewFace(0.1, 0.1, 0.2, 0.2, 99.0, b"1234")])
        if child == 0:
            store.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print(store.collection("staff").face_count, memory.collection("staff").face_count)
        store.close()
        memory.close()
        """,
        tmp_path / "engine.db",
    )
    assert output.split() == ["100", "50"]


def test_every_connection_is_closed_with_the_store(tmp_path):
    store = Store(tmp_path / "engine.db")
    store.create_collection("a", "1.0", {})
    together = threading.Barrier(4)

    def read():
        with store.snapshot(1):
            together.wait(timeout=10)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "engine.db-wal").exists()
    store.close()
    # SQLite removes its log when the last connection to a file goes.
    assert not (tmp_path / "engine.db-wal").exists()
