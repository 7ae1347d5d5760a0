"""A bucket of moto's, the handlers as Lambda loads them, and events in the forms that S3's arrive in."""

import io
import json
import shutil
from functools import cache
from urllib.parse import quote_plus

import boto3
import pytest
from moto import mock_aws
from PIL import Image

from facesearch import aws_lambda
from facesearch.testing import mock_rekognition

BUCKET = "pictures"


@pytest.fixture(autouse=True)
def function(monkeypatch):
    """The environment of a function, and none of its processes from before; the engine answers as AWS."""
    monkeypatch.setenv("FACESEARCH_ENGINE", "aws")
    monkeypatch.setenv("FACESEARCH_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for name in ("DEAD_LETTER_QUEUE_URL", "CUSTOM_LABELS_PROJECT_VERSION_ARN"):
        monkeypatch.delenv(name, raising=False)
    forget_processes()
    yield
    forget_processes()


def forget_processes():
    """What a function keeps from event to event is gone, as when Lambda starts another process for it."""
    if aws_lambda._app.cache_info().currsize:
        app = aws_lambda._app()
        while app._closing:
            app._closing.pop()()
    aws_lambda._app.cache_clear()
    aws_lambda._dead_letters.cache_clear()


@pytest.fixture
def staff(monkeypatch, tmp_path, migrated_sqlite):
    """The environment of a function that has a collection, and records that need no migration."""
    path = tmp_path / "records.db"
    shutil.copyfile(migrated_sqlite, path)
    monkeypatch.setenv("FACESEARCH_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("FACESEARCH_COLLECTION", "staff")


@pytest.fixture(scope="session")
def smaller():
    """smaller(path): a photo as the bytes of a JPEG that is found a face in soon."""

    @cache
    def smaller(path, width=240):
        data = io.BytesIO()
        with Image.open(path) as photo:
            photo.convert("RGB").resize((width, width * photo.height // photo.width)).save(data, "JPEG")
        return data.getvalue()

    return smaller


@pytest.fixture
def s3(function):
    with mock_aws(), mock_rekognition():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def put(s3):
    """put(key, content): an object, and S3's record of it."""

    def put(key, content):
        answer = s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        return record(key, etag=answer["ETag"].strip('"'), version=answer.get("VersionId"))

    return put


@pytest.fixture
def document(s3):
    """document(key): the JSON that lies there; None where nothing does."""

    def document(key):
        try:
            return json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        except s3.exceptions.NoSuchKey:
            return None

    return document


@pytest.fixture
def keys(s3):
    """keys(prefix): what lies below."""
    return lambda prefix: [
        one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", ())
    ]


def record(key, name="ObjectCreated:Put", *, etag="0" * 32, version=None):
    """A record of S3's own notifications, whose keys are encoded like forms."""
    thing = {"key": quote_plus(key, safe="/"), "size": 1, "eTag": etag, "sequencer": "0065F1A2"}
    if version:
        thing["versionId"] = version
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventName": name,
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": BUCKET}, "object": thing},
    }


def notification(*records):
    return {"Records": list(records)}


def bridged(key, kind="Object Created"):
    """The same by EventBridge, which encodes no keys."""
    return {
        "version": "0",
        "source": "aws.s3",
        "detail-type": kind,
        "detail": {
            "version": "0",
            "bucket": {"name": BUCKET},
            "object": {"key": key, "size": 1, "etag": "0" * 32, "sequencer": "0065F1A2"},
            "reason": "PutObject",
        },
    }


def queued(*events):
    """A batch of SQS with an event, or anything else, in each message."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "eventSource": "aws:sqs",
                "body": event if isinstance(event, str) else json.dumps(event),
            }
            for number, event in enumerate(events)
        ]
    }
