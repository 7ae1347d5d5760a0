"""Enrolling on a service that throttles, fails, dawdles and loses answers ends as it does on one that does not."""

import time
from contextlib import contextmanager

import pytest

from facesearch import FaceSearch
from facesearch.domain import PhotoStatus
from facesearch.engine.faults import Faults
from facesearch.engine.http.server import Server
from facesearch.testing import Engines

OFTEN = {
    "throttle": 0.1,
    "errors": {"IndexFaces": {"InternalServerError": 0.03}},
    "lost_answers": 0.03,
    "latency": (0.05, 0.4),
}


@contextmanager
def served(**faults):
    """A program at work on a fresh engine with faults, over HTTP."""
    with (
        Engines(Faults(**faults)) as engines,
        Server(engines.of("us-east-1")) as server,
        FaceSearch.open(engine=server.url, max_attempts=5) as fs,
    ):
        yield fs


def photos_of(folder):
    return [path for path in folder.rglob("*") if path.suffix in (".jpg", ".png")]


def journal(fs):
    return [photo for run in list(fs.runs()) for photo in fs.run_photos(run)]


def held(fs):
    return [face.external_image_id for page in fs._gateway.pages_of_faces("staff") for face in page]


def check_every_photo_is_there_once(fs, number):
    with fs._database.read() as records:
        arn = fs.collection("staff").arn
        known = [face.face.external_image_id for face in records.iter_faces(arn)]
    assert sorted(known) == sorted(held(fs)) == sorted(set(known))
    assert len(known) == number
    assert {photo.status for photo in journal(fs)} == {PhotoStatus.ENROLLED}


def test_faults_of_every_kind_change_nothing_in_the_end(samples):
    people = samples / "people"
    number = len(photos_of(people))
    with served(**OFTEN, seed=2) as fs:
        for _ in range(5):
            report = fs.enroll([people], "staff")
            if not report.counts[PhotoStatus.FAILED]:
                break
        assert report.total == number
        check_every_photo_is_there_once(fs, number)
        photos = journal(fs)
        assert all(photo.calls == 1 for photo in photos)
        assert sum(photo.attempts for photo in photos) > number, "no fault struck"


@pytest.mark.slow
def test_500_photos_on_a_faulty_service_end_the_same(draw_photos, tmp_path, cut):
    number = cut(500)
    started = time.monotonic()
    people = draw_photos(tmp_path / "people", number)
    with served(**OFTEN, seed=3) as fs:
        runs = 1
        while fs.enroll([people], "staff").counts[PhotoStatus.FAILED]:
            runs += 1
        check_every_photo_is_there_once(fs, number)
        tries = sum(photo.attempts for photo in journal(fs))
    seconds = time.monotonic() - started
    print(  # noqa: T201 - the figure that this is run for
        f"\n{number} photos enrolled once each in {runs} runs and {tries} tries, {seconds:.0f} s"
    )
