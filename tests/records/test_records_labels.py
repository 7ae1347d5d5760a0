"""Labels in the records, on SQLite (FTS5) and on Postgres alike."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from facesearch.domain import Box
from facesearch.domain.files import Content
from facesearch.domain.labels import Label, LabelInstance, LabelRequest, PhotoLabels
from facesearch.errors import UsageError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CAT = Label(
    "Cat",
    98.5,
    ("Animal", "Mammal", "Pet"),
    ("Kitty",),
    ("Animals and Pets",),
    (LabelInstance(Box(0.1, 0.2, 0.3, 0.4), 97.5),),
)
FOOD = Label("Cat Food", 60.0, ("Food",))
BEACH = Label("Strand-Übergang", 88.0, custom=True)


def tagged(photo, *labels, digest="a" * 64, **more):
    values = {
        "photo": photo,
        "content": Content(digest, 10),
        "request": LabelRequest(),
        "model_version": "3.0",
        "labels": labels,
        "tagged_at": NOW,
    }
    return PhotoLabels(**{**values, **more})


@pytest.fixture
def keep(database):
    def keep(*photos, engine="embedded"):
        with database.begin() as records:
            for labels in photos:
                records.keep_labels(engine, labels)

    return keep


@pytest.fixture
def find(database):
    def find(*args, **kwargs):
        with database.read() as records:
            return [(one.photo, one.label.name) for one in records.find_labels(*args, **kwargs)]

    return find


def known(database, photo, engine="embedded"):
    with database.read() as records:
        return records.known_labels(engine, [photo]).get(photo)


def test_what_was_kept_comes_back_whole(database, keep):
    labels = tagged(
        "s3://b/k.jpg",
        CAT,
        BEACH,
        content=Content("0" * 32 + "-3", 5_000_000_000, "v.1"),
        request=LabelRequest(70.5, 3, "arn:aws:rekognition:us-east-1:123456789012:project/p/version/v/1"),
        model_version=None,
    )
    keep(labels)
    assert known(database, "s3://b/k.jpg") == labels
    assert known(database, "s3://b/k.jpg", "aws:us-east-1") is None
    assert known(database, "elsewhere") is None


def test_the_newest_labels_take_the_place_of_those_before(database, keep, find):
    keep(tagged("/a.jpg", CAT, FOOD))
    newer = tagged("/a.jpg", replace(CAT, confidence=70.0), digest="b" * 64)
    keep(newer, engine="aws:us-east-1")
    assert find("cat") == [("/a.jpg", "Cat")]
    assert known(database, "/a.jpg") is None
    assert known(database, "/a.jpg", "aws:us-east-1") == newer


def test_a_photo_without_labels_is_known_too(database, keep):
    keep(tagged("/empty.jpg"))
    assert known(database, "/empty.jpg").labels == ()


def test_photos_are_found_by_the_words_of_a_label_surest_first(keep, find):
    keep(tagged("/food.jpg", FOOD), tagged("/cat.jpg", CAT), tagged("/sea.jpg", BEACH))
    assert find("Cat") == [("/cat.jpg", "Cat"), ("/food.jpg", "Cat Food")]
    assert find("FOOD cat") == [("/food.jpg", "Cat Food")]
    assert find("kitty") == [("/cat.jpg", "Cat")]
    assert find("übergang") == find("STRAND") == [("/sea.jpg", "Strand-Übergang")]
    assert find("Ca") == find("cats") == find("ubergang") == []


def test_photos_are_found_by_what_is_above_a_label(keep, find):
    keep(tagged("/food.jpg", FOOD), tagged("/cat.jpg", CAT))
    assert find(parent="animal") == [("/cat.jpg", "Cat")]
    assert find("cat", parent="food") == [("/food.jpg", "Cat Food")]
    assert find("animal") == find("cat", parent="vehicle") == []


def test_photos_are_found_by_confidence(keep, find):
    keep(tagged("/food.jpg", FOOD), tagged("/cat.jpg", CAT))
    assert find("cat", min_confidence=60.0) == [("/cat.jpg", "Cat"), ("/food.jpg", "Cat Food")]
    assert find("cat", min_confidence=60.1) == [("/cat.jpg", "Cat")]


@pytest.mark.parametrize(
    "hostile",
    ["cat OR food", "cat*", '"cat" NOT "food"', "words:food", "cat'); DROP TABLE labels; --", "cat\x00 dog"],
)
def test_what_is_asked_for_is_words_and_never_a_query(keep, find, hostile):
    keep(tagged("/cat.jpg", CAT), tagged("/food.jpg", FOOD))
    expected = [("/cat.jpg", "Cat"), ("/food.jpg", "Cat Food")] if hostile == "cat*" else []
    assert find(hostile) == expected
    assert find("kitty") == [("/cat.jpg", "Cat")]


@pytest.mark.parametrize("nothing", ["", "  ", '"*"', "_-_"])
def test_a_question_without_a_word_is_refused(find, nothing):
    with pytest.raises(UsageError, match="no word to look for"):
        find(nothing)
    with pytest.raises(UsageError, match="say what to look for"):
        find()


def test_names_that_no_database_holds_are_kept_as_escapes(keep, find):
    keep(tagged("/odd\udcff.jpg", Label("Nul\x00 Hund", 90.0, ("Half\ud800",))))
    assert find("hund") == [("/odd\udcff.jpg", "'Nul\\x00 Hund'")]


def test_the_same_label_is_written_down_once_and_as_it_was_seen_in_each_photo(database, keep):
    from sqlalchemy import func, select

    from facesearch.records.tables import LABELS

    keep(tagged("/1.jpg", CAT), tagged("/2.jpg", replace(CAT, confidence=55.5, instances=())))
    with database.read() as records:
        assert records._connection.scalar(select(func.count()).select_from(LABELS)) == 1
    assert known(database, "/1.jpg").labels == (CAT,)
    assert known(database, "/2.jpg").labels[0].confidence == 55.5


def test_labels_of_photos_that_are_erased_go_with_them(database, staff, enrol, making, keep, find):
    anna = enrol(staff, "Anna", "hers.jpg", "too.jpg")
    enrol(staff, "Bob", "his.jpg", "too.jpg")
    keep(
        tagged("/elsewhere/hers.jpg", CAT, digest=making.sha256("hers.jpg")),
        tagged("/photos/hers.jpg", CAT, digest="f" * 32),
        tagged("/photos/his.jpg", CAT, digest=making.sha256("his.jpg")),
        tagged("/photos/too.jpg", CAT, digest=making.sha256("too.jpg")),
    )
    with database.begin() as records:
        records.begin_erasure(anna.id, NOW)
    assert find("cat") == [("/photos/his.jpg", "Cat"), ("/photos/too.jpg", "Cat")]
