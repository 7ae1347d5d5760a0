"""A file that is unchanged is not read again, and one that may have changed is."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from facesearch.domain import PersonSpec, PhotoStatus, PlannedPhoto
from facesearch.records.database import Database
from facesearch.s3 import S3Photos
from facesearch.workflows import reading, unchanged
from facesearch.workflows.enrolling import hashing
from facesearch.workflows.enrolling.tally import Tally

ANNA = PersonSpec("Anna")
OLD = 1_600_000_000
READER = reading.Reader(S3Photos(lambda: pytest.fail("S3 has nothing to do with files")))


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'records.db'}")
    yield database
    database.close()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "people").mkdir()
    return tmp_path / "people"


@pytest.fixture
def read(monkeypatch):
    """The paths that were read to hash them."""
    paths = []
    real = reading.photos.sha256_of
    monkeypatch.setattr(reading.photos, "sha256_of", lambda path: (paths.append(path.name), real(path))[1])
    return paths


def old_file(path, content=b"one"):
    path.write_bytes(content)
    os.utime(path, (OLD, OLD))
    return path


def look(database, *paths, tally=None):
    """Hash as a run does, and remember as a run does; gives the sha256 by file name."""
    with ThreadPoolExecutor(2) as pool:
        batches = hashing.Hashing(database, pool, tally or Tally(), READER).hashed(
            PlannedPhoto(str(path), ANNA) for path in paths
        )
        works = [work for batch in batches for work in batch]
    with database.begin() as records:
        records.remember_files([work.file for work in works if work.file])
    return {Path(work.path).name: work.sha256 for work in works}


def test_an_unchanged_file_is_read_once(database, folder, read):
    paths = [old_file(folder / f"{number}.jpg", str(number).encode()) for number in range(200)]
    first = look(database, *paths)
    assert (len(set(first.values())), len(read)) == (200, 200)
    assert look(database, *paths) == first
    assert len(read) == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda path: old_file(path, b"longer"),
        lambda path: os.utime(path, ns=(OLD * 10**9, OLD * 10**9 + 1)),
        lambda path: old_file(path.with_name("new"), b"two").replace(path),
    ],
    ids=["another size", "a nanosecond later", "another file of the same size and time"],
)
def test_a_file_of_another_state_is_read_again(database, folder, read, change):
    path = old_file(folder / "a.jpg")
    look(database, path)
    change(path)
    look(database, path)
    assert read == ["a.jpg", "a.jpg"]
    look(database, path)
    assert read == ["a.jpg", "a.jpg"]


def test_a_file_written_a_moment_ago_is_not_trusted_to_stay_as_it_is(database, folder, read):
    path = folder / "a.jpg"
    path.write_bytes(b"one")
    first = look(database, path)
    state = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))  # a second write within one tick of the clock
    assert look(database, path) != first


def test_a_file_from_the_future_is_read_each_time(database, folder, read):
    path = old_file(folder / "a.jpg")
    os.utime(path, (time.time() + 3600,) * 2)
    look(database, path)
    look(database, path)
    assert read == ["a.jpg", "a.jpg"]


def test_a_file_is_the_same_by_its_relative_path(database, folder, read, monkeypatch):
    old_file(folder / "a.jpg")
    look(database, folder / "a.jpg")
    monkeypatch.chdir(folder)
    look(database, "a.jpg")
    assert read == ["a.jpg"]


def test_equal_names_in_two_folders_and_on_two_machines_are_different_files(monkeypatch):
    here = unchanged.FileIds()
    ids = {here("/a/x.jpg"), here("/b/x.jpg"), here("/a/y.jpg")}
    monkeypatch.setattr(unchanged.socket, "gethostname", lambda: "another-machine")
    assert len(ids | {unchanged.FileIds()("/a/x.jpg")}) == 4
    assert all(len(id_) == 64 for id_ in ids)


def test_what_cannot_be_read_or_belongs_to_nobody_is_told_and_not_remembered(database, folder):
    ended = []
    tally = Tally(lambda outcome: ended.append((Path(outcome.path).name, outcome.status)))
    empty = old_file(folder / "empty.jpg", b"")
    assert look(database, empty, folder / "gone.jpg", folder, "a\0b", tally=tally) == {}
    assert {status for _, status in ended} == {PhotoStatus.UNREADABLE}
    assert [name for name, _ in ended] == ["empty.jpg", "gone.jpg", "people", "a\0b"]
    with ThreadPoolExecutor(1) as pool:
        planned = [PlannedPhoto("loose.jpg", None, "it belongs to nobody")]
        assert not any(hashing.Hashing(database, pool, tally, READER).hashed(planned))
    assert ended[-1] == ("loose.jpg", PhotoStatus.FAILED)


def test_a_known_file_that_is_gone_is_unreadable(database, folder):
    path = old_file(folder / "a.jpg")
    look(database, path)
    path.unlink()
    tally = Tally()
    assert look(database, path, tally=tally) == {}
    assert tally.counts[PhotoStatus.UNREADABLE] == 1
