"""An enrolment that is killed, at any moment and again and again, and then run to its end."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

ENROLL = [sys.executable, "-m", "facesearch", "enroll"]


def stored(home):
    """How many faces the engine's store holds; none while the store is still being made."""
    try:
        with sqlite3.connect(f"file:{home / 'engine.db'}?mode=ro", uri=True) as connection:
            (number,) = connection.execute("SELECT count(*) FROM faces").fetchone()
    except sqlite3.OperationalError:
        return 0
    finally:
        if "connection" in locals():
            connection.close()
    return number


def enrolled_until(home, people, enough):
    """Enrol in a process of its own and kill it as soon as the store holds `enough` faces."""
    process = subprocess.Popen([*ENROLL, str(people), "-c", "staff"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while stored(home) < enough and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


def check_everything_is_there_once(home, people):
    done = subprocess.run(
        [*ENROLL, str(people), "-c", "staff", "-o", "json"], stdout=subprocess.PIPE, check=True
    )
    photos = json.loads(done.stdout)["photos"]
    number = sum(path.suffix in (".jpg", ".png") for path in people.rglob("*"))
    assert photos["total"] == number == photos["enrolled"] + photos["already"]
    engine, records = (sqlite3.connect(home / name) for name in ("engine.db", "facesearch.db"))
    try:
        in_collection = engine.execute("SELECT face_id, external_image_id FROM faces ORDER BY 1").fetchall()
        in_records = records.execute("SELECT face_id, external_image_id FROM faces ORDER BY 1").fetchall()
        assert in_collection == in_records
        assert len({external for _, external in in_collection}) == len(in_collection) == number
        assert records.execute("SELECT DISTINCT state FROM journal").fetchall() == [("enrolled",)]
        for connection in (engine, records):
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        engine.close()
        records.close()


def test_an_enrolment_killed_in_the_middle_ends_with_every_photo_enrolled_once(samples, home):
    for enough in (1, 4, 7):
        enrolled_until(home, samples / "people", enough)
    check_everything_is_there_once(home, samples / "people")


@pytest.mark.slow
def test_an_enrolment_killed_at_thirty_random_moments_ends_the_same(samples, home):
    moments = random.Random(20)
    for _ in range(30):
        process = subprocess.Popen(
            [*ENROLL, str(samples / "people"), "-c", "staff"], stdout=subprocess.DEVNULL
        )
        time.sleep(moments.uniform(0.2, 2.5))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    check_everything_is_there_once(home, samples / "people")
