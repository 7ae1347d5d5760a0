"""What is covered cannot be brought back, and who was found can still be seen."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from facesearch.domain import Box, PersonMatch, SearchedFace
from facesearch.redaction import CELLS, leave_only, redact

LEFT, RIGHT = Box(0.1, 0.3, 0.2, 0.4), Box(0.6, 0.3, 0.2, 0.4)


def noise(seed: int, size: tuple[int, int] = (480, 320)) -> Image.Image:
    """A picture no two pixels of which are likely to be alike."""
    return Image.frombytes("RGB", size, random.Random(seed).randbytes(size[0] * size[1] * 3))


def colours(image: Image.Image, box: Box) -> int:
    """How many colours there are well inside a box."""
    area = (
        round((box.left + 0.02) * image.width),
        round((box.top + 0.02) * image.height),
        round((box.left + box.width - 0.02) * image.width),
        round((box.top + box.height - 0.02) * image.height),
    )
    return len(image.crop(area).getcolors(1 << 24) or ())


def face(box: Box, *, found: bool) -> SearchedFace:
    return SearchedFace(box, 99.0, (PersonMatch(None, 90.0, "f", None),) if found else ())


def test_whoever_was_found_stays_as_they_were_and_of_another_face_nothing_is_left() -> None:
    photo = noise(1)
    result = redact(photo, [face(LEFT, found=True), face(RIGHT, found=False)])
    area = (48, 96, 144, 224)
    assert ImageChops.difference(photo.crop(area), result.crop(area)).getbbox() is None
    assert colours(result, RIGHT) == 1


def test_what_no_detector_saw_is_blurred_beyond_recovery() -> None:
    photo = noise(2)
    shuffled = photo.copy()
    cell = 480 // CELLS
    for x in range(0, 480, cell):
        for y in range(
            0, 300, cell
        ):  # the same pixels elsewhere in their cell: another picture, the same means
            area = (x, y, x + cell, y + cell)
            shuffled.paste(photo.crop(area).transpose(Image.Transpose.ROTATE_180), area)
    assert ImageChops.difference(photo, shuffled).getbbox() is not None
    one, other = leave_only(photo.crop((0, 0, 480, 300)), []), leave_only(shuffled.crop((0, 0, 480, 300)), [])
    assert max(high for _, high in ImageChops.difference(one, other).getextrema()) <= 1


def test_beside_a_large_face_fewer_colours_are_left() -> None:
    """Somebody as near as the one who was seen must not be told by what is left of them."""
    cell = 400 // CELLS
    stripes = Image.new("RGB", (400, 400), "black")
    for x in range(0, 400, 2 * cell):
        stripes.paste("white", (x, 0, x + cell, 400))
    assert contrast(leave_only(stripes, [], [Box(0.2, 0.2, 0.1, 0.1)])) > 150
    assert contrast(leave_only(stripes, [], [Box(0.1, 0.2, 0.5, 0.5)])) < 60


def contrast(image: Image.Image) -> int:
    """Between the darkest and the lightest of the top row."""
    row = image.convert("L").crop((0, 0, image.width, 1)).tobytes()
    return max(row) - min(row)


def test_a_covered_face_that_overlaps_one_that_was_found_leaves_its_own_box_free() -> None:
    photo = noise(4)
    near = Box(LEFT.left + 0.15, LEFT.top, LEFT.width, LEFT.height)
    result = leave_only(photo, [LEFT], [near])
    area = (48, 96, 144, 224)
    assert ImageChops.difference(photo.crop(area), result.crop(area)).getbbox() is None
    assert colours(result, Box(0.31, LEFT.top, 0.13, LEFT.height)) == 1


def test_nothing_that_the_file_said_of_itself_goes_along() -> None:
    photo = noise(5)
    photo.info["comment"] = b"home"
    assert redact(photo, []).info == {}
    assert photo.info == {"comment": b"home"}


@settings(max_examples=80, deadline=None)
@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    shown=st.lists(st.builds(Box, *[st.floats(width=32)] * 4), max_size=3),
    covered=st.lists(st.builds(Box, *[st.floats(width=32)] * 4), max_size=3),
)
def test_whatever_the_boxes_a_picture_of_the_same_size_comes_out(
    size: tuple[int, int], shown: list[Box], covered: list[Box]
) -> None:
    assert leave_only(Image.new("RGB", size, "red"), shown, covered).size == size
