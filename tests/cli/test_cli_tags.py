"""`facesearch tag` and `facesearch tags search`, on files and on S3."""

import csv
import io
import json

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws
from PIL import Image

from facesearch.cli import main


def run(*arguments):
    return CliRunner().invoke(main, [str(one) for one in arguments], prog_name="facesearch")


def shrunk(source, target, width=240):
    """A smaller copy, which is looked at sooner."""
    with Image.open(source) as photo:
        photo.resize((width, width * photo.height // photo.width)).save(target)


@pytest.fixture
def folder(samples, tmp_path):
    """A portrait, a photo of five people, and one that is none."""
    folder = tmp_path / "photos"
    (folder / "party").mkdir(parents=True)
    shrunk(samples / "queries" / "hugo.jpg", folder / "hugo.jpg")
    shrunk(samples / "queries" / "group.jpg", folder / "party" / "Gäste 1.jpg", 640)
    (folder / "notes.txt").write_text("none")
    return folder


def statuses(done):
    return {photo["photo"].rpartition("/")[2]: photo["status"] for photo in json.loads(done.stdout)["photos"]}


def names(done):
    return [found["photo"].rpartition("/")[2] for found in json.loads(done.stdout)["found"]]


def test_photos_are_tagged_once_and_found_by_label_parent_and_confidence(folder, tmp_path):
    done = run("tag", folder, "--to", tmp_path / "labels")
    assert done.exit_code == 3 and "2 photos tagged, 1 photo unreadable" in done.stderr
    assert statuses(done) == {"hugo.jpg": "tagged", "Gäste 1.jpg": "tagged", "notes.txt": "unreadable"}
    document = json.loads((tmp_path / "labels" / "party" / "Gäste 1.jpg.json").read_text())
    assert document["photo"] == str(folder / "party" / "Gäste 1.jpg") and len(document["sha256"]) == 64
    assert "People" in {label["name"] for label in document["labels"]}
    assert not (tmp_path / "labels" / "notes.txt.json").exists()

    assert statuses(run("tag", folder))["hugo.jpg"] == "already"
    assert json.loads(run("usage").stdout)["usage"][0]["calls"] == 2
    (tmp_path / "labels" / "hugo.jpg.json").unlink()
    assert statuses(run("tag", folder, "--to", tmp_path / "labels"))["hugo.jpg"] == "already"
    assert (tmp_path / "labels" / "hugo.jpg.json").exists()
    assert json.loads(run("usage").stdout)["usage"][0]["calls"] == 2

    assert names(run("tags", "search", "people")) == ["Gäste 1.jpg"]
    assert set(names(run("tags", "search", "HUMAN"))) == {"hugo.jpg", "Gäste 1.jpg"}
    assert names(run("tags", "search", "--parent", "Photography")) == ["hugo.jpg"]
    assert names(run("tags", "search", "portrait", "--parent", "vehicle")) == []
    assert names(run("tags", "search", "person", "--min-confidence", "100")) == []
    assert run("tags", "search", "cat", "--fail-if-none").exit_code == 1
    assert run("tags", "search", "people", "--fail-if-none").exit_code == 0
    rows = list(csv.DictReader(io.StringIO(run("tags", "search", "portrait", "-o", "csv").stdout)))
    assert rows[0]["label"] == "Portrait" and rows[0]["parents"] == "Face, Head, Person, Photography"


def test_a_request_of_other_bounds_asks_again(folder):
    photo = folder / "hugo.jpg"
    run("tag", photo)
    done = run("tag", photo, "--max-labels", 2, "--min-confidence", 99)
    assert statuses(done) == {"hugo.jpg": "tagged"}
    assert len(json.loads(done.stdout)["photos"][0]["labels"]) == 2
    assert statuses(run("tag", photo, "--max-labels", 2, "--min-confidence", 99)) == {"hugo.jpg": "already"}


def test_a_changed_file_is_asked_about_again(folder, samples):
    run("tag", folder / "hugo.jpg")
    shrunk(samples / "queries" / "lake.jpg", folder / "hugo.jpg")
    done = run("tag", folder / "hugo.jpg", "-o", "table")
    assert "nothing" in done.stdout and "1 photo tagged" in done.stderr
    assert names(run("tags", "search", "person")) == []


def test_photos_in_s3_are_tagged_without_a_download_into_s3_or_a_folder(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="pictures")
        photo = (folder / "hugo.jpg").read_bytes()
        for key in (
            "uploads/a.jpg",
            "uploads/b/c d.jpg",
            "uploads/",
            "uploads/.DS_Store",
            "uploads-old/x.jpg",
        ):
            s3.put_object(Bucket="pictures", Key=key, Body=photo)
        done = run("tag", "s3://pictures/uploads", "--to", "s3://pictures/metadata")
        assert statuses(done) == {"a.jpg": "tagged", "c d.jpg": "tagged"} and done.exit_code == 0
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket="pictures", Prefix="metadata/")["Contents"]]
        assert keys == ["metadata/a.jpg.json", "metadata/b/c d.jpg.json"]
        s3.put_object(Bucket="pictures", Key="uploads/../evil.jpg", Body=photo)
        done = run("tag", "s3://pictures/uploads/", "--to", tmp_path / "labels")
        assert statuses(done) == {"a.jpg": "already", "c d.jpg": "already", "evil.jpg": "unreadable"}
        assert (tmp_path / "labels" / "b" / "c d.jpg.json").exists()
        assert not (tmp_path / "evil.jpg.json").exists()
        assert statuses(run("tag", "s3://pictures/uploads/a.jpg")) == {"a.jpg": "already"}
    assert names(run("tags", "search", "portrait")) == ["a.jpg", "c d.jpg"]


def test_two_photos_of_one_name_do_not_share_a_document(folder, samples, tmp_path):
    (tmp_path / "more").mkdir()
    shrunk(samples / "queries" / "amara.jpg", tmp_path / "more" / "hugo.jpg")
    done = run("tag", folder / "hugo.jpg", tmp_path / "more", "--to", tmp_path / "labels")
    assert done.exit_code == 3 and "its document is that of" in done.stdout
    assert json.loads((tmp_path / "labels" / "hugo.jpg.json").read_text())["photo"] == str(
        folder / "hugo.jpg"
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["tag"], "Missing argument"),
        (["tag", "nowhere"], "there is no file or folder"),
        (["tag", ".", "--to", "labels"], "the documents would be taken for photos next time"),
        (["tag", "s3://"], "is no place in S3"),
        (["tag", ".", "--max-labels", "0"], "--max-labels"),
        (["tag", ".", "--min-confidence", "101"], "--min-confidence"),
        (["tags", "search"], "Say what to look for"),
        (["tags", "search", "*"], "has no word to look for"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(
    arguments, complaint, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code == 2 and complaint in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_search_before_anything_was_tagged_says_what_to_do():
    done = run("tags", "search", "cat", "-o", "table")
    assert done.exit_code == 0 and "`facesearch tag` looks at photos" in done.stderr
