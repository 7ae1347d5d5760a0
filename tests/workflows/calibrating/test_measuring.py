"""Measuring a collection of the embedded engine through its own API, joined to the records."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from facesearch.domain import FaceMatch
from facesearch.domain.calibration import WantedRate
from facesearch.engine.operations import searching
from facesearch.errors import CollectionNotFoundError, InvalidRequestError, UsageError
from facesearch.workflows.calibrating import measuring


@pytest.fixture
def vectors(made):
    """Twelve people of two faces each, as far apart as the engine's vectors of real people are."""
    around = 0.45 * made.people(np.random.default_rng(3), 12, 2)
    rest = np.zeros((12, 2, 128 - around.shape[2]))
    rest[:, :, 0] = np.sqrt(1 - 0.45**2)
    return np.concatenate((around, rest), axis=2)


def estimates(calibration):
    return [
        (point.similarity, point.false_matches.estimate, point.false_finds.estimate, point.misses.estimate)
        for point in calibration.points
    ]


def test_every_face_is_searched_for_among_the_others_of_its_collection(fs, enrolled, vectors):
    enrolled("staff", vectors)
    told = []
    measured = fs.calibrate("staff", on_face=lambda: told.append(None)).calibration
    assert len(told) == measured.faces == 24
    assert (measured.people, measured.comparisons, measured.own, measured.own_people) == (12, 264, 24, 12)
    assert measured.model_version == "1.0"
    likeness = np.array(
        [
            [match.similarity for match in order]
            for order in _in_order(fs, [one.face for one in fs.faces("staff")])
        ]
    )
    assert likeness.shape == (24, 24)
    people = np.arange(24) // 2
    best = likeness.reshape(24, 12, 2).max(axis=2)
    for similarity, false_matches, false_finds, misses in estimates(measured):
        own = best[np.arange(24), people] >= similarity
        others = np.array([np.delete(row, person) for row, person in zip(best, people, strict=True)])
        assert false_matches == pytest.approx((others >= similarity).mean())
        assert false_finds == pytest.approx((others >= similarity).any(axis=1).mean())
        assert misses == pytest.approx(1 - own.mean())
    assert fs.calibration("staff") == measured


def _in_order(fs, faces):
    """What SearchFaces says of each face, about the faces in the same order; itself scores nothing."""
    for face in faces:
        found = fs._gateway.search_faces("staff", face.face_id, threshold=0)
        by_id = {match.face.face_id: match for match in found}
        yield [by_id.get(one.face_id, FaceMatch(one, -1.0)) for one in faces]


def test_a_sample_takes_one_face_of_everybody_before_a_second_of_anybody(fs, enrolled, vectors):
    face_ids = enrolled("staff", vectors)
    whose = {face_id: person for person, theirs in enumerate(face_ids) for face_id in theirs}
    collection = fs.collection("staff")
    some = measuring.chosen(fs._database, collection, 15)
    assert len(set(some)) == 15
    assert {whose[face_id] for face_id in some[:12]} == set(range(12))
    assert some == measuring.chosen(fs._database, collection, 15)
    assert fs.calibrate("staff", faces=15).calibration.faces == 15
    calls, cost = fs.calibration_cost("staff", faces=15)
    assert (calls, float(cost)) == (15, 0.015)


def test_answers_that_were_cut_off_say_nothing_of_what_lies_below(fs, enrolled, vectors, monkeypatch):
    enrolled("staff", vectors)
    whole = fs.calibrate("staff").calibration
    monkeypatch.setattr(measuring, "MOST_MATCHES", 8)
    cut = fs.calibrate("staff").calibration
    assert (cut.people, cut.comparisons, cut.own) == (12, 264, 24)
    floor = cut.points[0].similarity
    assert floor > whole.points[0].similarity
    assert cut.points[0].false_matches == whole.rate_at(floor)
    assert cut.points[1:] == tuple(point for point in whole.points if point.similarity > floor)
    assert cut.rate_at(floor - 0.001) is None


def test_faces_that_are_gone_and_faces_of_others_are_left_out(fs, enrolled, vectors):
    face_ids = enrolled("staff", vectors)
    fs._gateway.delete_faces("staff", [*face_ids[0], face_ids[1][0]])
    with fs._database.begin() as records:
        records.drop_faces(fs.collection("staff").arn, face_ids[2])
    measured = fs.calibrate("staff")
    assert measured.gone == 3
    assert (measured.calibration.people, measured.calibration.faces) == (10, 19)
    assert (measured.calibration.own, measured.calibration.own_people) == (18, 9)


def test_the_people_who_are_most_alike_are_named(fs, enrolled, vectors):
    twins = vectors.copy()
    twins[7] = twins[4]
    enrolled("staff", twins)
    first, *others = fs.calibrate("staff").nearest
    assert {person.name for person in first.people} == {"4", "7"}
    assert first.similarity > 99.9
    assert {photo.path.split("/")[1] for photo in first.photos} == {"photos"}
    assert len(others) == 2
    assert all(one.similarity >= next_.similarity for one, next_ in pairwise([first, *others]))


def test_too_few_people_are_refused_before_any_call(fs, enrolled, vectors):
    enrolled("staff", vectors[:3])
    with pytest.raises(
        UsageError, match=r"has faces of 3 people on record, and it takes 4 .* takes 78 people"
    ):
        fs.calibrate("staff")
    assert "SearchFaces" not in fs._gateway.meter.answered()


def test_too_few_people_who_are_really_there_are_refused_too(fs, enrolled, vectors):
    face_ids = enrolled("staff", vectors[:4])
    fs._gateway.delete_faces("staff", face_ids[0])
    with pytest.raises(UsageError, match="has faces of 3 people"):
        fs.calibrate("staff")
    assert fs.calibration("staff") is None


def test_where_everything_is_refused_the_refusal_is_told(fs, enrolled, vectors, monkeypatch):
    enrolled("staff", vectors)
    fs._gateway.delete_faces("staff", [one.face.face_id for one in fs.faces("staff")])
    with pytest.raises(InvalidRequestError, match="SearchFaces"):
        fs.calibrate("staff")


def test_a_collection_that_is_not_there_is_an_error(fs):
    with pytest.raises(CollectionNotFoundError):
        fs.calibrate("nowhere")


def test_a_service_that_fails_ends_it_and_nothing_is_kept(fs, enrolled, vectors, monkeypatch):
    enrolled("staff", vectors)

    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(searching, "_matches", broken)
    with pytest.raises(Exception, match=r"(?i)internal|broken"):
        fs.calibrate("staff")
    monkeypatch.undo()
    assert fs.calibration("staff") is None


# --- thresholds that are said as rates


def test_a_rate_becomes_the_lowest_threshold_that_keeps_to_it(fs, enrolled, vectors):
    enrolled("staff", vectors)
    calibration = fs.calibrate("staff").calibration
    threshold = fs.threshold("staff", "fmr=0.05")
    assert (threshold.source, threshold.wanted) == ("asked", WantedRate(0.05))
    assert threshold.calibration == calibration
    point = calibration.at(threshold.similarity)
    assert point.similarity == threshold.similarity
    assert point.false_matches.estimate <= 0.05 < calibration.rate_at(point.similarity - 0.001).estimate


def test_a_rate_is_refused_with_the_next_step(fs, enrolled, vectors):
    enrolled("staff", vectors)
    with pytest.raises(UsageError, match=r"was not measured yet; run `facesearch calibrate -c staff`"):
        fs.threshold("staff", "fmr=0.1")
    fs.calibrate("staff")
    with pytest.raises(UsageError, match=r"fmr=0.001 is finer .* takes 78 people.*ask for fmr=0.046 or more"):
        fs.threshold("staff", "fmr=0.001")
    assert fs.threshold("staff", "fmr=0.046").similarity > 0


def test_a_calibration_of_another_model_is_not_used(fs, enrolled, vectors):
    enrolled("staff", vectors)
    fs.calibrate("staff")
    collection = fs.collection("staff")
    with fs._database.begin() as records:
        [old] = records.calibrations(collection.arn)
        records.save_calibration(collection.arn, old.__class__("6.0", *_facts(old)))
        records._connection.execute(_without(collection.model_version))
    assert fs.calibration("staff") is None
    with pytest.raises(
        UsageError, match=r"measured with face model 6.0, and has model 1.0 now; run .* again"
    ):
        fs.threshold("staff", "fmr=0.1")
    assert fs.threshold("staff").similarity == 80


def _facts(old):
    return old.made_at, old.faces, old.people, old.comparisons, old.own, old.own_people, old.points


def _without(model_version):
    from sqlalchemy import delete

    from facesearch.records.tables import CALIBRATIONS

    return delete(CALIBRATIONS).where(CALIBRATIONS.c.model_version == model_version)


def test_people_who_are_one_leave_no_threshold_for_a_fine_rate(fs, enrolled, vectors):
    same = np.repeat(vectors[:1], 12, axis=0)
    enrolled("staff", same)
    fs.calibrate("staff")
    with pytest.raises(UsageError, match=r"no threshold keeps to fmr=0.1 .* on record twice"):
        fs.threshold("staff", "fmr=0.1")


def test_a_collection_keeps_a_threshold_of_its_own(fs, enrolled, vectors):
    enrolled("staff", vectors)
    assert (fs.threshold("staff").similarity, fs.threshold("staff").source) == (80.0, "default")
    fs.set_threshold("staff", 92.5)
    assert (fs.threshold("staff").similarity, fs.threshold("staff").source) == (92.5, "collection")
    assert fs.threshold("staff", 70).source == "asked"
    assert fs.own_threshold("staff") == "92.5"
    with pytest.raises(UsageError, match="was not measured yet"):
        fs.set_threshold("staff", "fmr=0.1")
    assert fs.own_threshold("staff") == "92.5"
    fs.calibrate("staff")
    fs.set_threshold("staff", "fmr=0.1")
    assert fs.own_threshold("staff") == "fmr=0.1"
    assert fs.threshold("staff").similarity == fs.threshold("staff", "fmr=0.1").similarity
    fs.set_threshold("staff", None)
    assert fs.threshold("staff").source == "default"


def test_what_is_no_threshold_is_refused(fs, enrolled, vectors):
    enrolled("staff", vectors[:1])
    with pytest.raises(UsageError, match="'fmr=2' is not a false-match rate such as"):
        fs.threshold("staff", "fmr=2")


def test_rates_were_measured_on_faces_and_are_refused_with_users(fs, enrolled, vectors):
    enrolled("staff", vectors)
    fs.calibrate("staff")
    fs.set_threshold("staff", "fmr=0.1")
    fs.keep_users("staff")
    for asked in (None, "fmr=0.1", "FMR=0.1"):
        with pytest.raises(UsageError, match="measured on faces: with users give a similarity"):
            fs.search(["x.jpg"], "staff", by="user", threshold=asked)
    fs.search(["x.jpg"], "staff", by="user", threshold=80).close()
