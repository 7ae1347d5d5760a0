"""Several photos at a time on the embedded engine: in processes, and with the outcome of one after the other."""

import json
import subprocess
import sys

import pytest

from facesearch import FaceSearch, bootstrap
from facesearch.domain import PhotoStatus
from facesearch.engine.vision import weights

FACESEARCH = [sys.executable, "-m", "facesearch"]
SEVERAL = bootstrap.processors()  # on one processor there are no processes


@pytest.fixture
def people(draw_photos, tmp_path):
    return draw_photos(tmp_path / "people", 12)


@pytest.fixture(scope="module")
def all_started():
    """The programs that this process starts; Python has no way to stop telling."""
    started = []
    sys.addaudithook(lambda event, told: started.append(told[1]) if event == "subprocess.Popen" else None)
    return started


@pytest.fixture
def started(all_started):
    all_started.clear()
    return all_started


def found(results):
    return [
        (photo.path, [(match.person.name, match.similarity) for match in face.matches])
        for photo in results
        for face in photo.faces
    ]


def test_two_jobs_come_to_what_one_does(people):
    with FaceSearch.open(jobs=2) as fs:
        report = fs.enroll([people], "staff")
        assert report.counts[PhotoStatus.ENROLLED] == report.total == 12
        assert fs.reconcile("staff").count == 0
        by_two = found(fs.search([people], "staff", faces=None))
    with FaceSearch.open(jobs=1) as fs:
        assert fs.enroll([people], "staff").counts[PhotoStatus.ALREADY] == 12
        assert found(fs.search([people], "staff", faces=None)) == by_two
    assert len(by_two) == 12 and all(matches for _, matches in by_two)


def test_one_job_takes_no_process_and_what_shows_no_photo_neither(people, started):
    photo = next(people.rglob("*.jpg"))
    with FaceSearch.open(jobs=1) as fs:
        fs.detect(photo)
    with FaceSearch.open(jobs=2) as fs:
        fs.create_collection("staff")
        assert len(list(fs.collections())) == 1
    assert started == []
    with FaceSearch.open(jobs=2) as fs:
        fs.detect(photo)
    assert len(started) == (SEVERAL > 1)


def test_photos_that_are_expected_have_a_process_start_before_the_first(people, started):
    with FaceSearch.open(jobs=2) as fs:
        fs.expect_photos()
        assert len(started) == (SEVERAL > 1)
        fs.expect_photos()
        fs.detect(next(people.rglob("*.jpg")))
        assert len(started) == (SEVERAL > 1)


def test_the_command_starts_them_for_as_many_jobs_as_it_is_told(people):
    def searching(*more):
        script = (
            "import sys; sys.addaudithook(lambda event, told: event == 'subprocess.Popen' and "
            "print('a process', file=sys.stderr)); from facesearch.__main__ import main; main()"
        )
        command = [sys.executable, "-c", script, "search", people, "-c", "staff", "-o", "json", *more]
        searched = subprocess.run(command, capture_output=True, text=True, check=True)
        assert len(json.loads(searched.stdout)["photos"]) == 12
        return searched.stderr.count("a process")

    subprocess.run([*FACESEARCH, "collection", "create", "staff"], check=True, capture_output=True)
    assert searching("--jobs", "1") == 0
    assert searching("--jobs", "2") == (2 if SEVERAL > 1 else 0)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_weights_that_are_damaged_are_said_without_a_traceback(jobs, people, tmp_path, monkeypatch, home):
    models = tmp_path / "face_recognition_models" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").touch()
    for file in (weights.DETECTOR, weights.DESCRIPTOR, weights.LANDMARKS):
        (models / file.name).write_bytes(b"x")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("FACESEARCH_JOBS", jobs)
    (home / "cache").unlink()  # what was built from sound ones
    command = [*FACESEARCH, "detect", next(people.rglob("*.jpg"))]
    detected = subprocess.run(command, capture_output=True, text=True)
    assert detected.returncode == 4
    assert "is cut short or changed" in detected.stderr and "Traceback" not in detected.stderr
