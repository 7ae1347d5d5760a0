"""Search by upload: who is in queries/<photo> lies in matches/<photo>.json."""

import pytest

from facesearch.aws_lambda import enroll_handler, search_handler
from facesearch.errors import FaceSearchError

from .conftest import BUCKET, notification, record

pytestmark = pytest.mark.usefixtures("staff")


@pytest.fixture
def query(samples, smaller):
    return lambda name: smaller(samples / "queries" / f"{name}.jpg")


@pytest.fixture
def hugo(put, samples, smaller):
    """Hugo is enrolled."""
    photo = sorted((samples / "people" / "Hugo Lindqvist").iterdir())[0]
    enroll_handler(notification(put("people/Hugo Lindqvist/1.jpg", smaller(photo))))


def searched(put, key, content):
    return search_handler(notification(put(key, content)))["objects"][0]["outcome"]


def test_who_is_in_a_photo_is_written_beside_it(hugo, put, document, query):
    assert searched(put, "queries/door/1 ü.jpg", query("hugo")) == "matched"
    found = document("matches/door/1 ü.jpg.json")
    assert (found["key"], found["collection"], found["status"]) == (
        "queries/door/1 ü.jpg",
        "staff",
        "matched",
    )
    [match] = found["faces"][0]["matches"]
    assert match["person"]["name"] == "Hugo Lindqvist" and match["similarity"] > 90
    assert match["photo"] == "s3://pictures/people/Hugo Lindqvist/1.jpg"


def test_nobody_and_no_face_are_answers_too(hugo, put, document, query):
    assert searched(put, "queries/a.jpg", query("stranger")) == "unmatched"
    assert document("matches/a.jpg.json")["faces"][0]["matches"] == []
    assert searched(put, "queries/a.jpg", query("lake")) == "no_face"
    assert document("matches/a.jpg.json")["faces"] == []


def test_the_same_event_twice_searches_once_and_a_late_one_tells_of_now(hugo, put, document, query):
    first = notification(put("queries/a.jpg", query("stranger")))
    assert searched(put, "queries/a.jpg", query("hugo")) == "matched"
    before = document("matches/a.jpg.json")
    assert search_handler(first)["objects"][0]["outcome"] == "already"
    assert document("matches/a.jpg.json") == before


def test_what_is_no_query_is_passed_over(hugo, s3, put, keys, query):
    for key in ("matches/a.jpg.json", "queries/", "queries/.DS_Store", "uploads/a.jpg", "queries/gone.jpg"):
        event = notification(record(key))
        assert search_handler(event)["objects"][0]["outcome"] == "passed over"
    put("queries/a.jpg", query("hugo"))
    assert search_handler(notification(record("queries/a.jpg", "ObjectRemoved:Delete")))["objects"] == [
        {"object": f"s3://{BUCKET}/queries/a.jpg", "outcome": "passed over"}
    ]
    assert keys("matches/") == []


def test_what_is_no_photo_says_why(hugo, put):
    with pytest.raises(FaceSearchError, match="it is not a photo"):
        searched(put, "queries/a.jpg", b"none")


def test_a_collection_that_is_not_there_is_named(put, query):
    with pytest.raises(FaceSearchError, match="there is no collection 'staff'"):
        searched(put, "queries/a.jpg", query("hugo"))
