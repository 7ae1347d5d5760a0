"""An enrolment that is killed, at any moment and again and again, and then run to its end."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter

import pytest

from facesearch import FaceSearch
from facesearch.domain import PhotoStatus

ENROLL = [sys.executable, "-m", "facesearch", "enroll"]
BEFORE_THE_FIRST = 0.3  # the part of the kills that comes before a run has stored anything
SOON_AFTER = 0.15  # seconds after it has, within which the others come


@pytest.fixture(autouse=True)
def as_many_jobs_as_processors(monkeypatch):
    """The photos are looked at in processes, which may outlive the one that is killed by a photo."""
    monkeypatch.delenv("FACESEARCH_JOBS")


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


def enrolling(people):
    return subprocess.Popen(
        [*ENROLL, str(people), "-c", "staff"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def wait_for(home, enough, process, seconds=60):
    """Wait until the store holds `enough` faces, the process has ended, or the time is over."""
    deadline = time.monotonic() + seconds
    while stored(home) < enough and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def kill_at_random(home, people, times, seed=20):
    """Enrol in a process of its own and kill it, again and again. Returns how many kills fell into work."""
    moments = random.Random(seed)
    startup, during = 1.0, 0
    for _ in range(times):
        before, started = stored(home), time.monotonic()
        process = enrolling(people)
        if moments.random() < BEFORE_THE_FIRST:
            time.sleep(moments.uniform(0, startup))
        else:
            wait_for(home, before + 1, process)
            startup = time.monotonic() - started
            time.sleep(moments.uniform(0, SOON_AFTER))
        kill(process)
        during += stored(home) > before
    return during


def check_everything_is_there_once(people, number):
    """Run to the end, and compare what the collection, the records and the journal say."""
    done = subprocess.run(
        [*ENROLL, str(people), "-c", "staff", "-o", "json"], stdout=subprocess.PIPE, check=True
    )
    report = json.loads(done.stdout)["photos"]
    assert report["total"] == number == report["enrolled"] + report["already"]
    with FaceSearch.open() as fs:
        listed = list(fs.faces("staff"))
        assert len(listed) == number
        assert fs.reconcile("staff").count == 0
        assert all(face.enrolled for face in listed), "no face without a record"
        assert len({face.face.external_image_id for face in listed}) == number, "no photo twice"
        with fs._database.read() as records:
            arn = fs.collection("staff").arn
            assert sum(1 for _ in records.iter_faces(arn)) == number, "no record without a face"
            assert (records.open_intents(arn), records.open_changes(arn)) == ([], [])
            journal = [photo for run in records.runs() for photo in records.run_photos(run.id)]
    assert Counter(photo.status for photo in journal) == {PhotoStatus.ENROLLED: number}
    assert all(photo.calls >= 1 and photo.attempts >= photo.calls for photo in journal)
    return sum(photo.calls for photo in journal)


def check_files_are_sound(*paths):
    for path in paths:
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


def test_an_enrolment_killed_in_the_middle_ends_with_every_photo_enrolled_once(samples, home):
    people = samples / "people"
    for enough in (1, 4, 7):
        process = enrolling(people)
        wait_for(home, enough, process)
        kill(process)
    check_everything_is_there_once(people, sum(path.suffix in (".jpg", ".png") for path in people.rglob("*")))
    check_files_are_sound(home / "engine.db", home / "facesearch.db")


@pytest.mark.slow
@pytest.mark.parametrize(("records", "kills"), [("sqlite", 300), ("postgres", 50)])
def test_an_enrolment_of_500_photos_killed_again_and_again_ends_the_same(
    records, kills, draw_photos, home, tmp_path, monkeypatch, request, cut
):
    photos, kills = cut(500), cut(kills)
    if records == "postgres":
        url = request.getfixturevalue("make_postgres")()
        monkeypatch.setenv("FACESEARCH_DATABASE_URL", url)
        subprocess.run([sys.executable, "-m", "facesearch", "db", "upgrade"], check=True)
    people = draw_photos(tmp_path / "people", photos)
    started = time.monotonic()
    during = kill_at_random(home, people, kills)
    after = stored(home)
    calls = check_everything_is_there_once(people, photos)
    check_files_are_sound(home / "engine.db")
    print(  # noqa: T201 - the figure that this is run for
        f"\n{kills} kills on {records}, {during} of them after faces were stored, {after} of {photos} photos in "
        f"the collection after the last; at the end {photos} photos enrolled once each, {calls} calls heard of, "
        f"{time.monotonic() - started:.0f} s"
    )
