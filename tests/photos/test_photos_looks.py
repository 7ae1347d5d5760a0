"""What a photo looks like, in 64 bits: nearly the same ones for copies of it, others for other photos."""

from io import BytesIO
from itertools import combinations

import pytest
from PIL import Image, ImageEnhance

from facesearch.photos import prepare_content

COPY = 6  # bits that a copy may differ in; the enrolment's own bar


def looks(content):
    return int(prepare_content(content, "it").dhash, 16)


def differing(one, other):
    return (looks(one) ^ looks(other)).bit_count()


def saved(image, kind="JPEG", **options):
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def portraits(samples):
    return sorted(path for path in (samples / "people").rglob("*") if path.suffix in (".jpg", ".png"))


def quarter_turned(image):
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(image.transpose(Image.Transpose.ROTATE_90), exif=exif)


COPIES = {
    "a weaker JPEG": lambda image: saved(image, quality=30),
    "a PNG": lambda image: saved(image, "PNG"),
    "a WebP, which is sent as another JPEG": lambda image: saved(image, "WEBP", quality=80),
    "a quarter of its size": lambda image: saved(image.resize((image.width // 4, image.height // 4))),
    "twice its size": lambda image: saved(image.resize((image.width * 2, image.height * 2))),
    "darker": lambda image: saved(ImageEnhance.Brightness(image).enhance(0.7)),
    "grey": lambda image: saved(image.convert("L")),
    "stored sideways, turned by EXIF": quarter_turned,
}


@pytest.mark.parametrize("copied", COPIES)
def test_copies_of_a_photo_look_like_it(samples, copied):
    for path in portraits(samples)[::5]:
        with Image.open(path) as image:
            assert differing(path.read_bytes(), COPIES[copied](image.convert("RGB"))) <= COPY, path


def test_other_photos_look_otherwise_also_those_of_the_same_person(samples):
    all_looks = [looks(path.read_bytes()) for path in portraits(samples)]
    assert min((one ^ other).bit_count() for one, other in combinations(all_looks, 2)) > COPY


def test_the_bits_say_where_a_picture_gets_darker_to_the_right():
    downwards = Image.linear_gradient("L")  # from black at the top to white at the bottom
    assert looks(saved(downwards.rotate(90), "PNG")) == 0
    assert looks(saved(downwards.rotate(-90), "PNG")) == 2**64 - 1
