"""Fixtures for tests of code that calls Rekognition; pytest finds them by itself where facesearch is installed.

It is imported at the start of every pytest run of theirs, so what costs time is imported by the fixtures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mypy_boto3_rekognition import RekognitionClient

    from facesearch.testing import Engines


@pytest.fixture
def _rekognition_engines() -> Iterator[Engines]:
    """The engines behind the fixtures: a test that uses both of them sees the same collections through both."""
    from facesearch.testing import Engines

    with Engines() as engines:
        yield engines


@pytest.fixture
def rekognition(_rekognition_engines: Engines) -> Iterator[RekognitionClient]:
    """A boto3 client of a fresh engine in memory, which answers every other Rekognition client of the test too."""
    import boto3

    from facesearch.engine.interception import REGION, intercepting

    with intercepting(_rekognition_engines.of):
        yield boto3.client("rekognition", region_name=REGION)


@pytest.fixture
def rekognition_server(_rekognition_engines: Engines) -> Iterator[str]:
    """The URL of an HTTP server on a fresh engine in memory, for any SDK; it takes any credentials."""
    from facesearch.engine.interception import REGION

    try:
        from facesearch.engine.http.server import Server
    except ModuleNotFoundError as exc:
        pytest.fail(f"{exc.name} is missing: pip install 'facesearch[serve]'", pytrace=False)

    with Server(_rekognition_engines.of(REGION)) as server:
        yield server.url
