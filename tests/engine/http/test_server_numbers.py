"""What a server tells of itself: its numbers, and a line for each request."""

import json
import logging
import time

import boto3
import botocore
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from facesearch.engine.http import access_log

LIST = {"X-Amz-Target": "RekognitionService.ListCollections", "Content-Type": "application/x-amz-json-1.1"}


def client_of(url):
    config = Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1})
    return boto3.client("rekognition", endpoint_url=url, region_name="us-east-1", config=config)


def ask(url, method="POST", path="/", headers=None, body=None):
    urllib3.request(method, url + path, headers=headers or LIST, body=body, retries=False)


def numbers(url):
    text = urllib3.request("GET", url + "/metrics").data.decode()
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_metrics_count_requests_by_operation_and_code_and_what_the_store_holds(engine_server, photos):
    url = engine_server().url
    client = client_of(url)
    client.create_collection(CollectionId="staff")
    client.index_faces(CollectionId="staff", Image={"Bytes": photos["both"]})
    for name in "abc":
        client.create_user(CollectionId="staff", UserId=name)
    for _ in range(2):
        with pytest.raises(ClientError):
            client.list_faces(CollectionId="visitors")
    ask(url, headers={"X-Amz-Target": "RekognitionService.MakeCoffee"})
    ask(url, "GET", "/nothing")
    told = numbers(url)
    requests = {name: value for name, value in told.items() if name.startswith("facesearch_requests_total")}
    assert requests == {
        'facesearch_requests_total{code="OK",operation="CreateCollection"}': 1,
        'facesearch_requests_total{code="OK",operation="CreateUser"}': 3,
        'facesearch_requests_total{code="OK",operation="IndexFaces"}': 1,
        'facesearch_requests_total{code="ResourceNotFoundException",operation="ListFaces"}': 2,
        'facesearch_requests_total{code="UnknownOperationException",operation="other"}': 1,
    }
    assert told["facesearch_collections"] == 1
    assert told["facesearch_faces"] == 2
    assert told["facesearch_users"] == 3
    assert told['facesearch_request_seconds_count{operation="ListFaces"}'] == 2
    assert told['facesearch_request_seconds_bucket{le="+Inf",operation="IndexFaces"}'] == 1
    assert told['facesearch_request_seconds_sum{operation="IndexFaces"}'] > 0


def lines(caplog):
    return [record.fields for record in caplog.records if record.name == access_log.__name__]


def test_every_request_leaves_a_line_without_anything_of_its_content(engine_server, photos, caplog):
    caplog.set_level(logging.INFO)
    url = engine_server().url
    client = client_of(url)
    client.create_collection(CollectionId="secret-club")
    image = {"Bytes": photos["grace"]}
    indexed = client.index_faces(CollectionId="secret-club", Image=image, ExternalImageId="grace-hopper")
    credential = (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261121/us-east-1/rekognition/aws4_request"
    )
    ask(url, headers={**LIST, "Authorization": credential})
    ask(
        url, headers={**LIST, "Authorization": "AWS4-HMAC-SHA256 Credential=wJalrXUtnFEMI/K7MDENG"}, body=b"["
    )
    ask(url, "GET", "/metrics-of-nothing")
    deadline = time.monotonic() + 30
    while len(lines(caplog)) < 5:
        assert time.monotonic() < deadline
    told = lines(caplog)
    assert [(line["operation"], line["status"], line["error"]) for line in told] == [
        ("CreateCollection", 200, None),
        ("IndexFaces", 200, None),
        ("ListCollections", 200, None),
        ("ListCollections", 400, "SerializationException"),
        (None, 404, "UnknownOperationException"),
    ]
    assert [line["access_key_id"] for line in told] == [None, None, "AKIAIOSFODNN7EXAMPLE", None, None]
    assert told[1]["request_id"] == indexed["ResponseMetadata"]["RequestId"]
    assert told[1]["bytes_in"] > len(photos["grace"]) and told[1]["ms"] > 0 and told[1]["bytes_out"] > 100
    text = json.dumps(told)
    face = indexed["FaceRecords"][0]["Face"]
    for private in ("secret-club", "grace-hopper", face["FaceId"], face["ImageId"], "wJalrX"):
        assert private not in text


def test_a_record_is_one_line_of_json_with_its_traceback():
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        failed = (type(error), error, error.__traceback__)
    record = logging.LogRecord("facesearch", logging.ERROR, __file__, 1, "it %s", ("failed",), failed)
    text = access_log._JsonLines().format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert (line["level"], line["message"]) == ("error", "it failed")
    assert line["traceback"].endswith("ValueError: two\nlines")
    assert line["time"].endswith("+00:00")
