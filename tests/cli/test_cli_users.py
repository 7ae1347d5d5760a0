"""Searching by user: all faces of a person at once, with real recognition."""

import json

import pytest
from click.testing import CliRunner

from facesearch.cli import main


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(a) for a in arguments], prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def answer(*arguments):
    return json.loads(run(*arguments, "-o", "json").stdout)


@pytest.fixture
def two(samples, tmp_path):
    """Two people of the group photo, one of them by two photos."""
    for name, photos in (("Amara Okafor", 1), ("Samuel Adeyemi", 2)):
        (tmp_path / "people" / name).mkdir(parents=True)
        for photo in sorted((samples / "people" / name).glob("*.jpg"))[:photos]:
            (tmp_path / "people" / name / photo.name).symlink_to(photo)
    run("enroll", tmp_path / "people", "-c", "staff")
    return samples / "queries"


def test_photos_are_held_against_users_once_there_are_some(two, half_size):
    group = half_size / "group.jpg"
    refused = run("search", group, "-c", "staff", "--by", "user", code=2).stderr
    assert "collection staff has no users to search: `facesearch collection users staff on`" in refused
    on = answer("collection", "users", "staff", "on")
    assert (on["users"], on["people"], on["faces"], on["refused"]) == ("on", 2, 3, {})
    [photo] = answer("search", group, "-c", "staff", "--faces", "all", "--by", "user", "--record")["photos"]
    found = {m["person"]["name"]: m for face in photo["faces"] for m in face["matches"]}
    assert {name: match["enrolled_faces"] for name, match in found.items()} == {
        "Amara Okafor": 1,
        "Samuel Adeyemi": 2,
    }
    for match in found.values():
        assert match["user_id"] == match["person"]["id"]
        assert match["face_id"] is match["photo"] is match["agreeing_faces"] is None
        assert match["similarity"] > 80
    seen = answer("sightings")["sightings"]
    assert sorted(one["person"]["name"] for one in seen) == sorted(found)
    table = run("search", two / "samuel.jpg", "-c", "staff", "--by", "user", "-o", "table").stdout
    assert "2 as one" in table
    [empty] = answer("search", half_size / "lake.jpg", "-c", "staff", "--by", "user")["photos"]
    assert (empty["status"], empty["reason"]) == ("no_face", "it shows no face")
    off = answer("collection", "users", "staff", "off", "--yes")
    assert off["deleted_users"] == 2
    run("search", group, "-c", "staff", "--by", "user", code=2)
