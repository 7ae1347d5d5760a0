"""`facesearch person merge` and `split` as they are typed."""

import json
import shutil

import pytest
from click.testing import CliRunner

from facesearch.cli import main


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(a) for a in arguments], prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def answer(*arguments, code=0):
    return json.loads(run(*arguments, "-o", "json", code=code).stdout)


@pytest.fixture(scope="module")
def enrolled_home(samples, vision_cache, tmp_path_factory):
    home = tmp_path_factory.mktemp("enrolled")
    (home / "cache").symlink_to(vision_cache)
    people = home / "people"
    for name, photos in (("Sam", ["beach.jpg", "staff.jpg"]), ("S. Adeyemi", ["street.jpg"])):
        (people / name).mkdir(parents=True)
        for photo in photos:
            shutil.copy(samples / "people" / "Samuel Adeyemi" / photo, people / name)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FACESEARCH_HOME", str(home))
        run("enroll", people, "-c", "staff")
        run("collection", "users", "staff", "on")
    return home


@pytest.fixture
def people(own_home, enrolled_home):
    """The folders of two people who are enrolled and are one."""
    return enrolled_home / "people"


def test_a_merge_says_what_it_does_and_needs_a_yes(people):
    run("person", "edit", "S. Adeyemi", "--notes", "shy", "--attributes", '{"team": "south"}')
    run("person", "edit", "Sam", "--key", "E-1", "--attributes", '{"team": "north"}')
    refused = run("person", "merge", "Sam", "S. Adeyemi", code=2).stderr
    assert "S. Adeyemi, id" in refused and "(1 face in staff) and Sam, key E-1 (2 faces in staff)" in refused
    assert "attribute team of S. Adeyemi will be gone" in refused and "add --yes" in refused
    done = answer("person", "merge", "E-1", "S. Adeyemi", "--yes")
    assert done["schema"] == 1
    assert (done["person"]["name"], done["person"]["notes"], done["person"]["faces"]) == (
        "Sam",
        "shy",
        {"staff": 3},
    )
    assert done["moved"] == {"faces": {"staff": 1}, "photos": 1, "sightings": 0, "doubled": 0}
    [merged] = done["merged"]
    assert (merged["name"], merged["key"]) == ("S. Adeyemi", None)
    assert done["dropped"] == [{"person_id": merged["id"], "what": "attribute team", "value": "south"}]
    assert (done["rest"], done["waiting"]) == (None, {})
    shown = answer("person", "show", merged["id"])
    assert (shown["person"]["name"], shown["merged"]) == ("Sam", [merged])
    assert "S. Adeyemi" in run("person", "show", "Sam", "-o", "table").stdout
    assert answer("person", "merge", "Sam", "S. Adeyemi")["merged"] == []


def test_sightings_go_where_the_person_goes(people, samples):
    query = samples / "queries" / "samuel.jpg"
    [photo] = answer("search", query, "-c", "staff", "--record")["photos"]
    best = photo["faces"][0]["matches"][0]
    name, other = best["person"]["name"], {"Sam": "S. Adeyemi", "S. Adeyemi": "Sam"}[best["person"]["name"]]
    done = answer("person", "merge", other, name, "--yes")
    assert done["moved"]["sightings"] == 1
    assert [one["person"]["name"] for one in answer("sightings")["sightings"]] == [other]
    moved = answer("person", "split", other, best["face_id"], "--to", "Twin")
    assert moved["moved"]["sightings"] == 1
    assert [one["person"]["name"] for one in answer("sightings", "--person", "Twin")["sightings"]] == ["Twin"]


def test_a_split_gives_photos_to_somebody_new(people):
    table = run("person", "split", "Sam", people / "Sam" / "beach.jpg", "--to", "Twin", "-o", "table").stdout
    assert "Twin" in table and "faces moved" in table
    assert answer("person", "show", "Twin")["person"]["faces"] == {"staff": 1}
    told = run("person", "split", "Sam", people / "Sam" / "staff.jpg", "--to", "Twin", code=2).stderr
    assert "nothing would be left of Sam" in told
    told = run("person", "split", "Sam", people / "Sam" / "beach.jpg", "--to", "Twin", code=2).stderr
    assert "is no photo with a face of Sam on record: see `facesearch face list -c ID --person" in told
    assert answer("reconcile", "-c", "staff")["findings"] == []


def test_whoever_is_named_wrongly_is_told_so(people):
    assert "named twice" in run("person", "merge", "Sam", "Sam", "--yes", code=2).stderr
    assert (
        "nobody with the id, key or name 'Eve'"
        in run("person", "merge", "Sam", "Eve", "--yes", code=2).stderr
    )
    assert "Missing option '--to'" in run("person", "split", "Sam", "a.jpg", code=2).stderr


def test_what_another_engine_holds_waits_for_it(people, tmp_path, home):
    records = f"sqlite:///{home / 'facesearch.db'}"
    with pytest.MonkeyPatch.context() as elsewhere:
        elsewhere.setenv("FACESEARCH_HOME", str(tmp_path))
        done = run(
            "person", "merge", "Sam", "S. Adeyemi", "--yes", "--database-url", records, "-o", "json", code=3
        )
    assert json.loads(done.stdout)["waiting"] == {"staff": "it is not on this engine"}
    assert "reconcile -c ID --apply" in done.stderr
    assert answer("person", "merge", "Sam", "S. Adeyemi")["waiting"] == {}
    assert answer("reconcile", "-c", "staff")["findings"] == []


def test_a_calibration_of_before_is_named(people, home):
    import sqlite3

    connection = sqlite3.connect(home / "facesearch.db")
    with connection:
        connection.execute(
            "INSERT INTO calibrations (collection, model_version, made_at, faces, people, comparisons, own,"
            " own_people, points) SELECT id, model_version, created_at, 3, 2, 1, 1, 1, '[]' FROM collections"
        )
    connection.close()
    told = run("person", "merge", "Sam", "S. Adeyemi", "--yes").stderr
    assert "staff was calibrated with the people as they were: `facesearch calibrate -c staff`" in told
