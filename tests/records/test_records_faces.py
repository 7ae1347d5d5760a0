from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from facesearch.domain import Intent, OnMultiple, PersonSpec, Photo


def test_a_face_comes_back_with_its_person_and_photo(database, staff, enrol, making):
    anna = enrol(staff, "Anna", "a.jpg", "b.jpg")
    wanted = making.face_id("a.jpg", staff)
    with database.read() as records:
        found = records.faces(staff.arn, [wanted, wanted, "unknown", "\x01"])
    [(face_id, face)] = found.items()
    assert face_id == wanted
    assert face.face == making.enrolled(anna, "a.jpg", staff).record.face
    assert (face.collection_id, face.person) == ("staff", anna)
    assert face.photo == Photo(making.sha256("a.jpg"), "/photos/a.jpg")
    assert (face.pose, face.quality) == (making.pose, making.quality)
    assert timedelta(0) <= datetime.now(UTC) - face.enrolled_at < timedelta(minutes=1)


def test_what_the_service_did_not_say_of_a_face_is_none(database, staff, making):
    with database.begin() as records:
        [anna] = records.resolve_people([PersonSpec("Anna")])
        records.intend(records.start_run(staff.arn), staff.arn, [making.intent(anna, "a.jpg")])
        full = making.enrolled(anna, "a.jpg", staff)
        face = replace(full.record.face, external_image_id=None, model_version=None)
        detail = replace(full.record.detail, pose=None, quality=None)
        records.settle(staff.arn, [replace(full, record=replace(full.record, face=face, detail=detail))])
        [bare] = records.iter_faces(staff.arn)
    assert (bare.face, bare.pose, bare.quality) == (face, None, None)


def test_faces_of_another_collection_are_not_found(database, staff, enrol, making):
    enrol(staff, "Anna", "a.jpg")
    other = making.collection("staff", engine="999999999999")
    with database.begin() as records:
        wanted = [making.face_id("a.jpg", staff)]
        assert records.faces(other.arn, wanted) == {}
        assert list(records.iter_faces(other.arn)) == []
        assert records.delete_faces(other.arn, wanted) == 0
        records.remember_collection(other)
        assert records.faces(other.arn, wanted) == {}
        assert records.delete_faces(other.arn, wanted) == 0
        assert len(records.faces(staff.arn, wanted)) == 1


def test_whose_faces_are_is_told_of_one_collection(database, staff, enrol, making):
    anna, bob = enrol(staff, "Anna", "a.jpg"), enrol(staff, "Bob", "b.jpg")
    first, second = (making.face_id(name, staff) for name in ("a.jpg", "b.jpg"))
    other = making.collection("others")
    with database.begin() as records:
        records.remember_collection(other)
        whose = records.owners(staff.arn, [first, second, "unknown", "\x01"])
        assert whose == {first: (anna.id, "Anna"), second: (bob.id, "Bob")}
        assert records.owners(other.arn, [first]) == {}
        assert records.owners(staff.arn, []) == {}


def test_the_faces_of_several_people_are_counted_in_one_collection_alone(database, staff, enrol, making):
    anna, bob = enrol(staff, "Anna", "a.jpg", "b.jpg"), enrol(staff, "Bob", "c.jpg")
    other = making.collection("others")
    with database.begin() as records:
        records.remember_collection(other)
    enrol(other, "Anna", "d.jpg")
    with database.read() as records:
        assert records.face_counts(staff.arn, [anna.id, bob.id, "0" * 32]) == {anna.id: 2, bob.id: 1}
        assert records.face_counts(other.arn, [anna.id, bob.id]) == {anna.id: 1}
        assert records.face_counts(staff.arn, []) == {}


def test_faces_are_listed_in_the_order_they_were_enrolled(database, staff, enrol):
    anna = enrol(staff, "Anna", "z.jpg")
    enrol(staff, "Bob", "m.jpg")
    enrol(staff, "Anna", "a.jpg")
    with database.read() as records:
        assert [f.photo.path for f in records.iter_faces(staff.arn)] == [
            "/photos/z.jpg",
            "/photos/m.jpg",
            "/photos/a.jpg",
        ]
        assert [f.photo.path for f in records.iter_faces(staff.arn, anna.id)] == [
            "/photos/z.jpg",
            "/photos/a.jpg",
        ]


def test_a_deleted_face_leaves_its_photo_free_to_be_enrolled_again(database, staff, enrol, making):
    anna = enrol(staff, "Anna", "a.jpg", "b.jpg")
    pairs = [(anna.id, making.sha256(file)) for file in ("a.jpg", "b.jpg")]
    with database.begin() as records:
        assert records.delete_faces(staff.arn, [making.face_id("a.jpg", staff), "unknown"]) == 1
        assert list(records.journal(staff.arn, pairs)) == [pairs[1]]
    enrol(staff, "Anna", "a.jpg")
    with database.read() as records:
        assert len(records.journal(staff.arn, pairs)) == 2


def test_a_photo_goes_with_the_last_thing_that_refers_to_it(database, staff, enrol, making):
    guests = making.collection("guests")
    with database.begin() as records:
        records.remember_collection(guests)
    enrol(staff, "Anna", "a.jpg")
    anna = enrol(guests, "Anna", "a.jpg")
    photo = Photo(making.sha256("a.jpg"), "/photos/a.jpg")
    with database.begin() as records:
        records.delete_faces(staff.arn, [making.face_id("a.jpg", staff)])
        assert [face.photo for face in records.iter_faces(guests.arn)] == [photo]
        records.delete_faces(guests.arn, [making.face_id("a.jpg", guests)])
    assert photos(database) == 0
    with database.begin() as records:
        moved = Photo(photo.sha256, "/moved.jpg")
        records.intend(records.start_run(staff.arn), staff.arn, [Intent(anna.id, moved, OnMultiple.AUTO)])
    assert photos(database) == 1


def photos(database):
    with database._engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM photos").scalar()


def test_thousands_of_faces_are_found_and_deleted_at_once(database, staff, enrol, making):
    files = [f"{number}.jpg" for number in range(2_500)]
    enrol(staff, "Anna", *files)
    face_ids = [making.face_id(file, staff) for file in files]
    with database.begin() as records:
        assert list(records.faces(staff.arn, face_ids)) != []
        assert len(records.faces(staff.arn, face_ids)) == len(list(records.iter_faces(staff.arn))) == 2_500
        assert records.delete_faces(staff.arn, face_ids) == 2_500
        assert list(records.iter_faces(staff.arn)) == []
