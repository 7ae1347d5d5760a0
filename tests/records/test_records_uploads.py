"""Photos by where they lie."""

from facesearch.domain import PersonSpec, Photo


def from_(database, into, person, path, sha256=None):
    with database.read() as records:
        return records.photos_from(into.arn, person.id, path, sha256)


def test_photos_are_found_by_where_they_were_seen_or_by_their_content(database, staff, enrol, making):
    anna = enrol(staff, "Anna", "a.jpg", "b.jpg")
    ben = enrol(staff, "Ben", "a.jpg")
    first = (making.sha256("a.jpg"), (making.face_id("a.jpg", staff),))
    assert from_(database, staff, ben, "/photos/a.jpg") == [first]
    assert from_(database, staff, anna, "/photos/b.jpg")[0][0] == making.sha256("b.jpg")
    assert from_(database, staff, anna, "/photos/none.jpg") == []
    assert from_(database, staff, ben, "/photos/none.jpg", making.sha256("a.jpg")) == [first]
    assert from_(database, making.collection("guests"), ben, "/photos/a.jpg") == []


def test_a_photo_without_a_face_is_one_too(database, staff, making):
    with database.begin() as records:
        [anna] = records.resolve_people([PersonSpec("Anna")])
        records.intend(records.start_run(staff.arn), staff.arn, [making.intent(anna, "a.jpg")])
    assert from_(database, staff, anna, "/photos/a.jpg") == [(making.sha256("a.jpg"), ())]


def test_a_photo_that_was_moved_is_found_where_it_is(database, staff, enrol, making):
    anna = enrol(staff, "Anna", "a.jpg")
    with database.begin() as records:
        records.move_photos([Photo(making.sha256("a.jpg"), "s3://b/odd\udcff.jpg")])
    assert from_(database, staff, anna, "/photos/a.jpg") == []
    assert len(from_(database, staff, anna, "s3://b/odd\udcff.jpg")) == 1


def test_a_photo_that_was_split_off_is_found_where_it_lies(database, staff, enrol, making):
    anna = enrol(staff, "Anna", "a.jpg", "b.jpg")
    with database.begin() as records:
        ben = records.add_person("Ben")
        numbers = records.face_numbers(anna.id, sha256=making.sha256("a.jpg"))
        records.split_faces(anna.id, numbers, ben.id)
    found = [(making.sha256("a.jpg"), (making.face_id("a.jpg", staff),))]
    assert from_(database, staff, anna, "/photos/a.jpg") == found
    assert from_(database, staff, ben, "/photos/a.jpg") == found
    assert from_(database, staff, anna, "/elsewhere.jpg", making.sha256("a.jpg")) == found
