"""A large JPEG is decoded no larger than it is looked at, and shows the same."""

import io

import numpy as np
import pytest
from PIL import Image

from facesearch.engine import images
from facesearch.engine.drafted import Drafted, first_look


@pytest.fixture
def decoded(monkeypatch):
    """How many times as small as it is the image was decoded, each time."""
    made = []
    decode = images._jpeg

    def counted(pixels, smaller):
        made.append(smaller)
        return decode(pixels, smaller)

    monkeypatch.setattr(images, "_jpeg", counted)
    return made


def landscape(width=2401, height=1602):
    """Colours that change slowly, so that a pixel more or less in the way of reducing shows little."""
    noise = np.random.default_rng(0).integers(0, 256, (13, 19, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def jpeg(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def apart(one, other):
    assert one.size == other.size
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


def test_a_first_look_leaves_the_pixels_that_it_wants():
    sizes = [(1600, 1200), (2000, 1500), (4000, 3000), (10_000, 10_000)]
    assert [first_look(*size, 700_000) for size in sizes] == [1, 2, 4, 8]


def test_only_what_is_looked_at_is_decoded(decoded):
    image = images.decode(jpeg(landscape(4001, 3002)))
    assert isinstance(image, Drafted)
    assert (image.size, image.width, image.height) == ((4001, 3002), 4001, 3002)
    image.reduce(4)
    image.reduce(8, (1600, 800, 2400, 1600))
    image.resize((900, 675), Image.Resampling.BILINEAR, reducing_gap=1.0)
    assert decoded == [4]
    image.reduce(2, (400, 400, 800, 800))
    assert decoded == [4, 2]
    image.crop((10, 10, 20, 20))
    assert decoded == [4, 2, 1]
    image.transform((9, 9), Image.Transform.AFFINE, (1, 0, 5, 0, 1, 5), Image.Resampling.BILINEAR)
    assert decoded == [4, 2, 1]


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_it_shows_what_the_whole_image_shows(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = jpeg(landscape(), exif=exif)
    image, whole = images.decode(data), images._jpeg(images._jpeg_pixels(data), 1)
    assert isinstance(image, Drafted)
    assert image.size == whole.size
    for factor in (1, 2, 4, 16):
        assert apart(image.reduce(factor), whole.reduce(factor)) < 1
    area = (256, 512, 1023, 1001)
    for factor in (2, 4, 16):
        assert apart(image.reduce(factor, area), whole.reduce(factor, area)) < 1.5
    assert apart(image.crop(area), whole.crop(area)) == 0
    for size in ((560, 374), (1120, 747), (2320, 1548)):
        smaller = [one.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0) for one in (image, whole)]
        assert apart(*smaller) < 1


def test_a_progressive_image_is_gone_through_once(decoded):
    image = images.decode(jpeg(landscape(), progressive=True))
    assert isinstance(image, Image.Image)
    assert decoded == [1]


def test_a_face_in_a_large_photo_is_found_and_described_as_in_all_of_it(grace, recognizer):
    data = jpeg(grace.resize((8 * grace.width, 8 * grace.height), Image.Resampling.BICUBIC))
    image, whole = images.decode(data), images._jpeg(images._jpeg_pixels(data), 1)
    assert isinstance(image, Drafted)
    (face,), (same,) = recognizer.detect(image), recognizer.detect(whole)
    assert face.points == pytest.approx(same.points, abs=0.02 * face.width)
    assert face.sharpness == pytest.approx(same.sharpness, abs=5)
    assert np.linalg.norm(recognizer.embed(image, [face]) - recognizer.embed(whole, [same])) < 0.15
