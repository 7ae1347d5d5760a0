"""An AWS account of moto's: no network, no cost, S3's own behaviour."""

import boto3
import pytest
from moto import mock_aws


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
