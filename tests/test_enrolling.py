"""The main job through FaceSearch, on the embedded engine with real recognition, on the drawn people."""

import shutil
import signal
import unicodedata
from collections import Counter

import pytest
from PIL import Image

from facesearch import FaceSearch
from facesearch.domain import PhotoStatus, SearchStatus
from facesearch.errors import CollectionNotFoundError, NoFaceError, ServiceUnavailableError, UsageError

ENROLLED, ALREADY = PhotoStatus.ENROLLED, PhotoStatus.ALREADY


@pytest.fixture
def fs():
    with FaceSearch.open() as fs:
        yield fs


@pytest.fixture
def people(samples, tmp_path):
    """Two of the drawn people, one photo each: enough where the number does not matter."""
    for folder in sorted((samples / "people").iterdir())[:2]:
        (tmp_path / "people" / folder.name).mkdir(parents=True)
        photo = sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png"))[0]
        shutil.copy(photo, tmp_path / "people" / folder.name / photo.name)
    return tmp_path / "people"


def counts(report):
    return {status: count for status, count in report.counts.items() if count}


def photos_of(folder):
    return sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".png"))


def test_every_sample_photo_is_enrolled_once_however_often_it_is_asked(fs, samples):
    number = len(photos_of(samples / "people"))
    first = fs.enroll([samples / "people"], "staff")
    assert (counts(first), first.total, first.problems) == ({ENROLLED: number}, number, ())
    second = fs.enroll([samples / "people"], "staff")
    assert counts(second) == {ALREADY: number}
    assert second.run != first.run
    assert fs.collection("staff").face_count == number
    assert sum(person.faces["staff"] for person in fs.people("staff")) == number


def test_the_collection_holds_no_name_and_the_records_join_it_back(fs, people):
    fs.enroll([people], "staff")
    faces = list(fs.faces("staff"))
    assert {face.enrolled.person.name for face in faces} == {folder.name for folder in people.iterdir()}
    for face in faces:
        person, photo = face.enrolled.person, face.enrolled.photo
        assert face.face.external_image_id == f"{person.id}:{photo.sha256[:32]}"


def test_every_file_ends_in_one_state_with_a_reason(fs, people, samples):
    anna = next(people.iterdir())
    photo = photos_of(anna)[0]
    (anna / "cut.jpg").write_bytes(photo.read_bytes()[:2000])
    (anna / "notes.txt").write_text("not a photo")
    (anna / "empty.png").write_bytes(b"")
    Image.new("RGB", (300, 200), "teal").save(anna / "wall.png")
    Image.new("RGB", (60, 60), "teal").save(anna / "tiny.png")
    shutil.copy(photo, anna / "copy of the first.jpg")
    (people / "loose.jpg").write_bytes(photo.read_bytes())
    seen = []
    report = fs.enroll([people], "staff", on_photo=seen.append)
    assert counts(report) == {
        ENROLLED: 2,
        ALREADY: 1,
        PhotoStatus.NO_FACE: 1,
        PhotoStatus.UNREADABLE: 4,
        PhotoStatus.FAILED: 1,
    }
    assert Counter(outcome.status for outcome in seen) == counts(report)
    assert len(report.problems) == 6
    assert all(problem.reason for problem in report.problems)


def group_photo(samples, tmp_path, widths):
    """Portraits side by side, scaled to the given widths."""
    portraits = [photos_of(folder)[0] for folder in sorted((samples / "people").iterdir())[: len(widths)]]
    pictures = []
    for path, width in zip(portraits, widths, strict=True):
        with Image.open(path) as photo:
            pictures.append(photo.convert("RGB").resize((width, width * photo.height // photo.width)))
    group = Image.new("RGB", (sum(widths), max(picture.height for picture in pictures)), "gray")
    left = 0
    for picture in pictures:
        group.paste(picture, (left, 0))
        left += picture.width
    folder = tmp_path / "group" / "Eve"
    folder.mkdir(parents=True, exist_ok=True)
    group.save(folder / f"{'-'.join(map(str, widths))}.jpg", quality=92)
    return tmp_path / "group"


def test_the_clear_subject_of_a_photo_is_enrolled_and_the_bystander_is_not(fs, samples, tmp_path):
    report = fs.enroll([group_photo(samples, tmp_path, [300, 700])], "staff")
    assert counts(report) == {ENROLLED: 1}
    (listed,) = fs.faces("staff")
    assert listed.face.box.left > 0.3


def test_a_photo_of_several_people_is_left_out_unless_told_otherwise(fs, samples, tmp_path):
    folder = group_photo(samples, tmp_path, [500, 430])
    assert counts(fs.enroll([folder], "staff")) == {PhotoStatus.SEVERAL_FACES: 1}
    assert counts(fs.enroll([folder], "staff")) == {PhotoStatus.SEVERAL_FACES: 1}
    assert list(fs.faces("staff")) == []
    assert counts(fs.enroll([folder], "staff", on_multiple="skip")) == {PhotoStatus.SEVERAL_FACES: 1}
    assert counts(fs.enroll([folder], "staff", on_multiple="largest")) == {ENROLLED: 1}
    (listed,) = fs.faces("staff")
    assert listed.face.box.left < 0.5
    assert counts(fs.enroll([folder], "staff", on_multiple="skip")) == {ALREADY: 1}


def test_one_photo_of_two_people_records_is_a_face_of_each(fs, people):
    photo = photos_of(people)[0]
    fs.enroll([photo], "staff", person="Ann")
    fs.enroll([photo], "staff", person="Ben")
    (found,) = fs.search([photo], "staff")
    assert {match.person.name for match in found.faces[0].matches} == {"Ann", "Ben"}


def test_an_interrupted_enrolment_keeps_what_was_done_and_continues(fs, samples):
    number = len(photos_of(samples / "people"))
    done = []

    def stop_after_three(outcome):
        done.append(outcome)
        if len(done) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fs.enroll([samples / "people"], "staff", on_photo=stop_after_three)
    report = fs.enroll([samples / "people"], "staff")
    assert report.total == number
    assert report.counts[ALREADY] >= 3
    assert fs.collection("staff").face_count == number == len(list(fs.faces("staff")))


def test_ctrl_c_is_heard_while_photos_that_are_enrolled_already_go_by(fs, people, monkeypatch):
    fs.enroll([people], "staff")
    plan = fs.plan

    def interrupted(*arguments, **more):
        photos = plan(*arguments, **more)
        yield next(photos)
        signal.raise_signal(signal.SIGINT)
        yield from photos
        pytest.fail("all of them were gone through")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(fs, "plan", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            fs.enroll([people], "staff")
    finally:
        signal.signal(signal.SIGINT, before)
    assert fs.run("last").outcome == "interrupted"


def test_a_service_that_is_down_ends_the_run_and_not_photo_after_photo(people, home):
    with (
        FaceSearch.open(engine="http://127.0.0.1:9", max_attempts=1) as fs,
        pytest.raises(ServiceUnavailableError),
    ):
        fs.enroll([people], "staff")


def test_photos_find_their_people_and_strangers_find_nobody(fs, samples):
    import json

    labels = json.loads((samples / "labels.json").read_text(encoding="utf-8"))
    fs.enroll([samples / "people"], "staff")
    queries = labels["queries"]
    answers = fs.search([samples / query["photo"] for query in queries], "staff")
    for query, answer in zip(queries, answers, strict=True):
        assert answer.path.endswith(query["photo"])
        if query["kind"] == "empty":
            assert answer.status is SearchStatus.NO_FACE
        elif query["kind"] == "stranger":
            assert (answer.status, answer.faces[0].matches) == (SearchStatus.UNMATCHED, ())
        else:
            folder = samples / "people" / query["faces"][0]["person"]
            (match,) = answer.faces[0].matches
            assert match.photo.path.startswith(str(folder))


def test_answers_come_in_the_photos_order_with_the_unreadable_among_them(fs, people, tmp_path):
    fs.enroll([people], "staff")
    (tmp_path / "bad.jpg").write_bytes(b"bad")
    photos = photos_of(people) * 3
    asked = [photos[0], tmp_path / "bad.jpg", *photos, tmp_path / "missing.jpg"]
    answers = list(fs.search(asked, "staff", jobs=2))
    assert [answer.path for answer in answers] == [str(path) for path in asked]
    assert [answer.status for answer in answers][:2] == [SearchStatus.MATCHED, SearchStatus.UNREADABLE]
    assert answers[-1].status is SearchStatus.UNREADABLE


def test_a_person_is_answered_once_with_the_photo_that_matched_best(fs, samples):
    fs.enroll([samples / "people"], "staff")
    folder = sorted((samples / "people").iterdir())[0]
    wanted = photos_of(folder)[1]
    (answer,) = fs.search([wanted], "staff", threshold=1)
    people = [match.person.id for match in answer.faces[0].matches]
    assert len(people) == len(set(people))
    best = answer.faces[0].matches[0]
    assert best.photo.path == str(wanted)
    assert best.similarity == pytest.approx(100, abs=0.01)
    (short,) = fs.search([wanted], "staff", threshold=1, max_matches=1)
    assert short.faces[0].matches == (best,)


def test_a_face_that_the_records_do_not_know_is_answered_as_unknown(fs, people):
    fs.enroll([people], "staff")
    with FaceSearch.open(database_url=f"sqlite:///{people / 'other.db'}") as other:
        (answer,) = other.search(photos_of(people)[:1], "staff")
        (match,) = answer.faces[0].matches
        assert (match.person, match.photo) == (None, None)
        assert match.external_image_id
        assert [listed.enrolled for listed in other.faces("staff")] == [None, None]


def test_searching_a_collection_that_is_not_there_says_so_at_once(fs, people):
    with pytest.raises(CollectionNotFoundError, match="nowhere"):
        fs.search(photos_of(people), "nowhere")


def test_a_person_leaves_the_collection_and_then_the_records(fs, people):
    fs.enroll([people], "staff")
    fs.enroll([people], "guests")
    first, second = (folder.name for folder in sorted(people.iterdir()))
    erasure = fs.erase_person(first)
    assert [len(one.faces) for one in erasure.collections] == [1, 1]
    assert (erasure.records.faces, erasure.records.people) == (2, 1)
    assert [summary.person.name for summary in fs.people()] == [second]
    assert [face.enrolled.person.name for face in fs.faces("staff")] == [second]
    with pytest.raises(UsageError, match="nobody"):
        fs.person(first)


def test_a_collection_made_anew_behind_our_back_is_enrolled_again(fs, people):
    fs.enroll([people], "staff")
    fs._gateway.delete_collection("staff")
    import time

    time.sleep(1.1)  # a collection is told from its successor by the second it was made in
    fs._gateway.create_collection("staff")
    assert counts(fs.enroll([people], "staff")) == {ENROLLED: 2}
    assert fs.collection("staff").face_count == 2


def test_a_deleted_face_can_be_enrolled_again(fs, people):
    fs.enroll([people], "staff")
    face_id = next(fs.faces("staff")).face.face_id
    unknown = "00000000-0000-4000-8000-000000000000"
    deletion = fs.delete_faces("staff", [face_id, unknown])
    assert deletion.faces_in_collections == {"staff": 1}
    assert deletion.face_records == 1
    assert deletion.refused == {unknown: ("FACE_NOT_FOUND",)}
    assert counts(fs.enroll([people], "staff")) == {ENROLLED: 1, ALREADY: 1}


def test_a_deleted_collection_takes_its_face_records_along_and_leaves_the_people(fs, people):
    fs.enroll([people], "staff")
    deletion = fs.delete_collection("staff")
    assert (deletion.faces_in_collections, deletion.face_records) == ({"staff": 2}, 2)
    assert [summary.faces for summary in fs.people()] == [{}, {}]
    assert list(fs.collections()) == []


def test_people_are_found_by_key_name_or_id_and_changed(fs, people):
    fs.enroll([people], "staff")
    name = sorted(people.iterdir())[1].name
    person = fs.person(name).person
    changed = fs.edit_person(name, key="E-17", attributes={"team": "ops"}, notes="met in May")
    assert (changed.id, changed.key, changed.attributes["team"]) == (person.id, "E-17", "ops")
    assert fs.person("E-17") == fs.person(person.id)
    decomposed = unicodedata.normalize("NFD", "Zoë Ærø")
    assert fs.edit_person("E-17", name=decomposed).name == "Zoë Ærø"
    assert fs.person(decomposed).person.id == person.id
    assert [face.enrolled.person.key for face in fs.faces("staff", person="E-17")] == ["E-17"]


def test_a_search_is_drawn_into_a_folder_and_never_over_a_photo(fs, people, tmp_path):
    fs.enroll([people], "staff")
    photo = photos_of(people)[0]
    twin = tmp_path / photo.name
    shutil.copy(photo, twin)
    here, there = fs.search([photo, twin], "staff")
    out = tmp_path / "out"
    assert [fs.draw(answer, out).name for answer in (here, there, here)] == [
        f"{photo.stem}.faces.jpg",
        f"{photo.stem}-2.faces.jpg",
        f"{photo.stem}.faces.jpg",
    ]
    with Image.open(out / f"{photo.stem}.faces.jpg") as drawn, Image.open(photo) as original:
        assert drawn.size == original.size
    before = photo.read_bytes()
    fs.draw(here, photo.parent)
    assert photo.read_bytes() == before


def test_faces_are_detected_and_compared_without_a_collection(fs, people):
    first, second = photos_of(people)
    (face,) = fs.detect(first)
    assert face.confidence > 90
    same = fs.compare(first, first)
    assert same.matches[0].similarity == pytest.approx(100, abs=0.01)
    other = fs.compare(first, second)
    assert (other.matches, len(other.unmatched)) == ((), 1)


def test_a_closer_look_finds_the_faces_that_a_fast_one_passes_over(samples, tmp_path):
    scene = Image.new("RGB", (1920, 1080), "gray")
    with Image.open(photos_of(samples / "people")[0]) as photo:
        scene.paste(photo.convert("RGB").resize((120, 120 * photo.height // photo.width)), (900, 400))
    scene.save(tmp_path / "scene.png")
    found = {}
    for detail in ("fast", "high"):
        with FaceSearch.open(detail=detail) as fs:
            found[detail] = len(fs.detect(tmp_path / "scene.png"))
    assert found == {"fast": 0, "high": 1}


def test_a_comparison_names_the_photo_that_shows_no_face(fs, people, tmp_path):
    photo, wall = photos_of(people)[0], tmp_path / "wall.png"
    Image.new("RGB", (200, 200), "teal").save(wall)
    for pair in ((photo, wall), (wall, photo)):
        with pytest.raises(NoFaceError, match=r"wall\.png: it shows no face"):
            fs.compare(*pair)
