"""Enrolling from S3: moto's S3, the embedded engine, and the real way between them."""

import hashlib
import json
from functools import cached_property

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from facesearch import FaceSearch
from facesearch.domain import PhotoStatus
from facesearch.errors import AccessDeniedError, ConfigurationError, UsageError
from facesearch.s3 import S3Photos

ENROLLED, ALREADY = PhotoStatus.ENROLLED, PhotoStatus.ALREADY


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="photos")
        yield client


@pytest.fixture
def fs():
    with FaceSearch.open() as fs:
        yield fs


@pytest.fixture
def calls(monkeypatch):
    """The S3 operations that are asked for."""
    made = []
    real = FaceSearch._stored.func

    def counting(self):
        stored = real(self)
        stored._client.meta.events.register("before-call.s3", lambda model, **_: made.append(model.name))
        return stored

    name = FaceSearch._stored.attrname
    replaced = cached_property(counting)
    replaced.__set_name__(FaceSearch, name)
    monkeypatch.setattr(FaceSearch, name, replaced, raising=False)
    return made


def put(s3, key, content, **options):
    s3.put_object(Bucket="photos", Key=key, Body=content, **options)


def portrait(samples, number=0):
    folder = sorted((samples / "people").iterdir())[number]
    return sorted(path for path in folder.iterdir() if path.suffix == ".jpg")[0].read_bytes()


def counts(report):
    return {status: count for status, count in report.counts.items() if count}


def problems(report):
    return {outcome.path: outcome.reason for outcome in report.problems}


def test_folders_below_a_prefix_are_people_as_on_disk(fs, s3, samples):
    put(s3, "people/Anna Ek/1.jpg", portrait(samples))
    put(s3, "people/Anna Ek/2020/2.jpg", portrait(samples, 1))
    put(s3, "people/Anna Ek/person.toml", b'key = "E-1"\n[attributes]\nteam = "ops"\n')
    put(s3, "people/Жанна/1.jpg", portrait(samples, 2))
    put(s3, "people/Жанна/", b"")
    put(s3, "people/Жанна/.DS_Store", b"x")
    put(s3, "people-of-others/Eve/1.jpg", portrait(samples, 3))
    put(s3, "people/loose.jpg", portrait(samples, 3))
    report = fs.enroll(["s3://photos/people"], "staff")
    assert counts(report) == {ENROLLED: 3, PhotoStatus.FAILED: 1}
    assert "belongs to nobody" in problems(report)["s3://photos/people/loose.jpg"]
    assert fs.person("E-1").person.attributes == {"team": "ops"}
    assert {one.enrolled.photo.path for one in fs.faces("staff", "E-1")} == {
        "s3://photos/people/Anna Ek/1.jpg",
        "s3://photos/people/Anna Ek/2020/2.jpg",
    }


def test_an_object_is_the_same_photo_as_a_file_with_its_content(fs, s3, samples, tmp_path):
    (tmp_path / "a.jpg").write_bytes(portrait(samples))
    put(s3, "people/Anna/1.jpg", portrait(samples))
    fs.enroll([tmp_path / "a.jpg"], "staff", person="Anna")
    assert counts(fs.enroll(["s3://photos/people/"], "staff")) == {ALREADY: 1}


def test_an_object_is_downloaded_to_be_known_once_and_never_again(fs, s3, samples, calls):
    put(s3, "people/Anna/1.jpg", portrait(samples))
    fs.enroll(["s3://photos/people"], "staff")
    assert calls.count("GetObject") == 2  # to know it, and to send it
    calls.clear()
    assert counts(fs.enroll(["s3://photos/people"], "staff")) == {ALREADY: 1}
    assert set(calls) == {"ListObjectsV2"}
    put(s3, "people/Anna/1.jpg", portrait(samples, 1))
    assert counts(fs.enroll(["s3://photos/people"], "staff")) == {ENROLLED: 1}


def test_an_object_that_s3_has_a_sha256_of_is_not_downloaded_to_be_known(fs, s3, samples, calls, tmp_path):
    (tmp_path / "a.jpg").write_bytes(portrait(samples))
    fs.enroll([tmp_path / "a.jpg"], "staff", person="Anna")
    put(s3, "people/Anna/1.jpg", portrait(samples), ChecksumAlgorithm="SHA256")
    _, sha256 = fs._stored.state("s3://photos/people/Anna/1.jpg")
    assert sha256 == hashlib.sha256(portrait(samples)).hexdigest()
    assert counts(fs.enroll(["s3://photos/people"], "staff")) == {ALREADY: 1}
    assert "GetObject" not in calls


def test_a_prefix_or_an_object_may_show_one_person(fs, s3, samples):
    put(s3, "a/1.jpg", portrait(samples))
    put(s3, "a/b/2.jpg", portrait(samples, 1))
    put(s3, "ab/3.jpg", portrait(samples, 2))
    assert counts(fs.enroll(["s3://photos/a"], "staff", person="Anna")) == {ENROLLED: 2}
    assert counts(fs.enroll(["s3://photos/ab/3.jpg"], "staff", person="Anna")) == {ENROLLED: 1}


def test_a_manifest_may_name_objects(fs, s3, samples, tmp_path):
    put(s3, "one.jpg", portrait(samples))
    rows = [
        {"photo": "s3://photos/one.jpg", "person": "Anna"},
        {"photo": "s3://photos/gone.jpg", "person": "Ben"},
    ]
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    report = fs.enroll([tmp_path / "list.jsonl"], "staff")
    assert counts(report) == {ENROLLED: 1, PhotoStatus.UNREADABLE: 1}
    assert problems(report) == {"s3://photos/gone.jpg": "there is no such object"}


def test_what_is_wrong_with_one_object_is_its_own_problem(fs, s3, samples):
    put(s3, "people/Anna/1.jpg", portrait(samples))
    put(s3, "people/Anna/empty.jpg", b"")
    put(s3, "people/Anna/notes.txt", b"not a photo")
    put(s3, "people/Ben/person.json", b"[")
    put(s3, "people/Ben/1.jpg", portrait(samples, 1))
    report = fs.enroll(["s3://photos/people"], "staff")
    assert counts(report) == {ENROLLED: 1, PhotoStatus.UNREADABLE: 2, PhotoStatus.FAILED: 1}
    assert problems(report)["s3://photos/people/Anna/empty.jpg"] == "the object is empty"
    assert (
        "s3://photos/people/Ben/person.json cannot be read"
        in problems(report)["s3://photos/people/Ben/1.jpg"]
    )


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("s3://no-such-bucket/x", "there is no bucket no-such-bucket"),
        ("s3://photos/nothing", "no object whose key begins so"),
        ("s3://", "is no place in S3"),
        ("s3:///key", "is no place in S3"),
        ("s3://Not A Bucket!/x", "cannot be the name of a bucket"),
    ],
)
def test_an_address_with_nothing_behind_it_is_refused_before_the_first_photo(fs, s3, address, complaint):
    with pytest.raises(UsageError, match=complaint):
        fs.plan([address])


def answering(code, status):
    """S3 as it is when it answers everything with one error."""
    client = boto3.client("s3", region_name="us-east-1")

    def refuse(model, **_):
        answer = {"Error": {"Code": code, "Message": "so"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(answer, model.name)

    client.meta.events.register("before-call.s3", refuse)
    return S3Photos(lambda: client)


@pytest.mark.parametrize(
    ("code", "status", "error", "complaint"),
    [
        ("AccessDenied", 403, AccessDeniedError, "s3:ListBucket"),
        ("PermanentRedirect", 301, ConfigurationError, "another region: set AWS_REGION"),
        ("ExpiredToken", 400, ConfigurationError, "expired"),
        ("InvalidAccessKeyId", 403, ConfigurationError, "S3 refused"),
    ],
)
def test_what_concerns_the_bucket_is_said_as_what_it_is(s3, code, status, error, complaint):
    with pytest.raises(error, match=complaint):
        list(answering(code, status).listed("s3://photos/people"))


def test_without_credentials_it_is_said_where_they_come_from(monkeypatch):
    with FaceSearch.open() as fs, pytest.raises(ConfigurationError, match="no AWS credentials"):
        fs.plan(["s3://photos/people"])
