"""Real weights and real faces for the tests of the vision."""

from pathlib import Path

import pytest
from PIL import Image

from facesearch.engine.vision.recognizer import DlibRecognizer

DATA = Path(__file__).with_name("data")


@pytest.fixture(scope="session")
def recognizer(vision_cache):
    return DlibRecognizer.load(vision_cache)


@pytest.fixture(scope="session")
def collins():
    """Eileen Collins, looking at us; her face is about 80 pixels wide."""
    return Image.open(DATA / "collins.png").convert("RGB")


@pytest.fixture(scope="session")
def hopper():
    """Grace Hopper, slightly turned; her face is about 165 pixels wide."""
    return Image.open(DATA / "hopper.png").convert("RGB")
