"""A redacted page: whoever was not found cannot be recognised, and nobody else is named."""

from dataclasses import replace

import pytest
from PIL import Image

from facesearch.redaction import CELLS_A_FACE


@pytest.fixture
def redacted(made, heading):
    return lambda *results: made(*results, head=replace(heading, redacted=True))


def detail(image, area):
    """How many pixels of a part differ clearly from their neighbour to the right."""
    left, top, right, bottom = (
        round(value * side) for value, side in zip(area, (image.width, image.height) * 2, strict=True)
    )
    part = image.convert("L").crop((left, top, right, bottom))
    data = part.tobytes()
    return sum(abs(data[at] - data[at + 1]) > 12 for at in range(len(data) - 1) if (at + 1) % part.width)


def test_whoever_was_found_is_shown_and_of_the_others_nothing_is_left(search, redacted, made):
    result = search.found(search.photo(), [], [search.match()])
    [whole, theirs, enrolled] = redacted(result).images()
    [open_whole, *_] = made(result).images()
    other, found, ground = (0.05, 0.3, 0.25, 0.6), (0.35, 0.3, 0.55, 0.6), (0.65, 0.0, 1.0, 1.0)
    assert detail(open_whole, other) > 200
    assert detail(whole, found) > 200
    assert detail(whole, other) == 0
    assert detail(whole, ground) == 0
    assert detail(theirs, (0.3, 0.3, 0.7, 0.7)) > 200
    for portrait in (theirs, enrolled):  # whoever stands beside them, in either photo, is in the margin
        assert detail(portrait, (0.0, 0.0, 0.1, 1.0)) == detail(portrait, (0.9, 0.0, 1.0, 1.0)) == 0


def test_nobody_is_named_but_the_best_match(search, redacted):
    page = redacted(search.found(search.photo(), [search.match(), search.match("Grace Hopper", 88.0)]))
    assert page.text("h1") == "Found: Ada Lovelace"
    assert "Grace" not in page.html
    assert page.text("p", "note") == "1 more person above the threshold, not shown."
    assert str(search.folder) not in page.html


def test_a_photo_in_which_nobody_was_found_is_left_out(search, redacted):
    page = redacted(search.found(search.photo(), [], []))
    assert page.images() == []
    assert "The photo is left out, as nobody was found in it." in page.text("section")
    assert "Everybody who was not found is made unrecognisable." in page.text("footer")


def test_a_portrait_of_one_person_hides_who_stands_beside_them(search, redacted):
    path = search.photo(size=(600, 600))
    with Image.open(path) as photo:
        assert detail(photo, (0.6, 0.0, 1.0, 1.0)) > 200
    [whole, *_] = redacted(search.found(path, [search.match()])).images()
    assert detail(whole, (0.35, 0.0, 1.0, 1.0)) == 0
    assert CELLS_A_FACE < 8
