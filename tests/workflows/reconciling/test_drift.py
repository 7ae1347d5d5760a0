"""Each kind of drift: planted, found, explained and repaired, after which nothing is found."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from facesearch.domain import Change, OnMultiple, PhotoStatus
from facesearch.domain.adoption import Adoption
from facesearch.domain.erasure import ERASE_PERSON
from facesearch.domain.files import KnownFile
from facesearch.workflows.unchanged import FileIds, state_of

NOBODY = "0123456789abcdef0123456789abcdef"
PHOTO = "fedcba9876543210fedcba9876543210"


@pytest.fixture(autouse=True)
def _agreed(staff):
    """Something that is as it should be stands beside every drift, and stays."""
    kept = staff.enrolled("Anna", "anna.jpg")
    assert staff.found() == {}
    yield
    assert staff.names()[kept] == "Anna"


def test_a_face_of_ours_without_a_record_gets_one(staff):
    orphan = staff.enrolled("Ben", "ben.jpg")
    staff.forget(orphan)
    assert staff.found() == {("orphan", "record"): 1}
    assert staff.repaired(deleting=False) == ({("orphan", "record"): 1}, {})
    assert staff.names()[orphan] == "Ben"
    [listed] = staff.fs.faces("staff", "Ben")
    assert listed.enrolled.photo.path.endswith("ben.jpg")


def test_a_face_of_a_photo_that_was_not_to_be_enrolled_goes(staff):
    _, name = staff.intended("Ben", "group.jpg")
    with staff.fs._database.begin() as records:
        [photo] = records.open_photos(staff.arn)
        records.end_photos([photo.number], PhotoStatus.SEVERAL_FACES, "2 faces")
    extra = staff.face(name)
    assert staff.found() == {("orphan", "delete"): 1}
    assert staff.repaired() == ({("orphan", "delete"): 1}, {})
    assert extra not in staff.names()


def test_a_record_of_a_face_that_is_gone_goes_and_the_photo_may_be_enrolled_again(staff):
    ghost = staff.enrolled("Ben", "ben.jpg")
    staff.fs._gateway.delete_faces("staff", [ghost])
    assert staff.found() == {("ghost", "forget"): 1}
    assert staff.repaired(deleting=False) == ({("ghost", "forget"): 1}, {})
    ben = staff.person("Ben")
    _, sha256 = staff.write("ben.jpg")
    with staff.fs._database.read() as records:
        assert records.journal(staff.arn, [(ben.id, sha256)]) == {}


def test_faces_of_others_are_left_alone_unless_it_is_said_otherwise(staff):
    theirs = [staff.face("john_smith"), staff.face(None), staff.face("john_smith")]
    assert staff.found() == {("foreign", "leave"): 3}
    assert staff.repaired() == ({}, {("foreign", "leave"): 3})
    assert set(theirs) <= set(staff.names())
    assert staff.repaired(unknown="delete") == ({("foreign", "delete"): 3}, {})
    assert not set(theirs) & set(staff.names())


def test_nothing_is_deleted_without_leave(staff):
    theirs = staff.face("john_smith")
    assert staff.repaired(unknown="delete", deleting=False) == ({}, {("foreign", "delete"): 1})
    assert theirs in staff.names()


def test_a_face_of_a_person_nobody_knows_is_left_adopted_or_deleted(staff):
    lost = staff.face(f"{NOBODY}:{PHOTO}")
    assert staff.repaired() == ({}, {("unknown_person", "leave"): 1})
    assert staff.repaired(unknown="adopt") == ({("unknown_person", "adopt"): 1}, {})
    assert staff.names()[lost] == "person 01234567"


def test_a_face_of_somebody_who_was_erased_goes_and_is_never_adopted(staff):
    with staff.fs._database.begin() as records:
        records.settle_changes(records.intend_changes(staff.arn, [Change(ERASE_PERSON, person_id=NOBODY)]))
    back = staff.face(f"{NOBODY}:{PHOTO}")
    assert staff.found(unknown="adopt") == {("erased_person", "delete"): 1}
    assert staff.repaired(unknown="adopt") == ({("erased_person", "delete"): 1}, {})
    assert back not in staff.names()


def test_a_face_of_somebody_who_is_being_erased_is_not_put_on_record_again(staff):
    orphan = staff.enrolled("Ben", "ben.jpg")
    staff.forget(orphan)
    ben = staff.person("Ben")
    with staff.fs._database.begin() as records:
        records.intend_changes(staff.arn, [Change(ERASE_PERSON, person_id=ben.id)])
    assert staff.found() == {("erased_person", "delete"): 1, ("unsettled_change", "leave"): 1}


def test_the_record_is_believed_less_than_the_external_image_id(staff):
    wrong = staff.enrolled("Ben", "ben.jpg")
    ben, carl = staff.person("Ben"), staff.person("Carl")
    _, sha256 = staff.write("ben.jpg")
    [page] = staff.fs._gateway.pages_of_faces("staff", [wrong])
    with staff.fs._database.begin() as records:
        lie = replace(page[0], external_image_id=f"{carl.id}:{sha256[:32]}")
        records.adopt_faces(staff.arn, staff.run, [Adoption(lie, carl.id, "Carl", sha256[:32])])
    assert staff.names()[wrong] == "Carl"
    assert staff.found() == {("wrong_id", "correct"): 1}
    assert staff.repaired(deleting=False) == ({("wrong_id", "correct"): 1}, {})
    assert staff.names()[wrong] == "Ben"
    with staff.fs._database.read() as records:
        assert set(records.journal(staff.arn, [(ben.id, sha256), (carl.id, sha256)])) == {(ben.id, sha256)}


@pytest.mark.parametrize("on_record", [False, True])
def test_one_more_face_of_a_photo_goes_and_the_photo_stays_enrolled(staff, on_record):
    first = staff.enrolled("Ben", "ben.jpg")
    ben, (_, sha256) = staff.person("Ben"), staff.write("ben.jpg")
    second = staff.face(f"{ben.id}:{sha256[:32]}")
    if on_record:
        [page] = staff.fs._gateway.pages_of_faces("staff", [second])
        with staff.fs._database.begin() as records:
            records.adopt_faces(staff.arn, staff.run, [Adoption(page[0], ben.id, "Ben", sha256[:32])])
    assert staff.found() == {("duplicate", "delete"): 1}
    assert staff.repaired() == ({("duplicate", "delete"): 1}, {})
    assert first in staff.names() and second not in staff.names()
    with staff.fs._database.read() as records:
        entry = records.journal(staff.arn, [(ben.id, sha256)])[ben.id, sha256]
    assert (entry.status, entry.face_id) == (PhotoStatus.ENROLLED, first)


def test_two_faces_of_one_lost_photo_become_one(staff):
    for _ in range(2):
        staff.face(f"{NOBODY}:{PHOTO}")
    assert staff.found(unknown="adopt") == {("unknown_person", "adopt"): 1, ("duplicate", "delete"): 1}
    assert staff.repaired(unknown="adopt")[1] == {}
    assert len(staff.names()) == 2


def test_one_picture_under_two_files_is_a_duplicate_and_both_stay_enrolled(staff):
    image = "11111111-1111-4111-8111-111111111111"
    ids = []
    for file in ("ben.jpg", "ben without its exif.jpg"):
        person, name = staff.intended("Ben", file)
        ids.append(staff.face(name, image_id=image))
    assert staff.repaired()[1] == {}
    assert len(set(ids) & set(staff.names())) == 1
    with staff.fs._database.read() as records:
        pairs = [(person.id, staff.write(file)[1]) for file in ("ben.jpg", "ben without its exif.jpg")]
        assert {entry.status for entry in records.journal(staff.arn, pairs).values()} == {
            PhotoStatus.ENROLLED
        }


def test_a_photo_that_was_cut_short_ends_as_the_collection_shows_it(staff):
    _, stored = staff.intended("Ben", "ben.jpg")
    staff.intended("Ben", "never sent.jpg")
    face_id = staff.face(stored)
    assert staff.found() == {("unsettled_photo", "settle"): 2}
    assert staff.repaired(deleting=False) == ({("unsettled_photo", "settle"): 2}, {})
    assert staff.names()[face_id] == "Ben"
    ben = staff.person("Ben")
    with staff.fs._database.read() as records:
        never = records.journal(staff.arn, [(ben.id, staff.write("never sent.jpg")[1])])
        taken = records.journal(staff.arn, [(ben.id, staff.write("ben.jpg")[1])])
    [never], [taken] = never.values(), taken.values()
    assert never.status is PhotoStatus.FAILED and "enrol it again" in never.reason
    assert taken.status is PhotoStatus.ENROLLED and "nobody looked who else" in taken.reason


@pytest.mark.parametrize(
    "policy, kept", [(OnMultiple.LARGEST, True), (OnMultiple.AUTO, False), (OnMultiple.SKIP, False)]
)
def test_of_several_faces_of_a_photo_cut_short_the_policy_of_its_run_decides(staff, policy, kept):
    _, name = staff.intended("Ben", "two.jpg", policy)
    image = "22222222-2222-4222-8222-222222222222"
    large = staff.face(name, image_id=image, left=0.0, width=0.4)
    small = staff.face(name, image_id=image, left=0.6, width=0.3)
    assert staff.repaired()[1] == {}
    assert (large in staff.names()) is kept
    assert small not in staff.names()


def test_a_deletion_that_was_never_confirmed_is_made(staff):
    doomed = staff.face("anything")
    with staff.fs._database.begin() as records:
        records.intend_changes(
            staff.arn,
            [
                Change("DeleteFaces", face_id=doomed),
                Change("DeleteFaces", face_id="33333333-3333-4333-8333-333333333333"),
                Change("DeleteUser", user_id="nobody"),
            ],
        )
    assert staff.found() == {("unsettled_change", "repeat"): 3}
    assert staff.repaired() == ({("unsettled_change", "repeat"): 3}, {})
    assert doomed not in staff.names()


def test_a_change_that_is_part_of_an_erasure_is_left_to_it(staff):
    with staff.fs._database.begin() as records:
        records.intend_changes(staff.arn, [Change(ERASE_PERSON, person_id=NOBODY)])
    assert staff.repaired() == ({}, {("unsettled_change", "leave"): 1})


def test_users_of_others_are_left_adopted_or_deleted(staff):
    client = staff.fs._gateway._client
    for user_id in ("john", "empty"):
        client.create_user(CollectionId="staff", UserId=user_id)
    face_id = staff.face("IMG_1.jpg")
    client.associate_faces(CollectionId="staff", UserId="john", FaceIds=[face_id])
    drift = {("foreign", "leave"): 1, ("unknown_user", "leave"): 1, ("empty_user", "leave"): 1}
    assert staff.repaired() == ({}, drift)
    assert staff.repaired(unknown="adopt")[1] == {}
    assert staff.names()[face_id] == "john"
    assert staff.found() == {}


def test_unknown_faces_of_users_leave_them_before_they_are_deleted(staff):
    client = staff.fs._gateway._client
    client.create_user(CollectionId="staff", UserId="john")
    face_id = staff.face("IMG_1.jpg")
    client.associate_faces(CollectionId="staff", UserId="john", FaceIds=[face_id])
    done, left = staff.repaired(unknown="delete")
    assert (done, left) == ({("foreign", "delete"): 1, ("unknown_user", "delete"): 1}, {})
    assert face_id not in staff.names()
    assert list(staff.fs._gateway.list_users("staff")) == []


def test_a_user_with_our_faces_is_nothing_to_find(staff):
    client = staff.fs._gateway._client
    client.create_user(CollectionId="staff", UserId="anna")
    client.associate_faces(CollectionId="staff", UserId="anna", FaceIds=list(staff.names()))
    assert staff.found() == {}


def test_what_the_service_does_not_let_go_is_left_with_its_reason(staff):
    staff.enrolled("Ben", "ben.jpg")
    ben, (_, sha256) = staff.person("Ben"), staff.write("ben.jpg")
    second = staff.face(f"{ben.id}:{sha256[:32]}")
    with staff.fs._database.begin() as records:
        records.intend_changes(staff.arn, [Change("DeleteFaces", face_id=second)])
    client = staff.fs._gateway._client
    client.create_user(CollectionId="staff", UserId="ben")
    client.associate_faces(CollectionId="staff", UserId="ben", FaceIds=[second])
    report = staff.fs.reconcile("staff")
    repaired = staff.fs.repair(report, deleting=False)
    assert "ASSOCIATED_TO_AN_EXISTING_USER" in repaired.refused[second]
    assert {tally.drift.value for tally in repaired.after.findings} == {"duplicate", "unknown_user"}


def test_files_are_looked_at_when_it_is_asked(staff):
    staff.enrolled("Ben", "missing.jpg")
    staff.enrolled("Ben", "changed.jpg")
    (staff.folder / "missing.jpg").unlink()
    (staff.folder / "changed.jpg").write_bytes(b"another picture")
    staff.repaired(unknown="adopt")
    staff.face(f"{NOBODY}:{PHOTO}")
    staff.repaired(unknown="adopt")
    assert staff.found() == {}
    drift = {("missing_file", "leave"): 1, ("changed_file", "leave"): 1, ("unseen_photo", "leave"): 1}
    assert staff.found(files=True) == drift
    assert staff.repaired(files=True) == ({}, drift)


def test_an_unchanged_file_is_not_read_again(staff):
    path, sha256 = staff.write("anna.jpg")
    with staff.fs._database.begin() as records:
        records.remember_files([KnownFile(FileIds()(path), state_of(path), sha256)])
    before = Path(path).stat()
    Path(path).write_bytes(b"Anna.jpg")  # as long, in the same inode, and of the same time: none can tell
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert staff.found(files=True) == {}
    os.utime(path)
    assert staff.found(files=True) == {("changed_file", "leave"): 1}


def test_all_at_once_is_found_and_put_right(staff):
    staff.forget(staff.enrolled("Ben", "1.jpg"))
    staff.fs._gateway.delete_faces("staff", [staff.enrolled("Ben", "2.jpg")])
    staff.enrolled("Ben", "3.jpg")
    ben, (_, sha256) = staff.person("Ben"), staff.write("3.jpg")
    staff.face(f"{ben.id}:{sha256[:32]}")
    staff.intended("Ben", "4.jpg")
    staff.face("john_smith")
    assert staff.found(unknown="adopt") == {
        ("orphan", "record"): 1,
        ("ghost", "forget"): 1,
        ("duplicate", "delete"): 1,
        ("unsettled_photo", "settle"): 1,
        ("foreign", "adopt"): 1,
    }
    assert staff.repaired(unknown="adopt")[1] == {}
    [status] = staff.fs.status("staff")
    assert not status.drifted
