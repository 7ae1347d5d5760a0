"""What the tests of the testing tools share: photos, and botocore's patience without the waiting."""

from types import SimpleNamespace

import pytest


@pytest.fixture
def amara(samples):
    """Two photos of the same person."""
    return (
        (samples / "people/Amara Okafor/portrait.jpg").read_bytes(),
        (samples / "queries/amara.jpg").read_bytes(),
    )


@pytest.fixture
def waits(monkeypatch):
    """The seconds botocore would have waited before each of its retries, which come at once."""
    waited = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=waited.append))
    return waited


@pytest.fixture(autouse=True)
def no_session_of_another_test(monkeypatch):
    """boto3 keeps its first session for good, with the credentials that it found then."""
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
