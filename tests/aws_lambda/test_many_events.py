"""Many events, each delivered twice in any order, while S3 and Rekognition fail: one true document for each."""

import io
import json
from random import Random

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws
from PIL import Image

from facesearch import aws_lambda
from facesearch.aws_lambda import tag_handler
from facesearch.testing import mock_rekognition

from .conftest import BUCKET, bridged, notification, queued, record

FAULTS = 0.05
BATCH = 10


def picture(chance):
    """A small photo that no other is like."""
    data = io.BytesIO()
    Image.frombytes("RGB", (80, 80), chance.randbytes(80 * 80 * 3)).save(data, "JPEG", quality=40)
    return data.getvalue()


def failing_s3(client, chance):
    """One call in twenty is refused, and one whose work was done loses its answer as often."""

    def before(model, **_):
        if chance.random() < FAULTS / 2:
            answer = {"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
            raise ClientError(answer, model.name)

    def after(model, **_):
        if chance.random() < FAULTS / 2:
            raise ReadTimeoutError(endpoint_url="https://s3")

    client.meta.events.register("before-call.s3", before)
    client.meta.events.register("after-call.s3", after)


@pytest.mark.parametrize("number", [20, pytest.param(1000, marks=pytest.mark.slow)])
def test_every_photo_ends_with_one_document_of_what_it_is_now(function, number, cut):
    chance = Random(number)
    names = [f"{chance.randrange(10)}/photo {place} ü.jpg" for place in range(cut(number))]
    with mock_aws(), mock_rekognition(throttle=FAULTS, seed=number):
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        failing_s3(aws_lambda._app()._objects._client, chance)

        def uploaded(name):
            """The events of an upload, one in each of two forms."""
            s3.put_object(Bucket=BUCKET, Key=f"uploads/{name}", Body=picture(chance))
            return [notification(record(f"uploads/{name}")), bridged(f"uploads/{name}")]

        waiting = [event for name in names for event in uploaded(name)]
        replaced = chance.sample(names, len(names) // 5)
        deliveries = 0
        while waiting:
            chance.shuffle(waiting)
            batch, waiting = waiting[:BATCH], waiting[BATCH:]
            failed = {one["itemIdentifier"] for one in tag_handler(queued(*batch))["batchItemFailures"]}
            waiting += [event for place, event in enumerate(batch) if f"message-{place}" in failed]
            if replaced:
                waiting += uploaded(replaced.pop())
            deliveries += len(batch)
        etags = {
            one["Key"]: one["ETag"].strip('"')
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
            for one in page["Contents"]
        }
        assert deliveries > 2 * len(names) + 2 * (len(names) // 5), "nothing failed"
        assert {key for key in etags if not key.startswith("uploads/")} == {
            f"metadata/{name}.json" for name in names
        }
        for name in names:
            document = s3.get_object(Bucket=BUCKET, Key=f"metadata/{name}.json")["Body"].read()
            assert json.loads(document)["etag"] == etags[f"uploads/{name}"], name
