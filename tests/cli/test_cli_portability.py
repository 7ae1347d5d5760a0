"""`person erase`, `export` and `import` as commands: their forms, questions and exit codes."""

import json
import shutil

import pytest
from click.testing import CliRunner

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


@pytest.fixture
def people(samples, tmp_path):
    """One person with one photo."""
    folder = sorted((samples / "people").iterdir())[0]
    (tmp_path / "people" / folder.name).mkdir(parents=True)
    shutil.copy(sorted(folder.glob("*.jpg"))[0], tmp_path / "people" / folder.name)
    return tmp_path / "people"


def test_people_are_exported_erased_and_imported_again_under_another_name(people, home, tmp_path):
    run("enroll", people, "-c", "staff")
    [person] = answer("person", "list")["people"]
    exported = answer("export", tmp_path / "all.zip", "--photos")
    assert (exported["people"], exported["photos_inside"], exported["missing"]) == (1, 1, [])
    assert "there already" in run("export", tmp_path / "all.zip", code=2).stderr

    [erasure] = answer("person", "erase", person["id"], "--yes", "--receipt", tmp_path / "r.json")["erasures"]
    assert (erasure["state"], erasure["receipt"]) == ("erased", str(tmp_path / "r.json"))
    assert [one["faces_deleted"] for one in erasure["collections"]] == [1]
    assert json.loads((tmp_path / "r.json").read_text())["person"] == {"id": person["id"]}

    plan = answer("import", tmp_path / "all.zip", "-c", "staff", "--dry-run")
    assert plan["people"] == {"new": 0, "known": 0, "erased_here": 1}
    again = answer("import", tmp_path / "all.zip", "-c", "staff", code=3)
    assert (again["imported"]["erased_here"], again["photos"]["total"]) == (1, 0)
    other = f"sqlite:///{tmp_path / 'other.db'}"
    plan = run(
        "import", tmp_path / "all.zip", "-c", "team", "--database-url", other, "--dry-run", "-o", "table"
    )
    assert plan.stdout.splitlines()[0] == "1 new person, 0 known; nothing was sent or written"
    done = run("import", tmp_path / "all.zip", "-c", "team", "--database-url", other, "-o", "table")
    assert done.stdout.splitlines()[0] == "1 new person, 0 known"
    assert "  enrolled " in done.stdout


def test_erasing_wants_one_person_or_what_is_pending():
    assert "say whom" in run("person", "erase", code=2).stderr
    assert "say whom" in run("person", "erase", "x", "--pending", code=2).stderr
    assert "for one person" in run("person", "erase", "--pending", "--named", code=2).stderr
    assert "nobody" in run("person", "erase", "x", "--yes", code=2).stderr
    assert answer("person", "erase", "--pending") == {"erasures": []}
    assert "no erasing is pending" in run("person", "erase", "--pending", "-o", "table").stderr


def test_what_is_no_export_is_a_matter_of_usage(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"x")
    assert "cannot be imported" in run("import", tmp_path / "x.zip", "-c", "staff", code=2).stderr
    assert "cannot be imported" in run("import", tmp_path / "nowhere", "-c", "staff", code=2).stderr
