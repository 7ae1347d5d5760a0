"""Every command on the embedded engine, with real recognition, on the drawn people."""

import csv
import io
import json
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner
from PIL import Image
from rich.cells import cell_len

from facesearch.cli import main


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def answer(*arguments, code=0):
    document = json.loads(run(*arguments, code=code).stdout)
    assert document.pop("schema") == 1
    return document


@pytest.fixture(scope="session")
def labels(samples):
    return json.loads((samples / "labels.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def query(samples, labels):
    """The first query photo of a kind, and the label that goes with it."""

    def find(kind):
        label = next(label for label in labels["queries"] if label["kind"] == kind)
        return samples / label["photo"], label

    return find


@pytest.fixture(scope="session")
def folder(samples, query, tmp_path_factory):
    """Two people of two photos each; the first query photo of a person shows the first of them."""
    known = query("person")[1]["shows"][0]
    other = next(path.name for path in sorted((samples / "people").iterdir()) if path.name != known)
    people = tmp_path_factory.mktemp("photos") / "people"
    for name in (known, other):
        (people / name).mkdir(parents=True)
        pictures = sorted(
            path for path in (samples / "people" / name).iterdir() if path.suffix in {".jpg", ".png"}
        )
        for picture in pictures[:2]:
            shutil.copy(picture, people / name)
    return people


@pytest.fixture(scope="session")
def enrolled_home(folder, vision_cache, tmp_path_factory):
    """A home in which the two people are enrolled in the collection `staff`."""
    home = tmp_path_factory.mktemp("enrolled")
    (home / "cache").symlink_to(vision_cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACESEARCH_HOME", str(home))
        run("enroll", folder, "-c", "staff")
    return home


@pytest.fixture
def staff(own_home):
    """This test's own copy of that home."""
    return own_home


def face_ids(*options):
    return [face["face_id"] for face in answer("face", "list", "-c", "staff", *options)["faces"]]


# --- enrolling


def test_enrolling_reports_every_photo_and_enrolling_again_does_nothing(folder):
    first = run("enroll", folder, "-c", "staff")
    assert first.stderr.startswith("engine: embedded · collection: staff · records: sqlite:///")
    report = json.loads(first.stdout)
    assert report["photos"]["total"] == report["photos"]["enrolled"] == 4
    assert (report["people"], report["problems"]) == (2, [])
    again = answer("enroll", folder, "-c", "staff")
    assert again["photos"]["already"] == again["photos"]["total"] == 4


def test_an_enrolment_with_photos_that_cannot_be_read_is_partly_done(staff, folder, query, tmp_path):
    people = tmp_path / "people"
    shutil.copytree(folder, people)
    nobody = people / "Nobody"
    nobody.mkdir()
    (nobody / "empty.jpg").touch()
    shutil.copy(query("empty")[0], nobody / "wall.jpg")
    report = answer("enroll", people, "-c", "staff", code=3)
    assert report["photos"]["already"] == 4
    problems = {(problem["photo"], problem["status"]) for problem in report["problems"]}
    assert problems == {(str(nobody / "empty.jpg"), "unreadable"), (str(nobody / "wall.jpg"), "no_face")}
    assert all(problem["reason"] and problem["person"] == "Nobody" for problem in report["problems"])
    table = run("enroll", people, "-c", "staff", "-o", "table", code=3).stdout
    assert "already there" in table
    assert "what to do" in table


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_an_enrolment_can_be_followed_photo_by_photo(staff, folder, form):
    result = run("enroll", folder, "-c", "staff", "-o", form)
    if form == "csv":
        photos = list(csv.DictReader(io.StringIO(result.stdout)))
    else:
        photos = [json.loads(line) for line in result.stdout.splitlines()]
    assert {photo["status"] for photo in photos} == {"already"}
    assert {photo["photo"] for photo in photos} == {str(path) for path in folder.rglob("*.*")}
    assert "4 photos of 2 people for collection staff" in result.stderr


def test_loose_photos_are_enrolled_with_a_name(staff, query, tmp_path):
    photo, _ = query("stranger")
    run("enroll", photo, "-c", "staff", "--person", "Zoë =1+1")
    assert [match["person"]["name"] for match in matches(photo)] == ["Zoë =1+1"]
    run("enroll", photo, "-c", "staff", code=2)
    run("enroll", tmp_path / "missing", "-c", "staff", code=2)


# --- searching


def search(*arguments, code=0):
    return answer("search", *arguments, "-c", "staff", code=code)


def matches(photo, *options):
    return search(photo, *options)["photos"][0]["faces"][0]["matches"]


def test_a_person_is_found_by_photo_and_joined_to_their_records(staff, folder, query):
    photo, label = query("person")
    document = search(photo)
    assert (document["engine"], document["collection"], document["threshold"]) == ("embedded", "staff", 80.0)
    [found] = document["photos"]
    assert (found["photo"], found["status"], found["reason"]) == (str(photo), "matched", None)
    best = found["faces"][0]["matches"][0]
    assert best["person"]["name"] == label["shows"][0]
    assert best["similarity"] >= 80
    assert best["face_id"] in face_ids()
    assert folder / label["shows"][0] == type(folder)(best["photo"]).parent


def test_the_four_answers_are_told_apart_and_come_in_the_order_asked(staff, query, tmp_path):
    broken = tmp_path / "-broken.jpg"
    broken.write_bytes(b"\xff\xd8nothing")
    asked = [query("empty")[0], query("person")[0], broken, query("stranger")[0], tmp_path / "missing.jpg"]
    document = search(*asked, code=3)
    assert [photo["photo"] for photo in document["photos"]] == [str(path) for path in asked]
    answers = [photo["status"] for photo in document["photos"]]
    assert answers == ["no_face", "matched", "unreadable", "unmatched", "unreadable"]
    assert all(
        photo["reason"] for photo in document["photos"] if photo["status"] in {"no_face", "unreadable"}
    )


def test_odd_file_names_are_taken_as_they_are(staff, query, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(query("person")[0], "-o")
    shutil.copy(query("person")[0], "-")
    document = answer("search", "-c", "staff", "--", "-o", "./-")
    assert [(photo["photo"], photo["status"]) for photo in document["photos"]] == [
        ("-o", "matched"),
        ("-", "matched"),
    ]


def test_nobody_found_is_an_answer_and_a_failure_only_when_asked(staff, query):
    stranger, empty, person = (query(kind)[0] for kind in ("stranger", "empty", "person"))
    search(stranger, empty)
    search(person, "--fail-if-none")
    search(person, stranger, "--fail-if-none", code=1)
    search(empty, "--fail-if-none", code=1)


def test_the_threshold_and_the_number_of_matches_are_the_callers(staff, query):
    photo, _ = query("person")
    assert len(matches(photo, "--threshold", "0")) == 2
    assert len(matches(photo, "--threshold", "0", "--max-matches", "1")) == 1
    assert search(photo, "--threshold", "100")["photos"][0]["status"] == "unmatched"


def test_searched_photos_are_saved_with_their_boxes(staff, query, tmp_path):
    saved = tmp_path / "drawn"
    result = run("search", query("person")[0], query("empty")[0], "-c", "staff", "--save", saved)
    [path] = saved.iterdir()
    with Image.open(path) as image:
        image.load()
    assert f"1 photo drawn in {saved}" in result.stderr


def test_a_collection_that_is_not_there_is_the_services_answer(staff, query):
    result = run("search", query("person")[0], "-c", "guests", code=5)
    assert "error: " in result.stderr
    assert "guests" in result.stderr


# --- one photo, two photos


def test_the_faces_of_a_photo_are_shown(query):
    document = answer("detect", query("group")[0])
    assert len(document["faces"]) == len(query("group")[1]["faces"])
    areas = [face["box"]["width"] * face["box"]["height"] for face in document["faces"]]
    assert areas == sorted(areas, reverse=True)
    assert run("detect", query("empty")[0], "-o", "table").stdout == ""


def test_a_photo_that_is_the_whole_question_must_be_one(query, tmp_path):
    (tmp_path / "empty.jpg").touch()
    assert "empty.jpg" in run("detect", tmp_path / "empty.jpg", code=2).stderr
    assert "missing.jpg" in run("compare", query("person")[0], tmp_path / "missing.jpg", code=2).stderr


def test_two_photos_are_compared(folder, query):
    photo, label = query("person")
    same, other = (next((folder / name).iterdir()) for name in sorted(p.name for p in folder.iterdir()))
    if same.parent.name != label["shows"][0]:
        same, other = other, same
    document = answer("compare", photo, same)
    assert document["source"]["photo"] == str(photo)
    assert document["target"] == {"photo": str(same)}
    assert (document["faces"][0]["match"], document["faces"][0]["similarity"] >= 80) == (True, True)
    [different] = answer("compare", photo, other)["faces"]
    assert (different["match"], different["similarity"]) == (False, None)
    assert "no match" in run("compare", photo, other, "-o", "table").stdout


# --- managing


def test_collections_are_created_listed_shown_and_deleted(home):
    created = answer("collection", "create", "guests")["collection"]
    assert created["face_count"] == 0
    assert created["arn"].endswith("collection/guests")
    run("collection", "create", "guests", code=5)
    assert [c["collection_id"] for c in answer("collection", "list")["collections"]] == ["guests"]
    assert answer("collection", "show", "guests")["collection"] == created
    refused = run("collection", "delete", "guests", code=2)
    assert "Collection guests will be deleted, with 0 faces of 0 people" in refused.stderr
    assert "--yes" in refused.stderr
    assert answer("collection", "delete", "guests", "--yes")["deleted"]["faces"] == {"guests": 0}
    assert answer("collection", "list")["collections"] == []


def test_deleting_a_collection_keeps_its_people(staff):
    deleted = answer("collection", "delete", "staff", "--yes")["deleted"]
    assert deleted == {"faces": {"staff": 4}, "face_records": 4, "people": 0}
    assert [person["faces"] for person in answer("person", "list")["people"]] == [{}, {}]


def test_people_are_listed_and_shown_by_id_key_and_name(staff, folder):
    people = answer("person", "list", "-c", "staff")["people"]
    assert [person["name"] for person in people] == sorted(path.name for path in folder.iterdir())
    assert all(person["faces"] == {"staff": 2} for person in people)
    first = people[0]
    assert answer("person", "show", first["id"])["person"] == first
    assert answer("person", "show", first["name"])["person"] == first
    run("person", "show", "nobody at all", code=2)


def test_a_person_is_edited_where_told_and_nowhere_else(staff, folder):
    name = min(path.name for path in folder.iterdir())
    attributes = '{"team": "north", "floor": 3}'
    edited = answer(
        "person", "edit", name, "--key", "k-1", "--attributes", attributes, "--notes", "left-handed"
    )
    person = edited["person"]
    assert (person["name"], person["key"], person["notes"]) == (name, "k-1", "left-handed")
    assert person["attributes"] == {"team": "north", "floor": 3}
    again = answer("person", "edit", "k-1", "--name", "Zoë", "--attributes", '{"floor": null}', "--notes", "")
    assert again["person"]["attributes"] == {"team": "north"}
    assert (again["person"]["name"], again["person"]["key"], again["person"]["notes"]) == ("Zoë", "k-1", None)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_names_reach_pipes_of_every_encoding(staff, folder, encoding, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    run("person", "edit", min(path.name for path in folder.iterdir()), "--name", "Zoë 山田 👩‍🚀")
    command = [sys.executable, "-m", "facesearch", "person", "list", "-o"]
    written = {form: subprocess.run([*command, form], capture_output=True) for form in ("json", "table")}
    assert [done.returncode for done in written.values()] == [0, 0]
    names = [person["name"] for person in json.loads(written["json"].stdout.decode(encoding))["people"]]
    assert "Zoë 山田 👩‍🚀" in names
    lines = written["table"].stdout.decode(encoding).splitlines()
    assert len({cell_len(line[: line.rindex("  staff: 2")]) for line in lines[1:]}) == 1, (
        "columns are aligned"
    )


def test_erasing_a_person_takes_them_from_the_collection_and_the_records(staff, folder, query):
    name = query("person")[1]["shows"][0]
    refused = run("person", "erase", name, code=2)
    assert "with 2 faces in staff" in refused.stderr
    assert len(face_ids()) == 4
    [erasure] = answer("person", "erase", name, "--yes")["erasures"]
    assert (erasure["state"], erasure["faces_deleted"]) == ("erased", 2)
    assert erasure["records_deleted"]["people"] == 1
    assert len(face_ids()) == 2
    assert search(query("person")[0])["photos"][0]["status"] == "unmatched"
    run("person", "show", name, code=2)


def test_faces_are_listed_with_person_and_photo_and_deleted_by_id(staff, folder):
    name = min(path.name for path in folder.iterdir())
    document = answer("face", "list", "-c", "staff")
    assert (document["engine"], document["collection"], len(document["faces"])) == ("embedded", "staff", 4)
    one, two = face_ids("--person", name)
    assert (
        "1 face of collection staff will be deleted"
        in run("face", "delete", one, one, "-c", "staff", code=2).stderr
    )
    assert (
        "2 faces of collection staff will be deleted"
        in run("face", "delete", one, two, "-c", "staff", code=2).stderr
    )
    assert answer("face", "delete", one, "-c", "staff", "--yes")["deleted"]["faces"] == {"staff": 1}
    assert face_ids("--person", name) == [two]
    [kept] = answer("face", "delete", one, "-c", "staff", "--yes", code=3)["refused"]
    assert kept["face_id"] == one
    assert kept["reasons"]


@pytest.mark.parametrize(
    "command", [["collection", "list"], ["person", "list"], ["face", "list", "-c", "staff"]], ids=" ".join
)
def test_every_form_holds_every_item(staff, command):
    name = {"collection": "collections", "person": "people", "face": "faces"}[command[0]]
    items = answer(*command)[name]
    lines = run(*command, "-o", "ndjson").stdout.splitlines()
    assert [json.loads(line) for line in lines] == items
    assert len(list(csv.DictReader(io.StringIO(run(*command, "-o", "csv").stdout)))) == len(items)
    assert len(run(*command, "-o", "table").stdout.splitlines()) == len(items) + 1


# --- settings and schema


def test_settings_are_shown_with_where_they_came_from_and_without_passwords(monkeypatch):
    monkeypatch.setenv("FACESEARCH_DATABASE_URL", "postgresql+psycopg://me:secret@db/faces")
    result = run("config")
    assert "secret" not in result.stdout
    shown = {setting["name"]: setting for setting in json.loads(result.stdout)["settings"]}
    assert shown["database_url"]["value"] == "postgresql+psycopg://me:***@db/faces"
    assert shown["database_url"]["origin"] == "FACESEARCH_DATABASE_URL"
    assert shown["rate"]["origin"] == "default"
    assert "FACESEARCH_HOME" in run("config", "-o", "table").stdout


def test_the_schema_is_shown_and_brought_up_to_date(home):
    before = run("db", "current")
    assert json.loads(before.stdout)["revision"] is None
    assert "facesearch db upgrade" in before.stderr
    upgraded = answer("db", "upgrade")
    assert upgraded["up_to_date"] is True
    assert upgraded["revision"] == upgraded["newest"]
    assert answer("db", "current") == upgraded


def test_records_can_be_elsewhere(folder, tmp_path):
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    run("person", "list", "--database-url", url)
    assert (tmp_path / "elsewhere.db").exists()


def test_records_that_cannot_be_reached_are_a_matter_of_configuration():
    result = run("person", "list", "--database-url", "postgresql+psycopg://127.0.0.1:9/faces", code=4)
    assert result.stderr.splitlines()[-1].startswith("error: ")


# --- the demo


def test_the_demo_finds_everybody_and_leaves_nothing_behind(home, labels):
    result = run("demo")
    lines = result.stdout.splitlines()
    assert len(lines) == len(labels["queries"]) + 1
    assert all(line.endswith("right") for line in lines[1:])
    assert f"{len(labels['queries'])} of {len(labels['queries'])} answers right" in result.stderr
    assert "$ facesearch enroll " in result.stderr
    assert [path.name for path in home.iterdir()] == ["cache"]
