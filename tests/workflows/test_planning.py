import os
import unicodedata
from pathlib import Path

import pytest

from facesearch.errors import UsageError
from facesearch.workflows import planning
from facesearch.workflows.person_files import read_person


def plan(paths, person=None, **options):
    """A plan of files alone."""
    return planning.plan(paths, None, person, **options)


@pytest.fixture
def people(tmp_path):
    for name in ("Anna", "Жанна"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(b"1")
    return tmp_path


def summary(planned):
    return [(Path(photo.path).name, photo.person and photo.person.name, photo.problem) for photo in planned]


def test_a_subfolder_is_a_person(people):
    assert summary(plan([people])) == [("1.jpg", "Anna", None), ("1.jpg", "Жанна", None)]


def test_folders_inside_a_persons_folder_hold_more_photos_of_them(people):
    (people / "Anna" / "2020").mkdir()
    (people / "Anna" / "2020" / "2.jpg").write_bytes(b"2")
    assert summary(plan([people]))[:2] == [("1.jpg", "Anna", None), ("2.jpg", "Anna", None)]


def test_a_loose_photo_beside_the_people_is_planned_with_its_problem(people):
    (people / "loose.jpg").write_bytes(b"")
    (name, person, problem), *rest = summary(plan([people]))
    assert (name, person) == ("loose.jpg", None)
    assert "belongs to nobody" in problem
    assert len(rest) == 2


def test_what_systems_leave_lying_about_is_passed_over(people):
    for litter in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (people / "Anna" / litter).write_bytes(b"")
    (people / ".hidden").mkdir()
    assert len(list(plan([people]))) == 2


def test_a_name_is_composed_whatever_the_file_system_does(tmp_path):
    folder = tmp_path / unicodedata.normalize("NFD", "José Ñandú")
    folder.mkdir()
    (folder / "1.jpg").write_bytes(b"")
    assert summary(plan([tmp_path])) == [("1.jpg", "José Ñandú", None)]


def test_with_a_person_files_and_folders_are_all_theirs(people):
    paths = [people / "Anna", people / "Жанна" / "1.jpg"]
    assert summary(plan(paths, "Eve")) == [("1.jpg", "Eve", None)] * 2


@pytest.mark.parametrize(
    ("paths", "person", "hint"),
    [
        (["Anna/1.jpg"], None, "--person NAME"),
        (["Anna"], None, "give the folder above it"),
        (["."], "Eve", "has subfolders"),
        (["nowhere"], None, "there is no file or folder"),
        (["Anna"], "  ", "name is empty"),
    ],
)
def test_paths_that_do_not_say_who_is_who_are_refused_before_the_first_photo(people, paths, person, hint):
    with pytest.raises(UsageError, match=hint):
        plan([people / path for path in paths], person)


def test_a_person_file_carries_key_attributes_and_notes(people):
    (people / "Anna" / "person.toml").write_text(
        'key = 17\nnotes = "née Ek"\n[attributes]\nteam = "ops"\nsince = 2020-02-03\n', encoding="utf-8"
    )
    (people / "Жанна" / "person.json").write_text(
        '{"name": "Жанна Орлова", "attributes": {"a": [1]}}', "utf-8"
    )
    anna, zhanna = plan([people])
    assert (anna.person.name, anna.person.key, anna.person.notes) == ("Anna", "17", "née Ek")
    assert anna.person.attributes == {"team": "ops", "since": "2020-02-03"}
    assert (zhanna.person.name, zhanna.person.key) == ("Жанна Орлова", None)
    assert zhanna.person.attributes == {"a": [1]}


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("person.toml", "key = ", "cannot be read"),
        ("person.toml", "colour = 1", "no such field: colour"),
        ("person.json", "[]", "one table"),
        ("person.json", '{"attributes": 3}', "attributes must be a table"),
        ("person.json", '{"key": [1]}', "key must be text"),
        ("person.json", '{"key": " "}', "key must have 1 to 512 characters"),
        ("person.json", '{"key": "%s"}' % ("x" * 513), "key must have 1 to 512 characters"),
        ("person.json", r'{"notes": "a\u0000b"}', "notes holds a NUL"),
        ("person.json", r'{"name": "\ud800"}', "name holds a NUL or half a character"),
        ("person.json", r'{"attributes": {"a": ["\u0000"]}}', "attributes hold a NUL"),
        ("person.json", r'{"attributes": {"\udfff": 1}}', "attributes hold a NUL or half a character"),
        ("person.json", '{"attributes": {"a": NaN}}', "attributes cannot be kept"),
        ("person.json", "[" * 100_000, "cannot be read"),
    ],
)
def test_a_broken_person_file_is_every_photos_problem_and_names_the_file(people, name, text, complaint):
    (people / "Anna" / name).write_text(text, encoding="utf-8")
    photo, other = plan([people])
    assert photo.person is None
    assert complaint in photo.problem
    assert name in photo.problem
    assert other.problem is None


def test_two_person_files_contradict_each_other(people):
    for name in ("person.toml", "person.json"):
        (people / "Anna" / name).write_text("{}" if name.endswith("json") else "", encoding="utf-8")
    with pytest.raises(UsageError, match="keep one"):
        read_person(people / "Anna")


def test_a_folder_name_that_is_no_unicode_is_a_problem_and_not_a_crash(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / "1.jpg").write_bytes(b"")
    (photo,) = plan([tmp_path])
    assert "not valid Unicode" in photo.problem


def test_a_link_in_a_circle_does_not_trap_the_walk(people):
    (people / "Anna" / "again").symlink_to(people)
    assert len(list(plan([people]))) == 2
