"""Searching many photos, and one from stdin: what is found comes out while the rest is still to be read."""

import io
import json
import shutil

import pytest
from click.testing import CliRunner
from PIL import Image

from facesearch import photos
from facesearch.app import FaceSearch
from facesearch.cli import main, output
from facesearch.domain import GivenPhoto


def run(*arguments, code=0, stdin=None):
    result = CliRunner().invoke(main, [str(a) for a in arguments], input=stdin, prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


@pytest.fixture
def empty_photos(tmp_path):
    """Twelve photos without a face, in a folder."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(12):
        Image.new("RGB", (100, 100), (20 * number, 90, 90)).save(folder / f"{number:02}.jpg")
    return folder


@pytest.mark.parametrize("faces", ["largest", "all"])
def test_the_first_lines_are_out_before_the_last_photo_is_read(faces, empty_photos, monkeypatch):
    run("collection", "create", "staff")
    prepare, lines, out_before_the_last = photos.prepare, [], []

    def prepared(photo):
        if photo.name == "11.jpg":
            out_before_the_last.extend(lines)
        return prepare(photo)

    monkeypatch.setattr(photos, "prepare", prepared)
    monkeypatch.setattr(output, "write", lines.append)  # in this thread, while photos are read in others
    arguments = ["search", str(empty_photos), "-c", "staff", "--faces", faces, "--jobs", "1", "-o", "ndjson"]
    assert main(arguments, standalone_mode=False) == 0
    # One photo may be under way and two more wait for their turn or to be written.
    assert len(out_before_the_last) >= 9
    assert [json.loads(line)["photo"] for line in lines] == [
        str(empty_photos / f"{number:02}.jpg") for number in range(12)
    ]


def test_no_more_photos_are_read_ahead_than_the_jobs_need(empty_photos, monkeypatch):
    prepare, read = photos.prepare, []

    def prepared(photo):
        read.append(photo)
        return prepare(photo)

    monkeypatch.setattr(photos, "prepare", prepared)
    with FaceSearch.open() as fs:
        fs.create_collection("staff")
        found = fs.search([empty_photos], "staff", jobs=2)
        for done in range(1, 13):
            next(found)
            assert len(read) <= done + 5
        found.close()


def test_a_photo_is_taken_from_stdin(samples, tmp_path):
    name = "Hugo Lindqvist"
    query = samples / "queries" / "hugo.jpg"
    run("enroll", sorted((samples / "people" / name).iterdir())[0], "-c", "staff", "--person", name)
    searching = ("search", "-", "-c", "staff", "-o", "json")
    answer = run(*searching, stdin=query.read_bytes()).stdout
    [photo] = json.loads(answer)["photos"]
    assert photo["photo"] == "stdin"
    assert photo["faces"][0]["matches"][0]["person"]["name"] == name
    run(*searching, "--faces", "all", "--save", tmp_path / "drawn", stdin=query.read_bytes())
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["stdin.faces.jpg"]
    shutil.copy(query, tmp_path / "-")
    [file] = json.loads(run("search", tmp_path / "-", "-c", "staff", "-o", "json").stdout)["photos"]
    assert file["photo"] == str(tmp_path / "-")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "there is nothing in it"), (b"no photo", "cannot be read|not a photo|no photo|kind")],
)
def test_stdin_that_is_no_photo_is_an_answer(content, reason):
    run("collection", "create", "staff")
    result = run("search", "-", "-c", "staff", "-o", "json", stdin=content, code=3)
    [photo] = json.loads(result.stdout)["photos"]
    assert photo["status"] == "unreadable"
    assert any(part in photo["reason"] for part in reason.split("|"))


def test_stdin_is_given_once():
    assert "can be given once" in run("search", "-", "-", "-c", "staff", code=2).stderr


def test_a_stream_is_read_no_further_than_a_photo_may_be_long(monkeypatch):
    monkeypatch.setattr(photos, "MAX_FILE_BYTES", 1000)
    stream = io.BytesIO(bytes(5000))
    with FaceSearch.open() as fs:
        fs.create_collection("staff")
        given = fs.given(stream, "endless")
        assert stream.tell() == 1001
        [photo] = fs.search([given], "staff")
    assert (photo.path, photo.reason) == (
        "endless",
        "it has more than the 1,000 bytes up to which photos are read",
    )
    assert "content" not in repr(GivenPhoto("x", b"secret")) and "secret" not in repr(photo)
