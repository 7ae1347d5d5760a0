from io import BytesIO

import pytest
from PIL import Image

from facesearch.cropping import LEAST_SIDE, MOST_SIDE, closer, cut_out
from facesearch.domain import Box

RED, BLUE = (255, 0, 0), (0, 0, 255)


def photo(width, height, *patches):
    image = Image.new("RGB", (width, height), (0, 255, 0))
    for colour, box in patches:
        image.paste(colour, box)
    return image


def opened(crop):
    return Image.open(BytesIO(crop.data)).convert("RGB")


def near(one, other):
    return all(abs(a - b) < 12 for a, b in zip(one, other, strict=True))


def test_a_face_is_cut_with_a_margin_and_boxes_of_the_crop_lead_back_to_the_photo():
    crop = cut_out(photo(1000, 800, (RED, (400, 200, 600, 500))), Box(0.4, 0.25, 0.2, 0.375), [])
    assert crop.part == Box(0.3, 50 / 800, 0.4, 600 / 800)
    image = opened(crop)
    assert image.size == (400, 600)
    assert near(image.getpixel((200, 300)), RED)
    assert near(image.getpixel((50, 50)), (0, 255, 0))
    assert crop.in_photo(Box(0.25, 0.25, 0.5, 0.5)) == Box(
        pytest.approx(0.4), pytest.approx(0.25), pytest.approx(0.2), pytest.approx(0.375)
    )


def test_other_faces_become_grey_and_the_face_itself_stays_whole_where_they_overlap():
    image = photo(1000, 1000, (RED, (400, 400, 600, 600)), (BLUE, (650, 400, 900, 600)))
    crop = opened(
        cut_out(image, Box(0.4, 0.4, 0.2, 0.2), [Box(0.65, 0.4, 0.25, 0.2), Box(0.3, 0.3, 0.2, 0.2)])
    )
    assert near(crop.getpixel((370, 200)), (128, 128, 128))
    assert near(crop.getpixel((50, 50)), (128, 128, 128))
    assert near(crop.getpixel((110, 110)), RED)
    assert near(crop.getpixel((290, 290)), RED)


def test_small_faces_are_enlarged_large_ones_shrunk_and_those_at_the_edge_keep_inside():
    small = opened(cut_out(photo(500, 500), Box(0.5, 0.5, 0.04, 0.06), []))
    assert min(small.size) == LEAST_SIDE
    large = opened(cut_out(photo(5000, 4000), Box(0.1, 0.1, 0.8, 0.8), []))
    assert max(large.size) == MOST_SIDE
    edge = cut_out(photo(500, 500), Box(-0.1, 0.9, 0.3, 0.3), [])
    assert edge.part.left == 0
    assert edge.part.top + edge.part.height == 1
    beyond = cut_out(photo(500, 500), Box(0.999, 0.999, 0.0, 0.0), [])
    assert min(opened(beyond).size) >= LEAST_SIDE


def test_a_closer_look_takes_in_the_whole_photo_in_four_parts_with_boxes_in_its_frame():
    picture = photo(500, 300, ("red", (400, 200, 450, 250)))
    crops = list(closer(picture))
    covered = {
        (x, y)
        for crop in crops
        for x in range(500)
        for y in range(0, 300, 10)
        if crop.part.left * 500 <= x < (crop.part.left + crop.part.width) * 500
        and crop.part.top * 300 <= y < (crop.part.top + crop.part.height) * 300
    }
    assert (len(crops), len(covered)) == (4, 500 * 30)
    last = Image.open(BytesIO(crops[-1].data))
    assert last.size == (900, 540)
    red = [x for x in range(900) if last.getpixel((x, 300))[1] < 128]
    seen = crops[-1].in_photo(Box(red[0] / 900, 0, len(red) / 900, 1))
    assert (seen.left * 500, seen.width * 500) == (pytest.approx(400, abs=1), pytest.approx(50, abs=1))
