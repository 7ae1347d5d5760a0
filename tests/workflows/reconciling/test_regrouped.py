"""People who were merged and photos that were split off: what collection and records say of them afterwards."""

import pytest

from facesearch import FaceSearch
from facesearch.domain import OnMultiple, PersonSpec, Photo, PhotoStatus
from facesearch.errors import ServiceUnavailableError, UsageError
from facesearch.workflows.reconciling import users


@pytest.fixture
def two(staff):
    """Ann with two photos, Ann B with two, Carl with one."""
    staff.faces = {file: staff.enrolled(name, file) for name, file in (
        ("Ann", "a1.jpg"), ("Ann", "a2.jpg"), ("Ann B", "b1.jpg"), ("Ann B", "b2.jpg"), ("Carl", "c.jpg"),
    )}  # fmt: skip
    return staff


def whose(staff):
    """Whose each photo is, by what the records say of its face."""
    names = staff.names()
    return {file: names.get(face_id) for file, face_id in staff.faces.items()}


def given(staff):
    """Whose user each photo's face has in the collection."""
    ids = {face.face_id: face.user_id for page in staff.fs._gateway.pages_of_faces("staff") for face in page}
    names = {one.person.id: one.person.name for one in staff.fs.people()}
    return {file: names.get(ids.get(face_id), ids.get(face_id)) for file, face_id in staff.faces.items()}


def open_changes(staff):
    with staff.fs._database.read() as records:
        return [change.operation for change in records.open_changes(staff.arn)]


MERGED = {"a1.jpg": "Ann", "a2.jpg": "Ann", "b1.jpg": "Ann", "b2.jpg": "Ann", "c.jpg": "Carl"}


def test_after_a_merge_both_sides_agree_and_everything_leads_to_the_kept_person(two):
    other = two.person("Ann B")
    done = two.fs.merge_people("Ann", "Ann B")
    assert (done.person.faces, done.moved.faces, done.moved.photos) == ({"staff": 4}, {"staff": 2}, 2)
    assert [(one.id, one.name) for one in done.merged] == [(other.id, "Ann B")]
    assert whose(two) == MERGED
    assert two.found() == {}
    for ref in ("Ann B", other.id):
        assert two.fs.person(ref).person.name == "Ann"
    assert two.person("Ann B").name == "Ann"
    assert [one.person.name for one in two.fs.people()] == ["Ann", "Carl"]
    assert [one.name for one in two.fs.formerly("Ann")] == ["Ann B"]


def test_what_the_kept_person_has_stays_and_what_they_lack_comes_from_the_others(two):
    fs = two.fs
    fs.edit_person("Ann", attributes={"team": "north", "since": 2001})
    fs.edit_person("Ann B", key="B-1", attributes={"team": "south", "desk": 4}, notes="likes tea")
    fs.edit_person("Carl", key="C-1", attributes={"since": 2001}, notes="likes coffee")
    plan = fs.plan_merge("Ann", "Ann B", "Carl")
    assert [one.person.name for one in (plan.kept, *plan.others)] == ["Ann", "Ann B", "Carl"]
    done = fs.merge_people("Ann", "Ann B", "Carl")
    kept = done.person.person
    assert (kept.key, kept.notes) == ("B-1", "likes tea")
    assert kept.attributes == {"team": "north", "since": 2001, "desk": 4}
    assert done.dropped == plan.dropped
    assert [(one.what, one.value) for one in done.dropped] == [
        ("attribute team", "south"),
        ("notes", "likes coffee"),
    ]
    assert fs.person("C-1").person.id == kept.id


def test_a_merge_follows_in_the_collections_users(two):
    two.fs.keep_users("staff")
    assert given(two)["b1.jpg"] == "Ann B"
    done = two.fs.merge_people("Ann", "Ann B")
    assert done.waiting == {}
    assert given(two) == MERGED
    assert two.fs.collection("staff").user_count == 2
    assert (two.found(), open_changes(two)) == ({}, [])


def test_of_a_merged_person_with_many_faces_as_many_are_the_users_as_it_takes(two, monkeypatch):
    monkeypatch.setattr(users, "MOST", 3)
    two.fs.keep_users("staff")
    two.fs.merge_people("Ann", "Ann B")
    assert [given(two)[file] for file in ("a1.jpg", "a2.jpg", "b1.jpg", "b2.jpg")] == ["Ann"] * 3 + [None]
    two.fs.split_person("Ann", [two.faces["a1.jpg"]], "Bea")
    assert [given(two)[file] for file in ("a1.jpg", "a2.jpg", "b1.jpg", "b2.jpg")] == ["Bea"] + ["Ann"] * 3
    assert two.found() == {}


def test_a_split_moves_photos_and_their_faces_users(two):
    two.fs.keep_users("staff")
    done = two.fs.split_person("Ann B", [two.folder / "b2.jpg"], "Bea")
    assert (done.person.person.name, done.person.faces, done.rest.faces) == (
        "Bea",
        {"staff": 1},
        {"staff": 1},
    )
    expected = {"a1.jpg": "Ann", "a2.jpg": "Ann", "b1.jpg": "Ann B", "b2.jpg": "Bea", "c.jpg": "Carl"}
    assert whose(two) == given(two) == expected
    assert (two.found(), open_changes(two)) == ({}, [])
    done = two.fs.split_person("Ann", [two.folder / "a2.jpg"], "Bea")
    assert done.person.faces == {"staff": 2}
    two.fs.split_person("Bea", [two.folder / "b2.jpg"], "Ann B")
    assert whose(two)["b2.jpg"] == given(two)["b2.jpg"] == "Ann B"
    assert two.found() == {}


def test_a_merge_is_undone_photo_by_photo_and_the_id_comes_back(two):
    other = two.person("Ann B")
    two.fs.keep_users("staff")
    two.fs.merge_people("Ann", "Ann B")
    done = two.fs.split_person("Ann", [two.folder / "b1.jpg", str(two.folder / "b2.jpg")], "Ann B")
    assert done.person.person.id == other.id
    assert given(two) == whose(two)
    assert whose(two)["b1.jpg"] == whose(two)["b2.jpg"] == "Ann B"
    assert two.fs.formerly("Ann") == []
    assert two.found() == {}


def test_a_photo_of_both_has_one_face_after_a_merge(two):
    for name in ("Ann", "Ann B"):
        two.faces[f"both of {name}"] = two.enrolled(name, "both.jpg")
    two.fs.keep_users("staff")
    done = two.fs.merge_people("Ann", "Ann B")
    assert (done.moved.doubled, done.person.faces) == (1, {"staff": 5})
    assert two.faces["both of Ann"] in two.names()
    assert two.faces["both of Ann B"] not in two.names()
    assert (two.found(), open_changes(two)) == ({}, [])


def test_chains_of_merges_lead_to_the_last(two):
    first = two.person("Ann B")
    two.fs.merge_people("Ann", "Ann B")
    two.fs.merge_people("Carl", "Ann")
    assert {one.name for one in two.fs.formerly("Carl")} == {"Ann", "Ann B"}
    assert two.fs.person(first.id).person.name == "Carl"
    assert set(whose(two).values()) == {"Carl"}
    assert two.found() == {}


def test_a_face_that_lost_its_record_is_the_kept_persons(two):
    two.fs.merge_people("Ann", "Ann B")
    two.forget(two.faces["b1.jpg"])
    assert two.found() == {("orphan", "record"): 1}
    assert two.repaired(deleting=False) == ({("orphan", "record"): 1}, {})
    assert whose(two) == MERGED


def test_a_photo_that_was_on_its_way_while_people_were_merged_is_settled_as_the_kept_persons(two):
    _, name = two.intended("Ann B", "late.jpg", OnMultiple.LARGEST)
    two.fs.merge_people("Ann", "Ann B")
    two.faces["late.jpg"] = two.face(name)
    assert two.found() == {("unsettled_photo", "settle"): 1}
    assert two.repaired(deleting=False)[1] == {}
    assert whose(two) == {**MERGED, "late.jpg": "Ann"}


def test_an_enrolment_takes_over_what_was_sent_as_somebody_who_was_merged(two):
    _, name = two.intended("Ann B", "late.jpg", OnMultiple.LARGEST)
    two.faces["late.jpg"] = two.face(name)
    two.fs.merge_people("Ann", "Ann B")
    (two.folder / "late.jpg").unlink()  # so that it is taken as it is
    assert two.fs.enroll([two.folder], "staff", person="Nobody in here").earlier == 1
    assert whose(two)["late.jpg"] == "Ann"
    assert two.found() == {}


@pytest.mark.parametrize("made", [True, False])
def test_whoever_dies_between_is_finished_by_the_next_enrolment(made, two, monkeypatch):
    for name in ("Ann", "Ann B"):
        two.faces[f"both of {name}"] = two.enrolled(name, "both.jpg")
    two.fs.keep_users("staff")
    gateway = two.fs._gateway
    disassociate = gateway.disassociate_faces

    def dies(*arguments):
        if made:
            disassociate(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(gateway, "disassociate_faces", dies)
    with pytest.raises(KeyboardInterrupt):
        two.fs.merge_people("Ann", "Ann B")
    monkeypatch.undo()
    merged = {**MERGED, "both of Ann": "Ann", "both of Ann B": None}
    assert whose(two) == merged
    assert open_changes(two) == [*["DisassociateFaces"] * 3, "DeleteFaces", "DeleteUser"]
    two.fs.enroll([two.folder], "staff", person="Nobody in here")  # no file of these is a photo
    assert given(two) == merged
    assert (two.found(), open_changes(two)) == ({}, [])


@pytest.mark.parametrize("how", ["again", "reconcile"])
def test_what_the_service_does_not_do_waits_and_is_done_later(how, two, monkeypatch):
    two.fs.keep_users("staff")

    def fails(*_):
        raise ServiceUnavailableError("no answer")

    monkeypatch.setattr(two.fs._gateway, "disassociate_faces", fails)
    done = two.fs.merge_people("Ann", "Ann B")
    assert done.waiting == {"staff": "no answer"}
    monkeypatch.undo()
    if how == "again":
        again = two.fs.merge_people("Ann", "Ann B")
        assert (again.waiting, again.merged, again.moved.faces) == ({}, (), {})
    else:
        two.repaired()
    assert given(two) == MERGED
    assert (two.found(), open_changes(two)) == ({}, [])


@pytest.mark.parametrize("answered", [True, False])
def test_an_association_that_was_begun_does_not_come_true_after_a_split(answered, two, monkeypatch):
    two.fs.keep_users("staff")
    two.faces["a3.jpg"] = two.enrolled("Ann", "a3.jpg")
    gateway = two.fs._gateway
    associate = gateway.associate_faces

    def dies(*arguments):
        if answered:
            associate(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(gateway, "associate_faces", dies)
    with pytest.raises(KeyboardInterrupt):
        two.fs.enroll([two.folder], "staff", person="Nobody in here")
    monkeypatch.undo()
    two.fs.split_person("Ann", [two.faces["a3.jpg"]], "Bea")
    assert given(two)["a3.jpg"] == "Bea"
    assert (two.found(), open_changes(two)) == ({}, [])


def test_a_lost_database_gets_back_from_users_who_is_who(two, home):
    two.fs.keep_users("staff")
    two.fs.merge_people("Ann", "Ann B")
    two.fs.split_person("Ann", [two.faces["a2.jpg"]], "Carl")
    ids = {one.face.face_id: one.enrolled.person.id for one in two.fs.faces("staff")}
    with FaceSearch.open(database_url=f"sqlite:///{home / 'other.db'}") as fs:
        fs.repair(fs.reconcile("staff", unknown="adopt"), unknown="adopt")
        assert {one.face.face_id: one.enrolled.person.id for one in fs.faces("staff")} == ids
        assert fs.reconcile("staff").count == 0


def test_a_lost_person_does_not_get_the_name_of_one_who_was_merged(two):
    two.fs.merge_people("Ann", "Ann B")
    path, sha256 = two.write("lost.jpg")
    two.face(f"{'1' * 32}:{sha256[:32]}")
    two.repaired(unknown="adopt")
    with two.fs._database.begin() as records:
        records.recognise_photos([Photo(sha256, path)])
        records.name_lost_people(two.arn, [(sha256, PersonSpec("Ann B"))])
        assert records.known_people([PersonSpec("Ann B")])[0].name == "Ann"
    assert "person 11111111" in two.names().values()


def test_a_name_that_led_to_several_is_nobodys(two):
    two.fs.merge_people("Ann", "Ann B")
    two.enrolled("Dan", "d.jpg")
    two.fs.edit_person("Dan", name="Ann B")
    two.fs.merge_people("Carl", "Ann B")
    with pytest.raises(UsageError, match="2 people are called 'Ann B'"):
        two.fs.person("Ann B")
    with pytest.raises(UsageError, match="several people called 'Ann B' were merged"):
        two.person("Ann B")


def test_erasing_a_person_takes_what_was_sent_as_those_who_were_merged(two):
    other = two.person("Ann B")
    orphan = two.face(f"{other.id}:{'0' * 32}")
    two.fs.merge_people("Ann", "Ann B")
    two.fs._gateway.create_user("staff", other.id)
    erasure = two.fs.erase_person("Ann B")
    assert erasure.state.value == "erased" and set(erasure.collections[0].faces) >= {orphan}
    assert set(two.names().values()) == {"Carl"} and len(two.names()) == 1
    assert list(two.fs._gateway.list_users("staff")) == []
    with pytest.raises(UsageError, match="nobody"):
        two.fs.person("Ann B")
    late = two.face(f"{other.id}:{'1' * 32}")  # a call that was answered after all
    assert two.found() == {("erased_person", "delete"): 1}
    two.repaired()
    assert late not in two.names()


def test_erasing_a_person_leaves_what_was_split_off(two):
    two.fs.split_person("Ann B", [two.folder / "b2.jpg"], "Bea")
    two.fs.erase_person("Ann B")
    assert {file: name for file, name in whose(two).items() if name} == {
        "a1.jpg": "Ann", "a2.jpg": "Ann", "b2.jpg": "Bea", "c.jpg": "Carl",
    }  # fmt: skip
    assert two.found() == {}
    with two.fs._database.read() as records:
        assert records.being_erased(two.arn, {two.faces["b2.jpg"]: "x:y"}) == set()


def test_erasing_whom_a_photo_was_given_to_keeps_of_it_that_it_is_not_the_others(two):
    person, (path, sha256) = two.person("Ann B"), two.write("b2.jpg")
    two.fs.split_person("Ann B", [path], "Bea")
    two.fs.erase_person("Bea")
    assert two.faces["b2.jpg"] not in two.names()
    with two.fs._database.read() as records:
        [entry] = records.journal(two.arn, [(person.id, sha256)]).values()
    assert (entry.status, entry.path) == (PhotoStatus.ALREADY, "")
    assert "Bea" not in entry.reason
    assert two.found() == {}


def test_who_and_what_does_not_fit_is_said_before_anything_is_changed(two):
    two.fs.edit_person("Carl", name="Ann B")
    with pytest.raises(UsageError, match="2 people are called 'Ann B'"):
        two.fs.merge_people("Ann", "Ann B")
    for wrong, said in (("Ann", "named twice"), ("Nobody", "nobody with the id")):
        with pytest.raises(UsageError, match=said):
            two.fs.merge_people("Ann", wrong)
    for photo, to, said in (
        (two.folder / "c.jpg", "Bea", "is no photo with a face of Ann on record"),
        (two.faces["c.jpg"], "Bea", "is no face of Ann on record"),
        (two.folder / "gone.jpg", "Bea", "is no photo with a face"),
        (two.folder / "a1.jpg", "Ann", "are those of Ann already"),
        (two.folder / "a1.jpg", "f" * 32, "nobody has the id"),
        (two.folder / "a1.jpg", " ", "name is empty"),
    ):
        with pytest.raises(UsageError, match=said):
            two.fs.split_person("Ann", [photo], to)
    with pytest.raises(UsageError, match="nothing would be left of Ann"):
        two.fs.split_person("Ann", [two.folder / "a1.jpg", two.faces["a2.jpg"]], "Bea")
    two.intended("Ann", "a1.jpg")
    with pytest.raises(UsageError, match="not at its end"):
        two.fs.split_person("Ann", [two.folder / "a1.jpg"], "Bea")
    assert len(list(two.fs.people())) == 3
