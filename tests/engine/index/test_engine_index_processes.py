"""Processes share one store and its files of vectors, and may be killed at any moment."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np

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
        indexes.settle()
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


def test_processes_on_one_store_see_each_other(staff, indexes):
    others = [churn(staff.path, 1, 4), churn(staff.path, 2, 4)]
    mine = staff.add(staff.people(50, seed=7))
    own = dict(staff.known)
    while any(other.poll() is None for other in others):
        for number in mine[::10]:
            assert staff.search(indexes, own[number], 1) == [number]
    for other in others:
        other.stdout.close()
        assert other.wait() == 0
    staff.known = held(staff.store)
    staff.check(indexes)
    staff.check_afresh()


def test_whatever_kill_9_interrupts_the_next_search_is_right_and_nothing_lingers(staff):
    staff.add(staff.people(60, seed=7))
    for turn in range(3):
        process = churn(staff.path, turn, 1000)
        for _ in range(2 + turn):
            process.stdout.readline()
        time.sleep(0.007 * turn)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        staff.known = held(staff.store)
        staff.check_afresh()
        victim = max(staff.known)
        (vector,) = staff.delete([victim])
        assert staff.anywhere(vector) == []
        staff.check_afresh()
    assert not [one for one in staff.files if one.suffix == ".part"]


def test_a_part_that_a_killed_process_left_goes_with_the_first_deletion(staff, indexes):
    numbers = staff.add(staff.people(100))
    staff.check(indexes)
    (file,) = staff.files
    left = file.with_name(f"1-{'a' * 32}.part")
    left.write_bytes(staff.known[numbers[4]].tobytes())
    os.utime(left, (0, 0))
    (vector,) = staff.delete([numbers[4]])
    assert staff.anywhere(vector) == []
    assert staff.files == [file]
