"""Records rebuilt from a collection alone: one of ours whose database was lost, and one of another program."""

import shutil
from collections import Counter

import pytest

from facesearch import FaceSearch
from facesearch.domain import PersonSpec, Photo, PhotoStatus

FACES = 20_000
PEOPLE = 2_000


@pytest.fixture(scope="session")
def foreign_store(tmp_path_factory, fill):
    """20,000 faces of 2,000 labels, as a program with plain boto3 leaves them: no record says anything of them."""
    path = tmp_path_factory.mktemp("foreign") / "engine.db"
    fill(path, "theirs", [f"person_{number % PEOPLE:04}" for number in range(FACES)])
    return path


def test_twenty_thousand_faces_of_another_program_are_adopted_and_named(foreign_store, home, url, samples):
    shutil.copyfile(foreign_store, home / "engine.db")
    photo = sorted((samples / "people").rglob("*.jpg"))[0]
    with FaceSearch.open(database_url=url) as fs:
        fs._gateway.index_faces("theirs", photo.read_bytes(), "john_smith", max_faces=1)
        looked_at = []
        plan = fs.reconcile("theirs", unknown="adopt", on_faces=looked_at.append)
        assert sum(looked_at) == plan.faces_there
        assert [(tally.drift.value, tally.count) for tally in plan.findings] == [("foreign", FACES + 1)]
        repaired = fs.repair(plan, unknown="adopt")
        assert repaired.after.count == 0
        people = {one.person.name: one.faces["theirs"] for one in fs.people("theirs")}
        assert len(people) == PEOPLE + 1 and Counter(people.values()) == {FACES // PEOPLE: PEOPLE, 1: 1}
        [found] = fs.search([photo], "theirs")
        assert [match.person.name for match in found.faces[0].matches] == ["john_smith"]
        [status] = fs.status()
        assert not status.drifted and status.here.people == PEOPLE + 1


def test_a_lost_database_comes_back_and_the_photos_give_the_people_their_names(home, url, samples, tmp_path):
    folders = sorted((samples / "people").iterdir())[:2]
    for folder in folders:
        shutil.copytree(folder, tmp_path / "people" / folder.name)
    with FaceSearch.open() as fs:
        enrolled = fs.enroll([tmp_path / "people"], "staff").counts[PhotoStatus.ENROLLED]
        before = {one.face.face_id: one.enrolled.person for one in fs.faces("staff")}
    with FaceSearch.open(database_url=url) as fs:  # other records, which know nothing
        fs.repair(fs.reconcile("staff", unknown="adopt"), unknown="adopt")
        adopted = {one.face.face_id: one.enrolled.person for one in fs.faces("staff")}
        assert {id_: one.id for id_, one in adopted.items()} == {id_: one.id for id_, one in before.items()}
        assert all(one.name == f"person {one.id[:8]}" for one in adopted.values())
        fs._gateway.meter.take()
        again = fs.enroll([tmp_path / "people"], "staff")
        assert again.counts[PhotoStatus.ALREADY] == again.total == enrolled
        assert not fs._gateway.meter.take().get("IndexFaces")
        after = {one.face.face_id: one.enrolled for one in fs.faces("staff")}
        assert {id_: one.person.name for id_, one in after.items()} == {
            id_: one.name for id_, one in before.items()
        }
        assert all(one.photo.path and len(one.photo.sha256) == 64 for one in after.values())
        assert fs.reconcile("staff", files=True).count == 0


def test_faces_without_a_label_are_somebody_each_and_faces_of_a_user_are_one(staff):
    client = staff.fs._gateway._client
    client.create_user(CollectionId="staff", UserId="john")
    unlabelled = [staff.face(None), staff.face(None)]
    of_john = staff.face("a.jpg")
    client.associate_faces(CollectionId="staff", UserId="john", FaceIds=[of_john])
    alike = [staff.face("b.jpg"), staff.face("b.jpg")]
    staff.repaired(unknown="adopt")
    names = staff.names()
    assert names[of_john] == "john"
    assert [names[id_] for id_ in alike] == ["b.jpg", "b.jpg"]
    assert [names[id_] for id_ in unlabelled] == [f"face {id_[:8]}" for id_ in unlabelled]
    ids = {one.enrolled.person.id for one in staff.fs.faces("staff")}
    for face_id in names:
        staff.forget(face_id)
    staff.repaired(unknown="adopt")
    assert {one.enrolled.person.id for one in staff.fs.faces("staff")} == ids
    assert staff.names() == names


@pytest.mark.parametrize("whole_known", [False, True])
def test_a_photo_known_by_its_first_digits_is_recognised_as_the_whole(staff, whole_known):
    ben, (path, sha256) = staff.person("Ben"), staff.write("ben.jpg")
    face_id = staff.face(f"{ben.id}:{sha256[:32]}")
    staff.repaired()
    with staff.fs._database.begin() as records:
        if whole_known:  # as an import from elsewhere may have it
            from facesearch.records.tables import PHOTOS

            elsewhere = {"sha256": sha256, "path": "/elsewhere/ben.jpg"}
            records._connection.execute(PHOTOS.insert(), elsewhere)
        assert records.journal(staff.arn, [(ben.id, sha256)]) == {}
        records.recognise_photos([Photo(sha256, path)])
        entry = records.journal(staff.arn, [(ben.id, sha256)])[ben.id, sha256]
        assert (entry.status, entry.face_id) == (PhotoStatus.ENROLLED, face_id)
        records.recognise_photos([Photo(sha256, path)])
    assert staff.found() == {}
    assert len({one.enrolled.photo.sha256 for one in staff.fs.faces("staff")}) == 1


def lost(staff, person_id, *files):
    for file in files:
        staff.face(f"{person_id}:{staff.write(file)[1][:32]}")
    staff.repaired(unknown="adopt")


def named(staff, *shown):
    said = [(staff.write(file)[1], PersonSpec(name)) for file, name in shown]
    with staff.fs._database.begin() as records:
        records.recognise_photos([Photo(sha256, "seen.jpg") for sha256, _ in said])
        records.name_lost_people(staff.arn, said)
    return sorted(set(staff.names().values()))


ONE, TWO = "1" * 32, "2" * 32


def test_a_lost_person_is_named_by_their_photo(staff):
    lost(staff, ONE, "1.jpg", "2.jpg")
    assert named(staff, ("1.jpg", "Ann"), ("2.jpg", "Ann")) == ["Ann"]
    assert named(staff, ("1.jpg", "Bea")) == ["Ann"]


def test_a_photo_of_two_lost_people_names_neither(staff):
    lost(staff, ONE, "both.jpg")
    lost(staff, TWO, "both.jpg")
    assert named(staff, ("both.jpg", "Ann")) == ["person 11111111", "person 22222222"]


def test_two_names_for_one_lost_person_are_none(staff):
    lost(staff, ONE, "1.jpg", "2.jpg")
    assert named(staff, ("1.jpg", "Ann"), ("2.jpg", "Bea")) == ["person 11111111"]


def test_one_name_for_two_lost_people_is_none_and_so_is_one_that_somebody_has(staff):
    lost(staff, ONE, "1.jpg")
    lost(staff, TWO, "2.jpg")
    assert named(staff, ("1.jpg", "Ann"), ("2.jpg", "Ann")) == ["person 11111111", "person 22222222"]
    staff.person("Bea")
    assert named(staff, ("1.jpg", "Bea")) == ["person 11111111", "person 22222222"]
