"""A repair that is killed in the middle, again and again, and then run to its end."""

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time

import pytest

from facesearch import FaceSearch

FACES = 9_000
RECONCILE = [
    sys.executable,
    "-m",
    "facesearch",
    "reconcile",
    "-c",
    "theirs",
    "--apply",
    "--yes",
    "-o",
    "json",
]


@pytest.fixture(scope="session")
def foreign_store(tmp_path_factory, fill):
    path = tmp_path_factory.mktemp("to-kill") / "engine.db"
    fill(path, "theirs", [f"person_{number % 1000:04}" for number in range(FACES)])
    return path


def count(path, query):
    """A number out of a store or records; 0 while there is none."""
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return 0
    try:
        return connection.execute(query).fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def killed_when(reached, *options):
    """Repair in a process of its own and kill it as soon as `reached`; whether that came before its end."""
    process = subprocess.Popen([*RECONCILE, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while process.poll() is None and not reached() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    return process.wait() != 0


def run_to_the_end(*options):
    done = subprocess.run([*RECONCILE, *options], stdout=subprocess.PIPE, check=True)
    document = json.loads(done.stdout)
    assert not document["drift"]
    with FaceSearch.open() as fs:
        assert fs.reconcile("theirs").findings == ()
    return document


def recorded(home):
    return count(home / "facesearch.db", "SELECT count(*) FROM faces")


def held(home):
    return count(home / "engine.db", "SELECT count(*) FROM faces")


def check_adopted_once(home):
    assert recorded(home) == held(home) == FACES
    assert count(home / "facesearch.db", "SELECT count(*) FROM people") == 1000


def check_deleted(home):
    assert recorded(home) == held(home) == 0
    assert count(home / "facesearch.db", "SELECT count(*) FROM changes WHERE state = 'intent'") == 0


def test_an_adoption_killed_in_the_middle_goes_on_where_it_was(foreign_store, home):
    shutil.copyfile(foreign_store, home / "engine.db")
    assert killed_when(lambda: recorded(home) > 0, "--adopt")
    assert 0 < recorded(home) < FACES
    run_to_the_end("--adopt")
    check_adopted_once(home)


def test_a_deletion_killed_in_the_middle_leaves_nothing_that_nobody_knows_of(foreign_store, home):
    shutil.copyfile(foreign_store, home / "engine.db")
    assert killed_when(lambda: held(home) < FACES, "--delete-unknown")
    assert 0 < held(home) < FACES
    run_to_the_end("--delete-unknown")
    check_deleted(home)


@pytest.mark.slow
@pytest.mark.parametrize(
    "option, check", [("--adopt", check_adopted_once), ("--delete-unknown", check_deleted)]
)
def test_a_repair_killed_at_random_moments_ends_the_same(foreign_store, home, option, check, cut):
    shutil.copyfile(foreign_store, home / "engine.db")
    moments = random.Random(30)
    for _ in range(cut(15)):
        end = time.monotonic() + moments.uniform(0.5, 6.0)
        killed_when(lambda end=end: time.monotonic() > end, option)
    run_to_the_end(option)
    check(home)
