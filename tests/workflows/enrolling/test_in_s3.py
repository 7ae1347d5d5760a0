"""Photos in S3 that are too large to go with a call: the service reads them itself, where it can."""

from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from facesearch import FaceSearch
from facesearch.domain import PhotoStatus
from facesearch.domain.labels import StoredObject
from facesearch.engine import errors
from facesearch.engine.s3 import S3Objects
from facesearch.s3 import S3Photos

ENROLLED, ALREADY, UNREADABLE = PhotoStatus.ENROLLED, PhotoStatus.ALREADY, PhotoStatus.UNREADABLE
MEGABYTE = 1_048_576


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
def sent(fs, monkeypatch):
    """The images that IndexFaces was called with."""
    images = []
    real = fs._gateway.index_faces
    monkeypatch.setattr(fs._gateway, "index_faces", lambda *a, **k: (images.append(a[1]), real(*a, **k))[1])
    return images


def portrait(samples, number, size=0):
    """A JPEG of one of the drawn people, with so many bytes: what comes after its end shows nothing."""
    folder = sorted((samples / "people").iterdir())[number]
    content = sorted(path for path in folder.iterdir() if path.suffix == ".jpg")[0].read_bytes()
    return content.ljust(size, b"\0")


def put(s3, key, content):
    s3.put_object(Bucket="photos", Key=key, Body=content)


def counts(report):
    return {status: count for status, count in report.counts.items() if count}


@pytest.mark.parametrize(("megabytes", "reads"), [(1, False), (6, True), (15, True), (16, False)])
def test_what_does_not_fit_into_a_call_is_read_by_the_service_as_it_is(
    fs, s3, samples, sent, megabytes, reads
):
    content = portrait(samples, 0, megabytes * MEGABYTE)
    put(s3, "people/Anna/1.jpg", content)
    assert counts(fs.enroll(["s3://photos/people"], "staff")) == {ENROLLED: 1}
    [image] = sent
    if reads:
        assert image == StoredObject("photos", "people/Anna/1.jpg", None)
    else:
        assert (image == content) is (megabytes == 1)  # what is too large for both was encoded anew
    assert counts(fs.enroll(["s3://photos/people"], "staff")) == {ALREADY: 1}


def test_where_the_service_cannot_read_they_are_made_to_fit_and_it_is_not_asked_again(
    fs, s3, samples, sent, monkeypatch
):
    def refuse(self, place):
        raise errors.s3_object()

    monkeypatch.setattr(S3Objects, "fetch", refuse)
    for number in range(2):
        put(s3, f"people/Anna/{number}.jpg", portrait(samples, number, 6 * MEGABYTE))
    assert counts(fs.enroll(["s3://photos/people"], "staff", jobs=1, on_conflict="enroll")) == {ENROLLED: 2}
    assert [type(image) for image in sent] == [StoredObject, bytes, bytes]


def replacing(s3, monkeypatch, content):
    """Somebody puts another photo in the place of each one, between our look at it and the service's."""
    real = S3Objects.fetch

    def fetch(self, place):
        put(s3, place["Name"], content)
        return real(self, place)

    monkeypatch.setattr(S3Objects, "fetch", fetch)


def test_of_an_object_that_was_replaced_before_the_service_read_it_no_face_stays(
    fs, s3, samples, monkeypatch
):
    put(s3, "people/Anna/1.jpg", portrait(samples, 0, 6 * MEGABYTE))
    with monkeypatch.context() as patch:
        replacing(s3, patch, portrait(samples, 1, 7 * MEGABYTE))
        report = fs.enroll(["s3://photos/people"], "staff")
    assert counts(report) == {UNREADABLE: 1}
    assert report.problems[0].reason == "it changed while it was being read; run the same again"
    assert fs.collection("staff").face_count == 0
    assert counts(fs.enroll(["s3://photos/people"], "staff")) == {ENROLLED: 1}
    assert fs.reconcile("staff").count == 0


def test_a_version_is_what_it_was_whatever_came_after_it(fs, s3, samples, sent, monkeypatch):
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    put(s3, "people/Anna/1.jpg", portrait(samples, 0, 6 * MEGABYTE))
    replacing(s3, monkeypatch, portrait(samples, 1, 7 * MEGABYTE))
    assert counts(fs.enroll(["s3://photos/people"], "staff")) == {ENROLLED: 1}
    [image] = sent
    assert image.version
    [found] = fs.search([sorted((samples / "people").rglob("*.jpg"))[0]], "staff")
    assert [match.person.name for match in found.faces[0].matches] == ["Anna"]


@pytest.mark.parametrize(
    ("endpoint", "for_aws", "named"),
    [
        (None, True, True),
        (None, False, True),
        ("http://127.0.0.1:9000", False, True),
        ("http://127.0.0.1:9000", True, False),
        ("http://amazonaws.com.example", True, False),
    ],
)
def test_aws_is_not_asked_to_read_from_an_s3_that_is_not_its_own(s3, endpoint, for_aws, named):
    put(s3, "1.jpg", b"content")
    answer = s3.get_object(Bucket="photos", Key="1.jpg")
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=endpoint)
    # botocore takes what such a handler gives for the answer, so that nothing goes to the endpoint
    ok = SimpleNamespace(status_code=200)
    client.meta.events.register("before-call.s3.GetObject", lambda **_: (ok, answer))
    content = S3Photos(lambda: client, for_aws=for_aws).content("s3://photos/1.jpg")
    assert content.data == b"content"
    assert (content.place is not None) is named
