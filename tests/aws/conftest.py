"""An AWS account of moto's: no network, no cost, S3's own behaviour."""

import boto3
import pytest
from moto import mock_aws
from moto.server import ThreadedMotoServer


@pytest.fixture
def credentials(monkeypatch):
    """Credentials that AWS's own chain finds, a region, and no look at a machine's metadata."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def s3(credentials):
    """moto's S3, and a client of it beside the program's own."""
    with mock_aws():
        yield boto3.client("s3", region_name="eu-west-1")


@pytest.fixture(scope="module")
def elsewhere():
    """The URL of a service that speaks S3's API and is not AWS's."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
