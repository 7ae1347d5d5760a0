"""A library of added models, and what loads them."""

import io

import pytest
from PIL import Image

from facesearch.engine.models import inspection
from facesearch.engine.models.library import Library
from facesearch.engine.models.loading import Models


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "models")


@pytest.fixture
def models(library, vision_cache):
    return Models(library, vision_cache)


@pytest.fixture
def add(library, models):
    """Adds a model as the program does, trying it on the sample faces."""
    return lambda path: library.add(path, lambda *made: inspection.tried(models.over(*made)))


@pytest.fixture
def random(networks, add, tmp_path):
    """A model that was added: random convolutions."""
    return add(networks.defined(tmp_path / "files", networks.network()))


@pytest.fixture(scope="session")
def both(photos):
    """One photo of two people."""
    return Image.open(io.BytesIO(photos["both"])).convert("RGB")
