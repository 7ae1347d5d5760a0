"""What is on record of people, made somebody else's."""

from datetime import UTC, datetime

import pytest

from facesearch.domain import PersonSpec, PhotoOutcome, PhotoStatus
from facesearch.domain.regrouping import Former

ENROLLED, NO_FACE, ALREADY = PhotoStatus.ENROLLED, PhotoStatus.NO_FACE, PhotoStatus.ALREADY


@pytest.fixture
def tried(database, staff, making):
    """Photos of somebody and how they ended: tried("Anna", {"a.jpg": ENROLLED, "b.jpg": None})."""

    def tried(name, photos):
        with database.begin() as records:
            [person] = records.resolve_people([PersonSpec(name)])
            run = records.start_run(staff.arn)
            records.intend(run, staff.arn, [making.intent(person, file) for file in photos])
            ended = [
                making.enrolled(person, file, staff)
                if status is ENROLLED
                else making.settled(person, file, status)
                for file, status in photos.items()
                if status
            ]
            records.settle(staff.arn, ended)
            records.set_aside(
                run, staff.arn, [(PhotoOutcome(f"/{name}.txt", name, PhotoStatus.UNREADABLE), person.id)]
            )
        return person

    return tried


def ends(database, staff, making, person, *files):
    """How photos of a person ended, None for one that is under way; nothing for one that was never tried."""
    with database.read() as records:
        found = records.journal(staff.arn, [(person.id, making.sha256(file)) for file in files])
    return {file: found[key].status for file in files if (key := (person.id, making.sha256(file))) in found}


def test_of_two_ends_of_a_photo_the_one_that_says_more_stays(database, staff, making, tried):
    files = ("both.jpg", "hers.jpg", "theirs.jpg", "on its way.jpg", "late.jpg")
    kept = tried("Kept", {"both.jpg": NO_FACE, "hers.jpg": None, "late.jpg": ENROLLED})
    other = tried(
        "Other",
        {
            "both.jpg": ENROLLED,
            "hers.jpg": NO_FACE,
            "theirs.jpg": NO_FACE,
            "on its way.jpg": None,
            "late.jpg": None,
        },
    )
    with database.begin() as records:
        moved = records.merge_person(kept.id, other.id)
    assert (moved.faces, moved.photos, moved.doubled) == ({"staff": 1}, 1, 0)
    assert ends(database, staff, making, kept, *files) == {
        "both.jpg": ENROLLED,
        "hers.jpg": None,
        "theirs.jpg": NO_FACE,
        "on its way.jpg": None,
        "late.jpg": ENROLLED,
    }
    with database.read() as records:
        assert [photo.person for photo in records.unread(staff.arn)] == [kept, kept]
        assert [one.person.id for one in records.people()] == [kept.id]


def test_what_led_to_somebody_leads_to_whom_they_were_merged_into(database, staff, enrol):
    anna, ben = enrol(staff, "Anna", "a.jpg", key="1"), enrol(staff, "Ben", "b.jpg", key="2")
    with database.begin() as records:
        records.merge_person(anna.id, ben.id)
        for ref in ("Ben", "2", ben.id):
            assert records.find_people(ref) == [anna]
        assert records.formerly([anna.id, ben.id]) == {anna.id: [Former(ben.id, "Ben", "2")]}
        assert records.merged_into([anna.id, ben.id, "0" * 32]) == {ben.id: anna.id}
        assert records.people_by_id([ben.id]) == {ben.id: anna}
        assert records.people_alike([ben], [True]) == [anna]
        new = PersonSpec("Ben", "3")
        assert records.known_people([PersonSpec("Ben"), PersonSpec("X", "2"), new]) == [anna, anna, None]
        [real] = records.resolve_people([new])
        assert records.find_people("Ben") == [real]
        records.add_formers(
            [(anna.id, Former(real.id, "not", None)), (anna.id, Former("9" * 32, "Nine", None))]
        )
        assert records.merged_into([real.id, "9" * 32]) == {"9" * 32: anna.id}


def test_whoever_is_put_on_record_under_a_merged_name_is_who_was_merged(database, staff, enrol):
    anna, ben = enrol(staff, "Anna", "a.jpg", key="1"), enrol(staff, "Ben", "b.jpg", key="2")
    with database.begin() as records:
        records.merge_person(anna.id, ben.id)
        back = records.add_person("Ben")
        assert (back.id, back.key) == (ben.id, "2")
        records.merge_person(anna.id, ben.id)
        records.edit_person(anna.id, key="2")
        assert records.add_person("Ben").key is None
        assert records.formerly([anna.id]) == {}


def test_a_split_says_of_a_photo_that_it_is_not_the_first_ones(database, staff, enrol, making):
    anna = enrol(staff, "Anna", "a.jpg", "b.jpg")
    with database.begin() as records:
        ben = records.add_person("Ben")
        numbers = records.face_numbers(anna.id, path="/photos/a.jpg")
        assert numbers == records.face_numbers(anna.id, face_id=making.face_id("a.jpg", staff))
        records.split_faces(anna.id, numbers, ben.id)
        assert records.face_total(anna.id) == records.face_total(ben.id) == 1
    assert ends(database, staff, making, anna, "a.jpg", "b.jpg") == {"a.jpg": ALREADY, "b.jpg": ENROLLED}
    assert ends(database, staff, making, ben, "a.jpg") == {"a.jpg": ENROLLED}
    with database.begin() as records:
        records.split_faces(ben.id, numbers, anna.id)
    assert ends(database, staff, making, anna, "a.jpg") == {"a.jpg": ENROLLED}
    assert ends(database, staff, making, ben, "a.jpg") == {"a.jpg": ALREADY}


def test_erasing_marks_every_id_and_nothing_else_is_kept_of_who_was_merged(database, staff, enrol):
    anna, ben = enrol(staff, "Anna", "a.jpg"), enrol(staff, "Ben", "b.jpg")
    with database.begin() as records:
        records.merge_person(anna.id, ben.id)
        records.begin_erasure(anna.id, datetime.now(UTC))
        assert records.unfinished_erasures() == [anna.id]
        assert records.erased_people([anna.id, ben.id, "0" * 32]) == {anna.id, ben.id}
        assert records.being_erased(staff.arn, {"f": f"{ben.id}:1"}) == {"f"}
        assert records.merged_into([ben.id]) == {}
        [there] = records.erasure(anna.id)
        assert len(there.waiting) == 2
        open_ = records.open_changes(staff.arn, person_id=anna.id)
        records.settle_changes([change.id for change in open_], request_id="r")
        [there] = records.erasure(anna.id)
        assert (there.state.value, len(there.faces), there.proof) == ("erased", 2, "r")
        records.end_erasure(anna.id)
        assert records.erased_people([ben.id]) == {ben.id}
