"""Each person as one user of a collection: made, kept up, and put right where service and records differ."""

import pytest

from facesearch.domain import Change
from facesearch.errors import ServiceUnavailableError
from facesearch.workflows.reconciling import users

USERLESS = ("userless_face", "associate")


@pytest.fixture
def anna(staff):
    """Anna, of whom the collection staff has two faces, and one of Ben; each is a user."""
    for name, file in (("Anna", "a1.jpg"), ("Anna", "a2.jpg"), ("Ben", "b.jpg")):
        staff.enrolled(name, file)
    staff.fs.keep_users("staff")
    return staff.person("Anna")


def given(staff):
    """Whose user each face of the collection belongs to, by FaceId, as the service says."""
    return {face.face_id: face.user_id for page in staff.fs._gateway.pages_of_faces("staff") for face in page}


def faces_of(staff, name):
    return [face_id for face_id, whose in staff.names().items() if whose == name]


def open_changes(staff):
    with staff.fs._database.read() as records:
        return records.open_changes(staff.arn)


def calls(staff, operation):
    """How many were answered since an enrolment last wrote them down."""
    return staff.fs._gateway.meter.answered().get(operation, 0)


def test_everybody_becomes_a_user_with_their_faces_and_new_faces_follow(staff, anna):
    ben = staff.person("Ben")
    names = {anna.id: "Anna", ben.id: "Ben"}
    assert {face_id: names[user] for face_id, user in given(staff).items()} == staff.names()
    assert staff.fs.collection("staff").user_count == 2
    assert (calls(staff, "CreateUser"), calls(staff, "AssociateFaces")) == (2, 2)
    assert staff.found() == {}
    assert open_changes(staff) == []

    for number in range(3):
        staff.enrolled("Anna", f"more{number}.jpg")
    assert staff.found() == {USERLESS: 3}
    staff.fs.enroll([staff.folder], "staff", person="Nobody in here")  # no file of these is a photo
    assert (calls(staff, "CreateUser"), calls(staff, "AssociateFaces")) == (0, 1)
    assert [given(staff)[face_id] for face_id in faces_of(staff, "Anna")] == [anna.id] * 5
    staff.fs.keep_users("staff")
    assert calls(staff, "AssociateFaces") == 1
    assert staff.found() == {}


def test_nobody_is_a_user_where_nobody_asked_for_it(staff):
    staff.enrolled("Anna", "a.jpg")
    staff.fs.enroll([staff.folder], "staff", person="Nobody in here")
    assert calls(staff, "CreateUser") == 0
    assert staff.found() == {}


def test_of_somebody_with_more_faces_those_enrolled_first_are_the_users(staff, monkeypatch):
    monkeypatch.setattr(users, "MOST", 2)
    faces = [staff.enrolled("Anna", f"a{number}.jpg") for number in range(4)]
    kept = staff.fs.keep_users("staff")
    anna = staff.person("Anna")
    assert (kept.people, kept.faces) == (1, 2)
    assert [given(staff)[face_id] for face_id in faces] == [anna.id, anna.id, None, None]
    assert staff.found() == {}
    assert staff.fs.delete_faces("staff", [faces[0]]).faces_in_collections == {"staff": 1}
    assert staff.found() == {USERLESS: 1}
    assert staff.repaired() == ({USERLESS: 1}, {})
    assert [given(staff)[face_id] for face_id in faces[1:]] == [anna.id, anna.id, None]


def test_users_that_others_changed_are_found_and_put_right(staff, anna):
    client, ben = staff.fs._gateway._client, staff.person("Ben")
    first, second = faces_of(staff, "Anna")
    client.disassociate_faces(CollectionId="staff", UserId=anna.id, FaceIds=[first, second])
    client.associate_faces(CollectionId="staff", UserId=ben.id, FaceIds=[second], UserMatchThreshold=0)
    assert staff.found() == {USERLESS: 2}
    assert staff.repaired() == ({USERLESS: 2}, {})
    assert [given(staff)[face_id] for face_id in (first, second)] == [anna.id, anna.id]
    client.delete_user(CollectionId="staff", UserId=anna.id)
    assert staff.found() == {USERLESS: 2}
    assert staff.repaired() == ({USERLESS: 2}, {})
    assert [given(staff)[face_id] for face_id in (first, second)] == [anna.id, anna.id]


def test_a_user_of_another_program_keeps_its_face(staff, anna):
    client = staff.fs._gateway._client
    face_id = staff.enrolled("Cleo", "c.jpg")
    client.create_user(CollectionId="staff", UserId="theirs")
    client.associate_faces(CollectionId="staff", UserId="theirs", FaceIds=[face_id])
    kept = staff.fs.keep_users("staff")
    assert "another user" in kept.refused[face_id]
    left = {("userless_face", "leave"): 1}
    assert staff.found() == left
    assert staff.repaired() == ({}, left)
    assert given(staff)[face_id] == "theirs"


@pytest.mark.parametrize("done", [True, False])
def test_a_call_whose_answer_was_lost_is_settled_by_the_next_run(done, staff, anna, monkeypatch):
    face_id = staff.enrolled("Anna", "a3.jpg")
    gateway = staff.fs._gateway
    associate = gateway.associate_faces

    def lost(*arguments):
        if done:
            associate(*arguments)
        raise ServiceUnavailableError("the connection broke")

    monkeypatch.setattr(gateway, "associate_faces", lost)
    with pytest.raises(ServiceUnavailableError):
        staff.fs.keep_users("staff")
    monkeypatch.undo()
    [change] = open_changes(staff)
    assert (change.operation, change.face_id, change.user_id) == ("AssociateFaces", face_id, anna.id)
    assert staff.found()[("unsettled_change", "repeat")] == 1
    staff.fs.keep_users("staff")
    assert open_changes(staff) == []
    assert given(staff)[face_id] == anna.id
    assert staff.found() == {}


def test_a_change_left_open_is_made_by_a_repair(staff, anna):
    face_id = staff.enrolled("Anna", "a3.jpg")
    with staff.fs._database.begin() as records:
        records.intend_changes(staff.arn, [Change("AssociateFaces", face_id=face_id, user_id=anna.id)])
    _, left = staff.repaired()
    assert left == {}
    assert given(staff)[face_id] == anna.id


def test_an_erased_person_is_no_user_and_none_is_made_of_them_again(staff, anna):
    with staff.fs._database.begin() as records:
        records.intend_changes(staff.arn, [Change("CreateUser", user_id=anna.id)])
    staff.fs.erase_person(anna.id)
    assert list(staff.fs._gateway.list_users("staff")) == [staff.person("Ben").id]
    assert staff.found() == {("unsettled_change", "repeat"): 1}
    assert staff.repaired()[1] == {}
    assert list(staff.fs._gateway.list_users("staff")) == [staff.person("Ben").id]


def test_faces_leave_their_users_before_they_are_deleted_and_users_go_when_nobody_wants_them(staff, anna):
    first, second = faces_of(staff, "Anna")
    deletion = staff.fs.delete_faces("staff", [first])
    assert (deletion.faces_in_collections, deletion.refused) == ({"staff": 1}, {})
    assert staff.fs.drop_users("staff") == 2
    assert staff.fs.collection("staff").user_count == 0
    assert given(staff)[second] is None
    assert staff.found() == {}
    assert staff.fs.drop_users("staff") == 0


def test_a_collection_made_anew_has_no_users(staff, anna):
    with staff.fs._database.begin() as records:
        records.forget_collection(staff.arn)
        records.remember_collection(staff.collection)
        assert not records.keeps_users(staff.arn)
