"""A page on its way to the disk: whole or not at all, photo by photo, in little memory."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from facesearch import photos
from facesearch.domain import Box
from facesearch.errors import AccessDeniedError, UsageError
from facesearch.reporting.report import Report


def read(address):
    return photos.read(Path(address))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_page_takes_the_place_of_an_earlier_one_when_it_is_whole(search, heading, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("earlier")
    with Report(path, heading, read) as report:
        report.add(search.found(search.photo(), []))
        assert path.read_text() == "earlier"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert names(tmp_path) == ["page.html", "photos"]


def test_a_search_that_breaks_off_leaves_the_earlier_page_and_nothing_else(search, heading, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("earlier")
    with pytest.raises(KeyboardInterrupt), Report(path, heading, read) as report:
        report.add(search.found(search.photo(), []))
        raise KeyboardInterrupt
    assert path.read_text() == "earlier"
    assert names(tmp_path) == ["page.html", "photos"]


def test_where_no_page_can_be_written_is_said_before_anything_else(heading, tmp_path):
    (tmp_path / "folder.html").mkdir()
    for path, said in (
        (tmp_path / "photo.jpg", "let it end in .html"),
        (tmp_path / "folder.html", "something there that is not a file"),
        (tmp_path / "nowhere" / "page.html", "No such file or directory"),
    ):
        with pytest.raises(UsageError, match=said), Report(path, heading, read):
            pytest.fail("it went on")
    assert names(tmp_path) == ["folder.html"]


def test_a_page_whose_place_was_taken_in_the_meantime_is_not_half_written(search, heading, tmp_path):
    path = tmp_path / "page.html"
    with pytest.raises(UsageError, match=r"cannot write .*page\.html"), Report(path, heading, read) as report:
        report.add(search.found(search.photo(), []))
        path.mkdir()
    assert names(tmp_path) == ["page.html", "photos"]


def test_many_photos_take_no_more_memory_than_a_few(search, heading, tmp_path):
    path = tmp_path / "page.html"
    results = [
        search.found(search.photo(f"{n}.jpg", (1200, 800), seed=n), [search.match(similarity=90.0 + n)])
        for n in range(3)
    ]

    def peak(rounds):
        with Report(path, heading, read) as report:
            tracemalloc.start()
            for _ in range(rounds):
                for result in results:
                    report.add(result)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    few, many = peak(1), peak(6)
    assert path.stat().st_size > 2 * few
    assert many < 1.3 * few


def test_the_same_enrolled_photo_is_read_once(search, heading, tmp_path):
    asked = []

    def counting(address):
        asked.append(address)
        return read(address)

    ada = search.match()
    with Report(tmp_path / "page.html", heading, counting) as report:
        for number in range(3):
            report.add(search.found(search.photo(f"{number}.jpg"), [ada]))
    assert asked == [ada.photo.path]


def test_an_enrolled_photo_that_may_not_be_read_costs_its_picture_and_not_the_page(search, heading, tmp_path):
    def refused(address):
        raise AccessDeniedError("no rights to read s3://bucket/key")

    path = tmp_path / "page.html"
    with Report(path, heading, refused) as report:
        report.add(search.found(search.photo(), [search.match()]))
    assert "The photo cannot be shown: no rights to read s3://bucket/key." in path.read_text(encoding="utf-8")


# --- pictures ---------------------------------------------------------------------------------------------------


def test_photos_are_scaled_down_for_the_page_and_never_up(search, made):
    large = made(search.found(search.photo(size=(3000, 2000)), [])).images()
    assert [image.size for image in large] == [(1120, 747), (256, 256)]
    small = made(search.found(search.photo(size=(300, 200)), [])).images()
    assert small[0].size == (300, 200)


@pytest.mark.parametrize("size", [(4000, 90), (90, 4000), (100, 100)])
def test_a_face_is_shown_as_a_square_whatever_the_photo_is(search, made, size):
    path = search.photo(size=size)
    faces = [Box(-0.2, -0.2, 0.3, 0.3), Box(0.9, 0.9, 0.3, 0.3), Box(0.0, 0.0, 1.0, 1.0)]
    result = search.found(path, [], [], [])
    boxed = tuple(replace(face, box=box) for face, box in zip(result.faces, faces, strict=True))
    assert [image.size for image in made(replace(result, faces=boxed)).images()][1:] == [(256, 256)] * 3


def test_a_face_that_is_nowhere_has_no_picture_and_no_box(search, made):
    result = search.found(search.photo(), [], [])
    boxes = (Box(float("nan"), 0, 1, 1), Box(0.5, 0.5, 0.0, 0.0))
    result = replace(
        result, faces=tuple(replace(face, box=box) for face, box in zip(result.faces, boxes, strict=True))
    )
    page = made(result)
    assert len(page.images()) == 1
    assert page.all("rect") == []
    assert len(page.all("article")) == 2
