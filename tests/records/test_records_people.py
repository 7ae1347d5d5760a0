from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest

from facesearch.domain import PersonSpec
from facesearch.errors import UsageError
from facesearch.records.database import Database

NAMES = [
    "Ana María Ñandú",
    "山田 太郎",
    "محمد علي",
    "O'Brien; DROP TABLE people; --",
    'say "%s" \\ %(x)s :name ?',
    "👩‍👩‍👧‍👦 family",
    "é" + unicodedata.normalize("NFD", "é"),
    "x" * 10_000,
]


def resolve(database, *specs):
    with database.begin() as records:
        return records.resolve_people(specs)


def test_any_name_comes_back_as_it_was(database):
    made = resolve(database, *map(PersonSpec, NAMES))
    assert [person.name for person in made] == NAMES
    assert resolve(database, *map(PersonSpec, NAMES)) == made
    with database.read() as records:
        assert [records.find_people(name) for name in NAMES] == [[person] for person in made]


def test_a_new_person_has_an_id_of_32_hex_digits_and_the_time_of_now(database):
    [anna] = resolve(database, PersonSpec("Anna"))
    assert len(bytes.fromhex(anna.id)) == 16
    assert anna.id == anna.id.lower()
    assert timedelta(0) <= datetime.now(UTC) - anna.created_at < timedelta(minutes=1)


def test_the_same_person_twice_in_one_call_is_one(database):
    keyless, keyed, again = resolve(
        database, PersonSpec("Anna"), PersonSpec("Anna", key="7"), PersonSpec("Anna", notes="tall")
    )
    assert keyless.id == keyed.id == again.id
    assert again.key == "7"
    assert keyless == again  # who is asked for is told as they are at the end


def test_a_key_tells_people_of_one_name_apart(database):
    one, two = resolve(database, PersonSpec("Anna", key="1"), PersonSpec("Anna", key="2"))
    assert one.id != two.id
    assert resolve(database, PersonSpec("Anna", key="2"), PersonSpec("Anna", key="1")) == [two, one]


def test_a_name_that_several_people_have_must_come_with_a_key(database):
    one, two = resolve(database, PersonSpec("Anna", key="1"), PersonSpec("Anna", key="2"))
    with pytest.raises(UsageError, match=r"2 people are called 'Anna'.*key '1'.*person.toml") as caught:
        resolve(database, PersonSpec("Bob"), PersonSpec("Anna"))
    assert one.id in str(caught.value)
    assert two.id in str(caught.value)
    with database.read() as records:
        assert records.find_people("Bob") == []


def test_only_some_of_very_many_namesakes_are_listed(database):
    resolve(database, *(PersonSpec("Anna", key=str(number)) for number in range(8)))
    with pytest.raises(UsageError, match=r"8 people are called 'Anna': .* and 3 more"):
        resolve(database, PersonSpec("Anna"))


def test_a_key_found_again_renames_the_person(database):
    [before] = resolve(database, PersonSpec("Ann", key="7"))
    [after, new] = resolve(database, PersonSpec("Anna", key="7"), PersonSpec("Ann"))
    assert (after.id, after.name) == (before.id, "Anna")
    assert new.id != before.id


def test_what_a_spec_says_is_written_over_what_was_known_and_silence_takes_nothing_away(database):
    resolve(database, PersonSpec("Anna", "7", {"team": "red", "age": 30, "badge": {"no": [1, None]}}, "tall"))
    resolve(database, PersonSpec("Anna"))
    [anna] = resolve(database, PersonSpec("Anna", attributes={"team": "blue", "age": None}))
    assert anna.attributes == {"team": "blue", "badge": {"no": [1, None]}}
    assert (anna.key, anna.notes) == ("7", "tall")


def test_nobody_to_resolve_is_nobody(database):
    assert resolve(database) == []


def test_thousands_of_people_are_resolved_at_once(database):
    specs = [
        PersonSpec(f"person {number}", key=str(number) if number % 2 else None) for number in range(2_500)
    ]
    made = resolve(database, *specs)
    assert len({person.id for person in made}) == len(specs)
    assert resolve(database, *specs) == made


def test_threads_that_resolve_one_name_at_once_get_one_person(url):
    at_once = Barrier(6)

    def work(number):
        database = Database(url)
        try:
            at_once.wait()
            return [
                person.id
                for person in resolve(database, PersonSpec("Anna"), PersonSpec(f"{number % 2}", "k"))
            ]
        finally:
            database.close()

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(work, range(6)))
    assert len({ids[0] for ids in found}) == 1
    assert len({ids[1] for ids in found}) == 1


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (PersonSpec(""), "needs a name"),
        (PersonSpec("nul\0"), "name 'nul.x00' holds a NUL"),
        (PersonSpec("odd\udcff"), "name .* not valid Unicode"),
        (PersonSpec("Anna", key="\0"), "the key"),
        (PersonSpec("Anna", key="k" * 513), "513 characters; 512"),
        (PersonSpec("Anna", notes="\0"), "the notes"),
        (PersonSpec("Anna", attributes={"born": date(2000, 1, 1)}), "attributes of 'Anna' are not JSON"),
        (PersonSpec("Anna", attributes={"x": float("nan")}), "not JSON"),
        (PersonSpec("Anna", attributes={("a", "b"): 1}), "not JSON"),
        (PersonSpec("Anna", attributes={"x": ["\0"]}), "attribute of 'Anna' holds a NUL"),
        (PersonSpec("Anna", attributes={"x": {"\ud800": 1}}), "attribute of 'Anna'"),
    ],
)
def test_what_cannot_be_stored_is_refused_before_anything_is_written(database, spec, message):
    with pytest.raises(UsageError, match=message):
        resolve(database, PersonSpec("Bob"), spec)
    with database.read() as records:
        assert list(records.people()) == []


def test_an_endlessly_nested_attribute_is_refused(database):
    endless: dict[str, object] = {}
    endless["self"] = endless
    with pytest.raises(UsageError, match="not JSON"):
        resolve(database, PersonSpec("Anna", attributes=endless))


def test_a_person_is_found_by_id_before_key_before_name(database):
    [anna] = resolve(database, PersonSpec("Anna"))
    named_like_her_id, keyed = resolve(database, PersonSpec(anna.id), PersonSpec("Bob", key="Anna"))
    with database.read() as records:
        assert records.find_people(anna.id) == [anna]
        assert records.find_people("Anna") == [keyed]
        assert records.find_people(named_like_her_id.id) == [named_like_her_id]
        assert records.find_people("Bob") == [keyed]
        for nobody in ("anna", "", "\0", "\ud800", "x" * 10_000):
            assert records.find_people(nobody) == []


def test_people_come_by_name_in_code_point_order_with_their_faces_counted(database, staff, enrol, making):
    guests = making.collection("guests")
    with database.begin() as records:
        records.remember_collection(guests)
    enrol(staff, "bob", "b1.jpg")
    enrol(staff, "Émile", "e.jpg")
    enrol(staff, "Anna", "a2.jpg", key="2")
    enrol(staff, "Anna", "a1.jpg", "a3.jpg", key="1")
    enrol(guests, "bob", "b1.jpg", "b2.jpg")
    resolve(database, PersonSpec("Zoe"))
    with database.read() as records:
        assert [(s.person.name, s.person.key, dict(s.faces)) for s in records.people()] == [
            ("Anna", "1", {"staff": 2}),
            ("Anna", "2", {"staff": 1}),
            ("Zoe", None, {}),
            ("bob", None, {"guests": 2, "staff": 1}),
            ("Émile", None, {"staff": 1}),
        ]
        assert [(s.person.name, dict(s.faces)) for s in records.people(guests.arn)] == [
            ("bob", {"guests": 2})
        ]
        assert list(records.people("arn:of:nothing")) == []


def test_a_person_without_a_key_comes_before_their_namesakes(database):
    keyed, plain = resolve(database, PersonSpec("Anna", key="1"), PersonSpec("Bob"))
    with database.begin() as records:
        records.edit_person(plain.id, name="Anna")
        assert [summary.person.id for summary in records.people()] == [plain.id, keyed.id]
        assert [person.id for person in records.find_people("Anna")] == [keyed.id, plain.id]


def test_a_key_does_not_go_to_one_of_several_namesakes(database):
    one, two = resolve(database, PersonSpec("Anna"), PersonSpec("Bob"))
    with database.begin() as records:
        records.edit_person(two.id, name="Anna")
    [three] = resolve(database, PersonSpec("Anna", key="3"))
    assert three.id not in (one.id, two.id)


def test_a_summary_counts_faces_by_collection(database, staff, enrol):
    anna = enrol(staff, "Anna", "a.jpg", "b.jpg")
    [bob] = resolve(database, PersonSpec("Bob"))
    with database.read() as records:
        assert (records.summary(anna.id).person, records.summary(anna.id).faces) == (anna, {"staff": 2})
        assert records.summary(bob.id).faces == {}


@pytest.mark.parametrize("ask", ["person", "summary", "edit_person"])
@pytest.mark.parametrize("nobody", ["0" * 32, "\0", "\ud800"])
def test_asking_for_an_id_that_nobody_has_is_a_usage_error(database, ask, nobody):
    with pytest.raises(UsageError, match="nobody in the records has the id"), database.begin() as records:
        getattr(records, ask)(nobody)


def test_editing_changes_what_is_given_and_nothing_else(database):
    [anna] = resolve(database, PersonSpec("Anna", "7", {"team": "red", "age": 30}, "tall"))
    with database.begin() as records:
        assert records.edit_person(anna.id) == anna
        edited = records.edit_person(anna.id, name="Ännchen", attributes={"age": None, "badge": 5})
    assert (edited.name, edited.key, edited.notes) == ("Ännchen", "7", "tall")
    assert edited.attributes == {"team": "red", "badge": 5}
    with database.begin() as records:
        cleared = records.edit_person(anna.id, key="", notes="")
    assert (cleared.key, cleared.notes) == (None, None)
    with database.read() as records:
        assert records.person(anna.id) == cleared


def test_a_key_that_is_somebody_elses_is_refused(database):
    anna, bob = resolve(database, PersonSpec("Anna", "7"), PersonSpec("Bob"))
    with database.begin() as records:
        assert records.edit_person(anna.id, key="7") == anna
    with (
        pytest.raises(UsageError, match=f"'7' belongs to 'Anna' .{anna.id}"),
        database.begin() as records,
    ):
        records.edit_person(bob.id, key="7")
    with pytest.raises(UsageError, match="needs a name"), database.begin() as records:
        records.edit_person(bob.id, name="")


def test_deleting_a_person_takes_their_faces_journal_and_photos_and_nobody_elses(
    database, staff, enrol, making
):
    anna = enrol(staff, "Anna", "both.jpg", "hers.jpg")
    bob = enrol(staff, "Bob", "both.jpg")  # the same FaceId: settled last, it is Bob's
    with database.begin() as records:
        assert records.begin_erasure(anna.id, datetime.now(UTC)).faces == 1
        assert records.begin_erasure(anna.id, datetime.now(UTC)).faces == 0
        assert records.find_people(anna.id) == []
        assert records.journal(staff.arn, [(anna.id, making.sha256("hers.jpg"))]) == {}
        [face] = records.iter_faces(staff.arn)
        assert (face.person, face.photo.path) == (bob, "/photos/both.jpg")


def test_face_ids_of_a_person_come_by_the_collection_that_holds_them(database, staff, enrol, making):
    guests = making.collection("guests")
    with database.begin() as records:
        records.remember_collection(guests)
    anna = enrol(staff, "Anna", "a.jpg", "b.jpg")
    enrol(guests, "Anna", "a.jpg")
    [bob] = resolve(database, PersonSpec("Bob"))
    with database.read() as records:
        assert records.face_ids_of(bob.id) == {}
        assert records.face_ids_of(anna.id) == {
            staff: [making.face_id("a.jpg", staff), making.face_id("b.jpg", staff)],
            guests: [making.face_id("a.jpg", guests)],
        }
