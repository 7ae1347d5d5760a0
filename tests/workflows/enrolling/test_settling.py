"""What a run that died has left is found out by the next one, and brought to the end it would have had.

The journal and the collection are brought into the state that a kill leaves by the very calls that a run makes.
"""

import shutil

import pytest

from facesearch import FaceSearch, photos
from facesearch.domain import Change, ChangeState, Intent, OnMultiple, PersonSpec, Photo, PhotoStatus
from facesearch.errors import BudgetError, ServiceUnavailableError
from facesearch.workflows.enrolling import external_image_id

ENROLLED, ALREADY, FAILED = PhotoStatus.ENROLLED, PhotoStatus.ALREADY, PhotoStatus.FAILED


@pytest.fixture
def fs():
    with FaceSearch.open() as fs:
        fs.create_collection("staff")
        yield fs


@pytest.fixture
def people(samples, tmp_path):
    """Three of the drawn people, one photo each."""
    for folder in sorted((samples / "people").iterdir())[:3]:
        photo = sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png"))[0]
        (tmp_path / "people" / folder.name).mkdir(parents=True)
        shutil.copy(photo, tmp_path / "people" / folder.name / photo.name)
    return tmp_path / "people"


def photos_of(folder):
    return sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".png"))


def counts(report):
    return {status: count for status, count in report.counts.items() if count}


def killed(fs, path, name, *, taken, on_multiple=OnMultiple.AUTO):
    """A run that was killed with this photo on its way; `taken` faces of it are in the collection."""
    collection = fs.collection("staff")
    prepared = photos.prepare(path)
    with fs._database.begin() as records:
        records.remember_collection(collection)
        [person] = records.resolve_people([PersonSpec(name)])
        run = records.start_run(collection.arn, "killed")
        records.intend(
            run, collection.arn, [Intent(person.id, Photo(prepared.sha256, str(path)), on_multiple)]
        )
    if taken:
        external_id = external_image_id(person.id, prepared.sha256)
        fs._gateway.index_faces("staff", prepared.data, external_id, max_faces=taken)
    return person


def held(fs):
    return [face for page in fs._gateway.pages_of_faces("staff") for face in page]


def agree(fs):
    """Whether the records know the collection's faces, these and no others."""
    with fs._database.read() as records:
        known = [face.face.face_id for face in records.iter_faces(fs.collection("staff").arn)]
    return sorted(known) == sorted(face.face_id for face in held(fs))


def states(fs):
    return {photo.path: photo for run in fs.runs() for photo in list(fs.run_photos(run))}


def indexed(fs):
    return fs._gateway.meter.take().get("IndexFaces", 0)


def test_a_face_that_the_service_took_is_settled_by_one_more_call_and_stored_once(fs, people):
    first, *_ = photos_of(people)
    killed(fs, first, first.parent.name, taken=1)
    [before] = held(fs)
    report = fs.enroll([people], "staff")
    assert (report.earlier, counts(report)) == (1, {ENROLLED: 2, ALREADY: 1})
    assert before.face_id in [face.face_id for face in held(fs)]
    assert len(held(fs)) == 3
    assert agree(fs)


def test_what_the_service_never_took_is_not_paid_for_before_somebody_asks_for_it_again(fs, people):
    first, second, _ = photos_of(people)
    killed(fs, first, first.parent.name, taken=0)
    indexed(fs)
    assert fs.enroll([second], "staff", person="Somebody").earlier == 1
    [run] = [run for run in fs.runs() if run.source != "killed"]
    assert run.counts[ENROLLED] == 1
    assert states(fs)[str(first)].status is FAILED
    assert "took nothing" in states(fs)[str(first)].reason
    assert counts(fs.enroll([], "staff", retry_failed=True)) == {ENROLLED: 1}
    assert agree(fs)


def test_a_face_whose_photo_is_gone_is_taken_over_without_a_call(fs, people):
    first, second, _ = photos_of(people)
    person = killed(fs, first, "Ada", taken=1)
    first.unlink()
    indexed(fs)
    fs.enroll([second], "staff", person="Ada")
    assert fs._gateway.meter.take().get("IndexFaces", 0) == 0, "calls are counted with their photos"
    assert fs.person(person.id).faces == {"staff": 2}
    photo = states(fs)[str(first)]
    assert (photo.status, photo.calls, photo.attempts) == (ENROLLED, 0, 0)
    assert "its file is gone" in photo.reason
    assert agree(fs)


@pytest.mark.parametrize(
    ("policy", "left"), [(OnMultiple.AUTO, 0), (OnMultiple.SKIP, 0), (OnMultiple.LARGEST, 1)]
)
def test_the_policy_of_the_run_that_died_decides_over_a_photo_of_several_people(fs, samples, policy, left):
    group = samples / "queries" / "group.jpg"
    killed(fs, group, "Group", taken=5, on_multiple=policy)
    assert len(held(fs)) > 1
    fs.enroll([], "staff", retry_failed=True)
    assert len(held(fs)) == left
    assert agree(fs)
    assert states(fs)[str(group)].status is (ENROLLED if left else PhotoStatus.SEVERAL_FACES)


def test_several_faces_of_a_photo_that_is_gone_are_decided_over_as_far_as_they_are_known(
    fs, samples, tmp_path
):
    group = tmp_path / "group.jpg"
    shutil.copy(samples / "queries" / "group.jpg", group)
    killed(fs, group, "Group", taken=5)
    group.unlink()
    fs.enroll([], "staff", retry_failed=True)
    assert held(fs) == []
    assert states(fs)[str(group)].status is PhotoStatus.SEVERAL_FACES


def test_a_photo_that_is_held_and_cannot_be_sent_now_stays_open(fs, people, monkeypatch):
    first, *_ = photos_of(people)
    killed(fs, first, "Ada", taken=1)
    content = first.read_bytes()
    real = photos.prepare

    def changed_meanwhile(path):
        first.write_bytes(content + b"more")
        return real(path)

    monkeypatch.setattr("facesearch.photos.prepare", changed_meanwhile)
    fs.enroll([], "staff")
    assert states(fs)[str(first)].status is None
    monkeypatch.undo()
    assert fs.enroll([], "staff").earlier == 1
    assert states(fs)[str(first)].status is ENROLLED
    assert "its file is gone" in states(fs)[str(first)].reason, "there is another photo in its place"
    assert agree(fs)


def test_faces_that_were_to_be_deleted_are_deleted_and_those_of_a_person_left_to_their_erasure(fs, people):
    fs.enroll([people], "staff")
    collection = fs.collection("staff")
    superfluous, of_a_person, _ = (face.face_id for face in held(fs))
    gone = "00000000-0000-4000-8000-000000000000"
    with fs._database.begin() as records:
        changes = [Change("DeleteFaces", superfluous), Change("DeleteFaces", gone)]
        records.intend_changes(
            collection.arn, [*changes, Change("DeleteFaces", of_a_person, person_id="p" * 32)]
        )
    fs.enroll([people], "staff")
    assert {of_a_person, superfluous} & {face.face_id for face in held(fs)} == {of_a_person}
    with fs._database.read() as records:
        [left] = records.open_changes(collection.arn)
    assert (left.face_id, left.state) == (of_a_person, ChangeState.INTENT)
    assert agree(fs)


def test_an_interrupted_run_says_so_and_which_photos_it_did_not_send(fs, samples):
    done = []

    def stop_after_two(outcome):
        done.append(outcome)
        if len(done) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fs.enroll([samples / "people"], "staff", on_photo=stop_after_two)
    run = fs.run("last")
    assert run.outcome == "interrupted"
    assert run.source == str(samples / "people")
    stand = [photo.status for photo in fs.run_photos(run)]
    assert None not in stand
    assert stand.count(ENROLLED) == len(held(fs))
    assert {photo.reason for photo in fs.run_photos(run) if photo.status is FAILED} == {
        "it was not sent: the run ended before its turn"
    }
    number = len(photos_of(samples / "people"))
    report = fs.enroll([samples / "people"], "staff")
    assert (report.earlier, report.total, len(held(fs))) == (0, number, number)
    assert agree(fs)


def test_an_interrupted_run_leaves_no_face_of_a_photo_that_was_left_out(fs, half_size):
    def stop(outcome):
        assert outcome.status is PhotoStatus.SEVERAL_FACES
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fs.enroll([half_size / "group.jpg"], "staff", person="Ada", on_photo=stop)
    assert held(fs) == []
    assert agree(fs)


def test_a_run_that_the_budget_stops_says_so(fs, samples):
    with pytest.raises(BudgetError):
        fs.enroll([samples / "people"], "staff", max_cost=0.003)
    run = fs.run("last")
    assert run.outcome == "stopped"
    assert "over its limit" in run.reason
    assert 1 <= run.counts[ENROLLED] <= 3
    number = len(photos_of(samples / "people"))
    assert fs.enroll([samples / "people"], "staff").total == len(held(fs)) == number
    assert agree(fs)


def test_a_file_that_could_not_be_read_is_tried_again_until_it_can(fs, people):
    first, *_ = photos_of(people)
    content = first.read_bytes()
    first.write_bytes(b"")
    (people / "loose.jpg").write_bytes(content)
    assert counts(fs.enroll([people], "staff")) == {ENROLLED: 2, PhotoStatus.UNREADABLE: 1, FAILED: 1}
    stand = {photo.path: photo for photo in fs.run_photos(fs.run("last"))}
    assert (stand[str(first)].status, stand[str(first)].reason) == (
        PhotoStatus.UNREADABLE,
        "the file is empty",
    )
    assert stand[str(people / "loose.jpg")].person is None
    assert counts(fs.enroll([], "staff", retry_failed=True)) == {PhotoStatus.UNREADABLE: 1}
    first.write_bytes(content)
    assert counts(fs.enroll([], "staff", retry_failed=True)) == {ENROLLED: 1}
    assert counts(fs.enroll([], "staff", retry_failed=True)) == {}
    assert agree(fs)


def test_a_photo_whose_answers_were_all_lost_stays_open_until_the_next_run_finds_its_face(
    fs, people, monkeypatch
):
    real = fs._gateway.index_faces

    def lost(*arguments, **options):
        real(*arguments, **options)
        error = ServiceUnavailableError("no answer")
        error.attempts = 5
        raise error

    first, *_ = photos_of(people)
    monkeypatch.setattr(fs._gateway, "index_faces", lost)
    assert counts(fs.enroll([first], "staff", person="Ada")) == {FAILED: 1}
    stand = states(fs)[str(first)]
    assert (stand.status, stand.reason, stand.attempts, stand.calls) == (None, "no answer", 5, 0)
    monkeypatch.undo()
    report = fs.enroll([people], "staff")
    assert (report.earlier, counts(report)) == (1, {ENROLLED: 3})
    assert len(held(fs)) == 4
    assert agree(fs)
