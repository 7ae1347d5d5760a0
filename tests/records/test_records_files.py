import hashlib
from dataclasses import replace

from facesearch.domain import JournalEntry, OnMultiple, PersonSpec, PhotoStatus
from facesearch.domain.files import FileState, KnownFile
from facesearch.records.unit import CHUNK


def known(
    name, *, size=10, modified_ns=1_700_000_000_123_456_789, inode="65026:18446744073709551615", held="a"
):
    id_ = hashlib.sha256(name.encode()).hexdigest()
    return KnownFile(id_, FileState(size, modified_ns, inode), hashlib.sha256(held.encode()).hexdigest())


def test_what_files_held_is_given_back_by_their_ids(database):
    files = [known(f"{number}.jpg", held=str(number)) for number in range(CHUNK + 5)]
    with database.begin() as records:
        records.remember_files(files)
    with database.read() as records:
        found = records.known_files([*(one.id for one in files), known("never seen").id])
    assert found == {one.id: one for one in files}


def test_what_a_file_holds_now_replaces_what_it_held(database):
    before, after = known("a.jpg"), known("a.jpg", size=2**40, modified_ns=5, inode="1:2", held="b")
    with database.begin() as records:
        records.remember_files([before])
        records.remember_files([after])
        assert records.known_files([before.id]) == {after.id: after}


def test_no_files_are_remembered_without_a_statement(database):
    with database.begin() as records:
        records.remember_files([])
        assert records.known_files([]) == {}


def test_files_are_told_with_where_their_photos_stand_in_one_collection(database, staff, enrol, making):
    guests = making.collection("guests")
    with database.begin() as records:
        records.remember_collection(guests)
        [ben] = records.resolve_people([PersonSpec("Ben")])
        run = records.start_run(staff.arn)
        records.intend(run, staff.arn, [making.intent(ben, "a.jpg"), making.intent(ben, "b.jpg")])
        records.settle(staff.arn, [making.settled(ben, "a.jpg", PhotoStatus.NO_FACE, "it shows no face")])
        files = [known(f"/one/{name}", held=name) for name in ("a.jpg", "b.jpg", "c.jpg", "elsewhere.jpg")]
        records.remember_files([*files, copy := known("/two/a.jpg", size=11, held="a.jpg")])
    anna = enrol(staff, "Anna", "a.jpg")
    enrol(guests, "Anna", "c.jpg")
    a, b, *_ = files
    no_face = JournalEntry(
        PhotoStatus.NO_FACE, "it shows no face", OnMultiple.AUTO, path=making.path("a.jpg")
    )
    enrolled = JournalEntry(
        PhotoStatus.ENROLLED,
        None,
        OnMultiple.AUTO,
        making.face_id("a.jpg", staff),
        path=making.path("a.jpg"),
    )
    with database.read() as records:
        assert records.journal_of_files(staff.arn, []) == {}
        assert records.journal_of_files(staff.arn, [one.id for one in (*files, copy, known("never"))]) == {
            (a.id, anna.id): (a.state, enrolled),
            (a.id, ben.id): (a.state, no_face),
            (b.id, ben.id): (b.state, JournalEntry(None, None, OnMultiple.AUTO, path=making.path("b.jpg"))),
            (copy.id, anna.id): (copy.state, enrolled),
            (copy.id, ben.id): (copy.state, no_face),
        }


def test_of_two_faces_of_a_photo_the_newest_is_told(database, staff, enrol, making):
    anna = enrol(staff, "Anna", "a.jpg")
    first = making.enrolled(anna, "a.jpg", staff)
    newer = replace(first.record, face=replace(first.record.face, face_id="0" * 36))  # of the smaller id
    file = known("/one/a.jpg", held="a.jpg")
    with database.begin() as records:
        records.remember_files([file])
        records.settle(staff.arn, [replace(first, record=newer)])
    with database.read() as records:
        [(_, by_file)] = records.journal_of_files(staff.arn, [file.id]).values()
        by_photo = records.journal_of_photos(staff.arn, [file.sha256])[file.sha256][anna.id]
    assert by_file.face_id == by_photo.face_id == "0" * 36
