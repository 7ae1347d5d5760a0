"""Tagging one photo while others replace and tag it: each race, in the order in which it goes wrong if it can."""

import io
import json

import boto3
import pytest
from moto import mock_aws
from PIL import Image

from facesearch import FaceSearch
from facesearch.domain.labels import LabelRequest, TagStatus
from facesearch.errors import InvalidRequestError, ServiceUnavailableError, UnreadablePhotoError
from facesearch.testing import mock_rekognition
from facesearch.workflows.documents import Anywhere, address_of
from facesearch.workflows.tagging import TRIES, Tagger

PHOTO, DOCUMENT = "s3://pictures/uploads/a.jpg", "s3://pictures/metadata/a.jpg.json"


def picture(shade):
    """One of seven, far enough apart for JPEG to tell them apart."""
    data = io.BytesIO()
    Image.new("RGB", (80, 80), (shade * 40, 0, 0)).save(data, "JPEG")
    return data.getvalue()


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws(), mock_rekognition():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="pictures")
        yield client


@pytest.fixture
def upload(s3):
    """upload(shade): another photo takes the place; its ETag."""
    return lambda shade: s3.put_object(Bucket="pictures", Key="uploads/a.jpg", Body=picture(shade))[
        "ETag"
    ].strip('"')


@pytest.fixture
def written(s3):
    def written():
        return json.loads(s3.get_object(Bucket="pictures", Key="metadata/a.jpg.json")["Body"].read())

    return written


@pytest.fixture
def app(s3):
    app = FaceSearch.open(engine="aws", max_attempts=1)
    yield app
    while app._closing:
        app._closing.pop()()


class Meanwhile:
    """The real thing, but that something else happens right before one of its calls, once."""

    def __init__(self, real, method, happens):
        self._real, self._method, self._happens = real, method, happens

    def __getattr__(self, name):
        if name == self._method and self._happens:
            happens, self._happens = self._happens, None
            happens()
        return getattr(self._real, name)


@pytest.fixture
def tagger(app):
    """tagger(gateway=("detect_labels", f)): one to whom f happens right before its first call of detect_labels."""

    def tagger(gateway=None, stored=None, documents=None, request=LabelRequest()):  # noqa: B008 - it is frozen
        def meddled(real, meddling):
            return Meanwhile(real, *meddling) if meddling else real

        objects = app._objects
        return Tagger(
            meddled(app._gateway, gateway),
            meddled(objects, stored),
            meddled(Anywhere(objects), documents),
            request,
        )

    return tagger


def asked(app):
    return app._gateway.meter.answered().get("DetectLabels", 0)


def test_a_photo_that_is_replaced_while_it_is_asked_about_is_looked_at_again(app, tagger, upload, written):
    upload(1)
    etags = []
    done = tagger(gateway=("detect_labels", lambda: etags.append(upload(2))))(PHOTO, DOCUMENT)
    assert (done.status, asked(app)) == (TagStatus.TAGGED, 2)
    assert [done.labels.content.digest] == [written()["etag"]] == etags


def test_whoever_looked_first_does_not_write_over_who_looked_later(app, tagger, upload, written):
    upload(1)

    def another_is_uploaded_and_tagged():
        etags.append(upload(2))
        tagger()(PHOTO, DOCUMENT)

    etags = []
    done = tagger(documents=("write", another_is_uploaded_and_tagged))(PHOTO, DOCUMENT)
    assert [done.labels.content.digest] == [written()["etag"]] == etags
    assert asked(app) == 2


def test_whoever_reads_the_document_late_looks_at_the_photo_later_still(app, tagger, upload, written):
    upload(1)

    def another_is_uploaded_and_tagged():
        etags.append(upload(2))
        tagger()(PHOTO, DOCUMENT)

    etags = []
    done = tagger(stored=("content", another_is_uploaded_and_tagged))(PHOTO, DOCUMENT)
    assert [done.labels.content.digest] == [written()["etag"]] == etags


def test_two_who_tag_one_photo_at_the_same_time_write_one_document(app, s3, tagger, upload, written):
    upload(1)
    writes = []
    s3.meta.events.register("before-call.s3.PutObject", lambda **_: writes.append(1))
    done = tagger(documents=("write", lambda: tagger()(PHOTO, DOCUMENT)))(PHOTO, DOCUMENT)
    first = written()
    assert done.status is TagStatus.TAGGED and done.document == DOCUMENT
    assert tagger()(PHOTO, DOCUMENT).status is TagStatus.ALREADY and written() == first


def test_a_document_that_is_deleted_meanwhile_is_written_again(tagger, s3, upload, written):
    upload(1)
    tagger()(PHOTO, DOCUMENT)
    upload(2)
    gone = ("write", lambda: s3.delete_object(Bucket="pictures", Key="metadata/a.jpg.json"))
    assert tagger(documents=gone)(PHOTO, DOCUMENT).status is TagStatus.TAGGED
    assert written()["key"] == "uploads/a.jpg"


def test_a_photo_that_is_replaced_without_end_is_left_for_later(app, tagger, upload):
    upload(0)
    one = tagger()
    shades = iter(range(1, 1 + TRIES))
    events = app._gateway._client.meta.events
    events.register("after-call.rekognition.DetectLabels", lambda **_: upload(next(shades)))
    with pytest.raises(ServiceUnavailableError, match="replaced or tagged by others all the while"):
        one(PHOTO, DOCUMENT)
    assert asked(app) == TRIES


def test_another_request_is_another_answer(app, tagger, upload, written):
    upload(1)
    for request in (LabelRequest(), LabelRequest(90.0), LabelRequest(90.0, 3), LabelRequest(90.0, 3)):
        tagger(request=request)(PHOTO, DOCUMENT)
        assert (written()["min_confidence"], written()["max_labels"]) == (
            request.min_confidence,
            request.max_labels,
        )
    assert asked(app) == 3


def test_labels_that_are_known_are_written_without_asking(app, tagger, upload, written):
    upload(1)
    known = tagger()(PHOTO).labels
    done = tagger()(PHOTO, DOCUMENT, known)
    assert (done.status, asked(app)) == (TagStatus.ALREADY, 1)
    assert written()["etag"] == known.content.digest


def test_an_object_that_is_no_photo_says_so_with_the_code_of_the_service(s3, tagger):
    s3.put_object(Bucket="pictures", Key="uploads/a.jpg", Body=b"none")
    with pytest.raises(InvalidRequestError) as caught:
        tagger()(PHOTO, DOCUMENT)
    assert caught.value.code == "InvalidImageFormatException"


# --- where documents lie


def test_documents_lie_as_the_photos_do():
    assert address_of("s3://b/metadata/", "a/b.jpg") == "s3://b/metadata/a/b.jpg.json"
    assert address_of("s3://b", "../x//y") == "s3://b/../x//y.json"
    assert address_of("/labels", "a/b.jpg") == "/labels/a/b.jpg.json"


@pytest.mark.parametrize(
    "name", ["../a.jpg", "a/../../b.jpg", "/etc/passwd", "a//b.jpg", "./a.jpg", "a\0.jpg"]
)
def test_no_key_leads_out_of_the_folder(name):
    with pytest.raises(UnreadablePhotoError, match="does not name a place in a folder"):
        address_of("/labels", name)


def test_a_document_needs_a_key_that_s3_can_hold():
    address_of("s3://b/m", "ü" * 508 + ".")
    with pytest.raises(UnreadablePhotoError, match="too long"):
        address_of("s3://b/m", "ü" * 509)


def test_a_file_is_written_whole_and_leaves_nothing_beside_it(tmp_path):
    documents = Anywhere(None)
    path = str(tmp_path / "new" / "a.json")
    assert documents.read(path) is None
    assert documents.write(path, b"1", None) and documents.write(path, b"2", None)
    assert documents.read(path)[0] == b"2"
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["a.json"]
