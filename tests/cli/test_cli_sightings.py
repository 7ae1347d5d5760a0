"""Where people were seen: written down by a search that is asked to, listed, and gone with the person."""

import csv
import io
import json
import shutil

import pytest
from click.testing import CliRunner

from facesearch.cli import main


def run(*arguments, code=0, stdin=None):
    result = CliRunner().invoke(main, [str(a) for a in arguments], input=stdin, prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def seen(*options):
    return json.loads(run("sightings", *options, "-o", "json").stdout)["sightings"]


@pytest.fixture
def party(samples, half_size, tmp_path):
    """The group photo in a folder, two of those in it being enrolled."""
    for name in ("Amara Okafor", "Samuel Adeyemi"):
        portrait = sorted((samples / "people" / name).glob("*.jpg"))[0]
        run("enroll", portrait, "-c", "staff", "--person", name)
    photo = tmp_path / "party" / "group.jpg"
    photo.parent.mkdir()
    shutil.copy(half_size / "group.jpg", photo)
    return photo


def test_who_was_seen_where_is_listed_and_shown_until_the_person_is_erased(party, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("search", "party", "-c", "staff", "--faces", "all")
    assert seen() == []
    searched = json.loads(
        run("search", "party", "-c", "staff", "--faces", "all", "--record", "-o", "json").stdout
    )
    found = [face for face in searched["photos"][0]["faces"] if face["matches"]]
    listed = {one["person"]["name"]: one for one in seen()}
    assert sorted(listed) == ["Amara Okafor", "Samuel Adeyemi"]
    for face in found:
        match = face["matches"][0]
        one = listed[match["person"]["name"]]
        assert one["photo"]["path"] == str(party)
        assert one["box"] == face["box"]
        assert {name: one[name] for name in ("similarity", "face_id", "agreeing_faces", "margin")} == {
            name: match[name] for name in ("similarity", "face_id", "agreeing_faces", "margin")
        }
    assert [one["person"]["name"] for one in seen("--person", "Samuel Adeyemi")] == ["Samuel Adeyemi"]
    shown = json.loads(run("person", "show", "Amara Okafor", "-o", "json").stdout)
    assert shown["sightings"] == [listed["Amara Okafor"]]
    assert "party/group.jpg" in run("person", "show", "Amara Okafor", "-o", "table").stdout
    erased = json.loads(run("person", "erase", "Amara Okafor", "--yes", "-o", "json").stdout)
    assert erased["erasures"][0]["records_deleted"]["sightings"] == 1
    assert [one["person"]["name"] for one in seen()] == ["Samuel Adeyemi"]
    run("collection", "delete", "staff", "--yes")
    assert seen() == []
    assert "nobody was seen" in run("sightings", "-o", "table").stderr


def test_sightings_are_asked_for_by_photo_and_by_time(party, tmp_path):
    run("search", party, "-c", "staff", "--record")
    run("search", "-", "-c", "staff", "--record", stdin=party.read_bytes())
    [one] = seen("--photo", party)  # the same content, whatever it was called
    assert one["photo"]["path"] == "stdin"
    run("search", party, "-c", "staff", "--record")
    moved = party.rename(tmp_path / "moved.jpg")
    assert len(seen("--photo", moved)) == len(seen("--photo", party)) == 1
    assert seen("--photo", tmp_path / "another.jpg") == []
    assert len(seen("--since", "2020-01-01")) == len(seen("--since", "2020-01-01T12:00+02:00")) == 1
    assert seen("--since", "2999-01-01") == []
    rows = list(csv.DictReader(io.StringIO(run("sightings", "-o", "csv").stdout)))
    assert [(row["person_name"], row["photo"]) for row in rows] == [(one["person"]["name"], str(party))]
    for wrong in ("yesterday", "0001-01-01T00:00+23:59", "2026-13-01"):
        assert "is not a date or time" in run("sightings", "--since", wrong, code=2).stderr
    assert "nobody with the id" in run("sightings", "--person", "Nobody", code=2).stderr


def test_what_cannot_be_read_leaves_what_was_seen(party):
    run("search", party, "-c", "staff", "--record")
    before = seen()
    party.write_bytes(b"no photo any more")
    run("search", party, "-c", "staff", "--record", code=3)
    assert seen() == before
