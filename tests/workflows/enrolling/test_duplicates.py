"""Photos that are enrolled already: as another file, as another person, or in almost the same picture."""

import shutil

import pytest
from PIL import Image

from facesearch import FaceSearch
from facesearch.domain import (
    Box,
    Call,
    Duplicate,
    Face,
    FaceDetail,
    FaceRecord,
    Person,
    PersonSpec,
    Photo,
    PhotoStatus,
    Settlement,
)
from facesearch.workflows.enrolling import looks
from facesearch.workflows.enrolling.looks import ALIKE, Looks
from facesearch.workflows.enrolling.work import Work

ENROLLED, ALREADY, CONFLICT = PhotoStatus.ENROLLED, PhotoStatus.ALREADY, PhotoStatus.CONFLICT


@pytest.fixture
def fs():
    with FaceSearch.open() as fs:
        yield fs


@pytest.fixture
def portraits(samples):
    """Two photos of one of the drawn people."""
    folder = sorted((samples / "people").iterdir())[0]
    return sorted(path for path in folder.iterdir() if path.suffix == ".jpg")[:2]


@pytest.fixture
def people(tmp_path):
    return tmp_path / "people"


def put(photo, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(photo, path)
    return path


def counts(report):
    return {status: count for status, count in report.counts.items() if count}


@pytest.fixture
def sent(fs, monkeypatch):
    """The photos that IndexFaces was called for."""
    made = []
    real = fs._gateway.index_faces
    monkeypatch.setattr(fs._gateway, "index_faces", lambda *a, **k: (made.append(a[2]), real(*a, **k))[1])
    return made


def test_another_file_with_the_same_content_is_told_each_time_and_never_sent(fs, people, portraits, sent):
    first = put(portraits[0], people / "Ann" / "1.jpg")
    copy = put(portraits[0], people / "Ann" / "2.jpg")
    outcomes = []
    report = fs.enroll([people], "staff", on_photo=outcomes.append)
    assert (report.exact_duplicates, report.near_duplicates, len(sent)) == (1, 0, 1)
    assert report.duplicates == (Duplicate(str(copy), "Ann", str(first)),)
    assert [one.reason for one in outcomes if one.status is ALREADY] == [
        f"it has the same content as {first}"
    ]
    again = fs.enroll([people], "staff")
    assert (counts(again), again.duplicates, len(sent)) == ({ALREADY: 2}, report.duplicates, 1)
    later = put(portraits[0], people.parent / "more" / "3.jpg")
    report = fs.enroll([later], "staff", person="Ann")
    assert (report.duplicates, len(sent)) == ((Duplicate(str(later), "Ann", str(first)),), 1)


def test_a_file_that_was_moved_or_has_two_paths_is_no_duplicate(fs, people, portraits):
    first = put(portraits[0], people / "Ann" / "1.jpg")
    (people / "Ann" / "hard link.jpg").hardlink_to(first)
    (people / "Ann" / "link.jpg").symlink_to(first)
    assert fs.enroll([people], "staff").duplicates == ()
    assert fs.enroll([people], "staff").duplicates == ()
    (people / "Ann" / "link.jpg").unlink()
    shutil.move(people, people.parent / "moved")
    report = fs.enroll([people.parent / "moved"], "staff")
    assert counts(report) == {ALREADY: 2} and report.duplicates == ()


def test_almost_the_same_picture_is_enrolled_and_told_with_the_one_it_resembles(fs, people, portraits):
    first = put(portraits[0], people / "Ann" / "1.jpg")
    put(portraits[1], people / "Ann" / "another.jpg")
    fs.enroll([people], "staff")
    smaller = people / "Ann" / "smaller.jpg"
    with Image.open(first) as image:
        image.resize((image.width * 2 // 3, image.height * 2 // 3)).save(smaller, quality=70)
    outcomes = []
    report = fs.enroll([people], "staff", on_photo=outcomes.append)
    assert counts(report) == {ENROLLED: 1, ALREADY: 2}
    assert (report.exact_duplicates, report.near_duplicates) == (0, 1)
    [told] = report.duplicates
    assert (told.path, told.person, told.of) == (str(smaller), "Ann", str(first))
    assert told.bits is not None and told.bits <= ALIKE
    assert [one.reason for one in outcomes if one.status is ENROLLED] == [
        f"it looks almost like {first} ({told.bits} of 64 bits differ)"
    ]


def test_pictures_that_are_alike_are_told_within_one_run_and_not_of_two_people(fs, people, portraits):
    for name in ("Ann", "Ben"):
        put(portraits[0], people / name / "1.jpg").write_bytes(portraits[0].read_bytes() + name.encode())
    put(portraits[0], people / "Ann" / "2.jpg")
    report = fs.enroll([people], "staff", jobs=2, on_conflict="enroll")
    assert counts(report) == {ENROLLED: 3}
    [told] = report.duplicates
    assert (told.person, told.bits) == ("Ann", 0)
    assert {told.path, told.of} == {str(people / "Ann" / name) for name in ("1.jpg", "2.jpg")}


@pytest.mark.parametrize("policy", ["warn", "enroll"])
def test_a_photo_of_somebody_else_is_enrolled_and_told_whatever_is_looked_at(fs, people, portraits, policy):
    for name in ("Ann", "Ben"):
        put(portraits[0], people / name / "1.jpg")
    report = fs.enroll([people], "staff", on_conflict=policy)
    assert counts(report) == {ENROLLED: 2}
    [told] = report.conflicts
    assert (told.person, told.reason) == ("Ben", "the same photo is under Ann already")
    assert report.duplicates == ()
    again = fs.enroll([people], "staff", on_conflict=policy)
    assert (again.conflicts, again.duplicates) == ((), ())


def test_a_photo_of_somebody_else_may_be_left_out_before_it_costs_a_call(fs, people, portraits, sent):
    for name in ("Ann", "Ben", "Cleo"):
        put(portraits[0], people / name / "1.jpg")
    put(portraits[0], people / "Ben" / "copy.jpg")
    report = fs.enroll([people], "staff", on_conflict="skip")
    assert counts(report) == {ENROLLED: 1, CONFLICT: 3}
    assert {one.reason for one in report.problems} == {"the same photo is under Ann already"}
    assert len(sent) == 1
    again = fs.enroll([people], "staff", on_conflict="skip")
    assert (counts(again), len(sent)) == ({ALREADY: 1, CONFLICT: 3}, 1)
    dave = put(portraits[0], people / "Dave" / "1.jpg")
    told = fs.estimate([people], "staff", on_conflict="skip")
    assert (told.files["new"], told.files["conflict"], told.calls["IndexFaces"]) == (0, 4, 0)
    dave.unlink()
    assert counts(fs.enroll([people], "staff")) == {ALREADY: 2, ENROLLED: 2}


def test_a_photo_that_shows_nobody_is_nobody_elses(fs, people):
    for name in ("Ann", "Ben"):
        (people / name).mkdir(parents=True)
        Image.new("RGB", (200, 200), "teal").save(people / name / "wall.png")
    report = fs.enroll([people], "staff", on_conflict="skip")
    assert counts(report) == {PhotoStatus.NO_FACE: 2}


# --- what is compared, without a photo ----------------------------------------------------------------------


class Records:
    """Records of photos by what they look like; they count how often they are asked."""

    def __init__(self, known=()):
        self.known = list(known)  # person id, difference hash, photo
        self.asked = 0

    def looks(self, arn, people):
        self.asked += 1
        return ((person_id, dhash) for person_id, dhash, _ in self.known if person_id in people)

    def photos_that_look(self, arn, looks):
        return (one for one in self.known if (one[0], one[1]) in looks)


def enrolled(person_id, sha256, number):
    work = Work(f"/{sha256}.jpg", PersonSpec(person_id), sha256, person=Person(person_id, person_id))
    face = Face("f", "i", Box(0, 0, 1, 1), 99.0)
    record = FaceRecord(face, FaceDetail(face.box, 99.0))
    dhash = f"{number:016x}"
    return work, Settlement(person_id, sha256, ENROLLED, record=record, call=Call("r", 1, 1), dhash=dhash)


def test_the_nearest_of_a_person_is_told_up_to_the_bar():
    far, near = (1 << ALIKE + 1) - 1, 0b11
    records = Records(
        [("ann", f"{far:016x}", Photo("a", "/far.jpg")), ("ann", f"{near:016x}", Photo("b", "/near.jpg"))]
    )
    found = Looks("arn").duplicates(records, [enrolled("ann", "c", 0)])
    assert found == {("ann", "c"): Duplicate("/c.jpg", "ann", "/near.jpg", 2)}
    records.known.pop()
    assert Looks("arn").duplicates(records, [enrolled("ann", "c", 0)]) == {}
    assert Looks("arn").duplicates(records, [enrolled("ben", "c", far)]) == {}


def test_the_records_are_asked_once_for_a_person_however_many_photos_follow():
    records, one = Records(), Looks("arn")
    for number in range(50):
        one.duplicates(records, [enrolled("ann", f"{number}", number), enrolled("ben", f"b{number}", number)])
    assert records.asked == 1


def test_what_is_held_does_not_grow_with_people_or_photos(monkeypatch):
    monkeypatch.setattr(looks, "HELD", 40)
    monkeypatch.setattr(looks, "MOST", 8)
    records, one = Records(), Looks("arn")
    for number in range(300):
        one.duplicates(records, [enrolled("ann", f"a{number}", number << 32)])
        one.duplicates(records, [enrolled(f"p{number}", f"b{number}", number)])
    held = [len(some) for some in one._of.values()]
    assert sum(held) == one._held <= 40 and max(held) <= 8
    assert "ann" in one._of  # whoever was met last stays


def test_a_photo_is_not_alike_to_itself_nor_to_one_that_is_gone():
    records = Records([("ann", f"{0:016x}", Photo("a", "/a.jpg"))])
    one = Looks("arn")
    assert one.duplicates(records, [enrolled("ann", "a", 0)]) == {}
    records.known.clear()
    assert one.duplicates(records, [enrolled("ann", "b", 0)]) == {}
