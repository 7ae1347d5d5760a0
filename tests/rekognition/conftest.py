"""A gateway over a stub that holds its calls to the API, and what AWS answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from facesearch.rekognition import Rekognition

if TYPE_CHECKING:
    from botocore.client import BaseClient

BOX = {"Left": 0.1, "Top": -0.2, "Width": 0.3, "Height": 0.4}
ID = "11111111-2222-4333-8444-{:012x}"
FACE = {
    "FaceId": ID.format(1),
    "ImageId": ID.format(2),
    "BoundingBox": BOX,
    "Confidence": 99.5,
    "ExternalImageId": "a:b",
    "IndexFacesModelVersion": "7.0",
    "UserId": "u",
}
DETAIL = {
    "BoundingBox": BOX,
    "Confidence": 98.5,
    "Landmarks": [{"Type": "nose", "X": 0.2, "Y": 0.1}],
    "Pose": {"Roll": 1.0, "Yaw": -2.0, "Pitch": 3.0},
    "Quality": {"Brightness": 60.0, "Sharpness": 70.0},
}


def client(**options: Any) -> BaseClient:
    once: Any = {"total_max_attempts": 1}
    config = Config(retries=once, **{"connect_timeout": 2, "read_timeout": 2, **options.pop("config", {})})
    keys = {"aws_access_key_id": "AKID", "aws_secret_access_key": "secret"}
    return botocore.session.Session().create_client(
        "rekognition", **{"region_name": "us-east-1", **keys, **options}, config=config
    )


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(client()) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def gateway(stub: Stubber) -> Rekognition:
    return Rekognition(stub.client)
