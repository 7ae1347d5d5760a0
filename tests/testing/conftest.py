"""What the tests of the testing tools share: photos, and botocore's patience without the waiting."""

import socket
from types import SimpleNamespace

import boto3
import pytest
from botocore.client import BaseClient
from botocore.session import Session


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


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def nothing_stays_replaced():
    before = Session.create_client, BaseClient._make_api_call
    yield
    assert (Session.create_client, BaseClient._make_api_call) == before


@pytest.fixture
def no_credentials(monkeypatch):
    """botocore asks the network for credentials unless it is told not to."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def new_client(**options):
    return boto3.client("rekognition", **options)


def collections(client=None):
    return (client or new_client()).list_collections()["CollectionIds"]
