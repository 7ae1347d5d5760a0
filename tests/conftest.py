"""What every test stands on: an environment of its own, and a home whose vision cache is made once for the run."""

import importlib.util
import os
from pathlib import Path

import pytest

from facesearch.shipped import shipped

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def vision_cache(tmp_path_factory):
    """The networks as they are built from the weights; the same for every home of this run."""
    return tmp_path_factory.mktemp("vision-cache")


@pytest.fixture(autouse=True)
def home(tmp_path_factory, vision_cache, monkeypatch):
    """A fresh home for everything the program keeps, and no trace of the developer's own settings."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "FACESEARCH_")):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    (home / "cache").symlink_to(vision_cache)
    monkeypatch.setenv("FACESEARCH_HOME", str(home))
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture(scope="session")
def samples() -> Path:
    """The drawn people: people/, queries/ and labels.json."""
    return shipped("sample_images")


@pytest.fixture(scope="session")
def networks():
    """Small face networks to add as models; a module of functions."""
    path = Path(__file__).parent / "engine" / "models" / "networks.py"
    spec = importlib.util.spec_from_file_location("networks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
