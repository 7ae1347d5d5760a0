"""Uploads are tagged: the real handler, moto's S3 and the embedded engine."""

import json
import logging

import boto3
import pytest
from botocore.exceptions import ClientError

from facesearch import aws_lambda
from facesearch.aws_lambda import tag_handler
from facesearch.errors import FaceSearchError

from .conftest import BUCKET, bridged, notification, queued, record

TEST_EVENT = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Bucket": BUCKET,
    "RequestId": "R",
    "HostId": "H",
}


@pytest.fixture
def hugo(samples, smaller):
    return smaller(samples / "queries" / "hugo.jpg")


@pytest.fixture
def group(samples, smaller):
    return smaller(samples / "queries" / "group.jpg", 640)


def test_an_uploaded_photo_gets_a_document_of_what_it_shows(put, s3, document, hugo):
    event = notification(put("uploads/staff/hugo.jpg", hugo))
    assert tag_handler(event)["objects"] == [
        {"object": "s3://pictures/uploads/staff/hugo.jpg", "outcome": "tagged"}
    ]
    found = document("metadata/staff/hugo.jpg.json")
    head = s3.head_object(Bucket=BUCKET, Key="uploads/staff/hugo.jpg")
    assert found["bucket"] == BUCKET and found["key"] == "uploads/staff/hugo.jpg"
    assert (
        found["etag"] == head["ETag"].strip('"') and found["size"] == len(hugo) and found["version"] is None
    )
    assert found["label_model_version"].startswith("faces-") and found["tagged_at"].endswith("+00:00")
    labels = {label["name"]: label for label in found["labels"]}
    assert labels.keys() == {"Face", "Head", "Person", "Portrait", "Photography"}
    assert labels["Face"]["parents"] == ["Head", "Person"]
    assert labels["Face"]["categories"] == ["Person Description"]
    assert labels["Face"]["confidence"] > 99 and 0 < labels["Face"]["instances"][0]["box"]["left"] < 1
    assert (
        s3.head_object(Bucket=BUCKET, Key="metadata/staff/hugo.jpg.json")["ContentType"] == "application/json"
    )


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda key: notification(record(key)),
        lambda key: notification(record(key, "ObjectCreated:CompleteMultipartUpload")),
        lambda key: bridged(key),
        lambda key: queued(notification(record(key))),
        lambda key: queued(bridged(key)),
        lambda key: queued(TEST_EVENT, notification(record("elsewhere/x.jpg"), record(key))),
    ],
    ids=["notification", "multipart", "EventBridge", "queue", "EventBridge by queue", "batches"],
)
def test_an_event_is_understood_in_every_form(put, document, hugo, wrapped):
    key = "uploads/Жанна & Söhne/50% + 1 (é).jpg"
    put(key, hugo)
    assert tag_handler(wrapped(key))["batchItemFailures"] == []
    assert document("metadata/Жанна & Söhne/50% + 1 (é).jpg.json")["key"] == key


@pytest.mark.parametrize(
    "event",
    [
        TEST_EVENT,
        queued(TEST_EVENT),
        notification(record("metadata/a.jpg.json")),
        notification(record("uploads-of-others/a.jpg")),
        notification(record("uploads/folder/"), record("uploads/.DS_Store"), record("uploads/Thumbs.db")),
        notification(record("uploads/a.jpg", "ObjectRemoved:Delete")),
        notification(record("uploads/a.jpg", "ObjectTagging:Put")),
        bridged("uploads/a.jpg", "Object Deleted"),
        bridged("uploads/a.jpg", "Object Restore Completed"),
        queued(),
    ],
)
def test_what_is_no_uploaded_photo_is_passed_over(s3, keys, event):
    answer = tag_handler(event)
    assert answer["batchItemFailures"] == [] and keys("") == []
    assert {one["outcome"] for one in answer["objects"]} <= {"passed over"}


def test_a_document_starts_nothing(put, keys, hugo):
    tag_handler(notification(put("uploads/a.jpg", hugo)))
    tag_handler(notification(*(record(key) for key in keys(""))))
    assert keys("") == ["metadata/a.jpg.json", "uploads/a.jpg"]


def test_the_same_event_twice_writes_and_asks_once(put, s3, document, hugo):
    event = notification(put("uploads/a.jpg", hugo))
    tag_handler(event)
    before = s3.get_object(Bucket=BUCKET, Key="metadata/a.jpg.json")
    asked = aws_lambda._app()._gateway.meter.answered()
    assert tag_handler(event)["objects"][0]["outcome"] == "already"
    after = s3.get_object(Bucket=BUCKET, Key="metadata/a.jpg.json")
    assert before["Body"].read() == after["Body"].read()
    assert aws_lambda._app()._gateway.meter.answered() == asked == {"DetectLabels": 1}


def test_an_event_that_comes_late_tells_of_the_photo_as_it_is_now(put, document, hugo, group):
    older = notification(put("uploads/a.jpg", hugo))
    newer = notification(put("uploads/a.jpg", group))
    tag_handler(newer)
    found = document("metadata/a.jpg.json")
    assert tag_handler(older)["objects"][0]["outcome"] == "already"
    assert document("metadata/a.jpg.json") == found
    assert "People" in {label["name"] for label in found["labels"]}


def test_a_replaced_photo_gets_another_document(put, document, hugo, group):
    for content in (hugo, group):
        tag_handler(notification(put("uploads/a.jpg", content)))
    assert "People" in {label["name"] for label in document("metadata/a.jpg.json")["labels"]}


def test_versions_are_told_and_asked_about(put, s3, document, hugo, group):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    put("uploads/a.jpg", group)
    newest = put("uploads/a.jpg", hugo)
    tag_handler(notification(newest))
    assert document("metadata/a.jpg.json")["version"] == newest["s3"]["object"]["versionId"]
    s3.delete_object(Bucket=BUCKET, Key="uploads/a.jpg")
    assert tag_handler(notification(newest))["objects"][0]["outcome"] == "gone"


def test_a_photo_that_is_gone_is_no_failure(s3, keys):
    assert tag_handler(notification(record("uploads/a.jpg")))["objects"][0]["outcome"] == "gone"
    assert keys("") == []


def test_a_broken_document_is_written_anew(put, document, hugo):
    event = notification(put("uploads/a.jpg", hugo))
    for broken in (b"", b"[1]", b'{"schema": 1, "labels": [{}]}', b"\xff"):
        put("metadata/a.jpg.json", broken)
        assert tag_handler(event)["objects"][0]["outcome"] == "tagged"
        assert document("metadata/a.jpg.json")["key"] == "uploads/a.jpg"


# --- what goes wrong


@pytest.fixture
def dead_letters(s3, monkeypatch):
    sqs = boto3.client("sqs", region_name="us-east-1")
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", url)
    return lambda: [
        (one["Body"], one["MessageAttributes"]["reason"]["StringValue"])
        for one in sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages", ())
    ]


def test_what_is_no_photo_goes_to_the_dead_letters_with_its_reason(put, dead_letters, keys, hugo):
    broken = put("uploads/notes.jpg", b"not a photo")
    answer = tag_handler(queued(notification(put("uploads/a.jpg", hugo)), notification(broken)))
    assert answer["batchItemFailures"] == []
    [(event, reason)] = dead_letters()
    assert json.loads(event) == notification(broken)
    assert "s3://pictures/uploads/notes.jpg: the service cannot read the image" in reason
    assert reason.count("s3://") == 1
    assert keys("metadata/") == ["metadata/a.jpg.json"]


def test_what_is_no_event_goes_to_the_dead_letters_too(dead_letters):
    hostile = ["{", "[]", "{}", '{"Records": [{"eventName": "ObjectCreated:Put"}]}', '{"Records": 1}',
               json.dumps(notification(record("uploads/a.jpg")) | {"Records": [
                   {"eventName": "ObjectCreated:Put",
                    "s3": {"bucket": {"name": "b"}, "object": {"key": "uploads/%ff.jpg"}}}]})]  # fmt: skip
    assert tag_handler(queued(*hostile))["batchItemFailures"] == []
    sent = dict(dead_letters())
    assert sent.keys() == set(hostile)
    assert all("this is no event of S3" in reason for reason in sent.values())


def test_a_key_without_room_for_its_document_is_a_dead_letter(put, dead_letters, hugo):
    tag_handler(notification(put("uploads/" + "x" * 1016, hugo)))
    assert "its key is too long" in dead_letters()[0][1]


def test_without_a_queue_for_them_they_are_delivered_again(put, hugo, caplog):
    broken, fine = put("uploads/notes.jpg", b"not a photo"), put("uploads/a.jpg", hugo)
    with caplog.at_level(logging.INFO, "facesearch"):
        answer = tag_handler(queued(notification(broken), notification(fine), "{"))
    assert answer["batchItemFailures"] == [{"itemIdentifier": "message-0"}, {"itemIdentifier": "message-2"}]
    told = [json.loads(line.message) for line in caplog.records]
    assert {one["outcome"] for one in told} == {"failed", "tagged"}
    with pytest.raises(FaceSearchError, match=r"notes\.jpg: the service cannot read the image"):
        tag_handler(notification(broken, fine))


def test_a_queue_that_is_not_there_loses_nothing(put, s3, monkeypatch):
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/none")
    broken = put("uploads/notes.jpg", b"not a photo")
    with pytest.raises(FaceSearchError, match="there is no queue"):
        tag_handler(notification(broken))


def test_what_fails_for_now_is_delivered_again_and_nothing_else(put, keys, hugo, failing):
    events = [notification(put(f"uploads/{name}.jpg", hugo)) for name in "abc"]
    failing("PutObject", "SlowDown", 503, when=lambda params: params["Key"] == "metadata/b.jpg.json")
    assert tag_handler(queued(*events))["batchItemFailures"] == [{"itemIdentifier": "message-1"}]
    assert keys("metadata/") == ["metadata/a.jpg.json", "metadata/c.jpg.json"]
    failing()
    assert tag_handler(queued(*events))["batchItemFailures"] == []
    assert keys("metadata/") == [f"metadata/{name}.jpg.json" for name in "abc"]


def test_a_missing_right_is_named(put, hugo, failing):
    event = notification(put("uploads/a.jpg", hugo))
    for operation, right in (("GetObject", "s3:ListBucket"), ("PutObject", "s3:PutObject")):
        failing(operation, "AccessDenied", 403)
        with pytest.raises(FaceSearchError, match=f"must allow .*{right}"):
            tag_handler(event)


@pytest.fixture
def failing():
    """failing("PutObject", code, status): the handler's S3 answers so; failing(): no longer."""
    wanted = {}

    def refuse(model, params, **_):
        if wanted.get("operation") == model.name and wanted["when"](params):
            answer = {"Error": {"Code": wanted["code"], "Message": "so"}}
            raise ClientError(
                {**answer, "ResponseMetadata": {"HTTPStatusCode": wanted["status"]}}, model.name
            )

    def failing(operation=None, code=None, status=None, when=lambda params: True):
        events = aws_lambda._app()._objects._client.meta.events
        events.register("before-parameter-build.s3", refuse, unique_id="failing")
        wanted.update(operation=operation, code=code, status=status, when=when)

    return failing


# --- a Custom Labels model

MODEL = "arn:aws:rekognition:us-east-1:123456789012:project/logos/version/logos.1/1700000000000"


@pytest.fixture
def custom_labels(s3, monkeypatch):
    """What the model answers: a dict, or the code of an error. DetectLabels stays the engine's."""
    monkeypatch.setenv("CUSTOM_LABELS_PROJECT_VERSION_ARN", MODEL)
    said = {}

    def answer(params, **_):
        assert params["body"]
        asked = json.loads(params["body"])
        assert asked["ProjectVersionArn"] == MODEL and asked["Image"]["S3Object"]["Bucket"] == BUCKET
        if "error" in said:
            metadata = {"HTTPStatusCode": 400, "RequestId": "r"}
            error = {"Error": {"Code": said["error"], "Message": "so"}, "ResponseMetadata": metadata}
            raise ClientError(error, "DetectCustomLabels")
        http = type("Answer", (), {"status_code": 200})()
        return http, {"CustomLabels": said["labels"], "ResponseMetadata": {"RequestId": "r"}}

    aws_lambda._app()._gateway._client.meta.events.register(
        "before-call.rekognition.DetectCustomLabels", answer
    )
    return said


def test_labels_of_a_custom_model_join_in(put, document, hugo, custom_labels):
    box = {"Width": 0.2, "Height": 0.3, "Left": 0.1, "Top": 0.4}
    custom_labels["labels"] = [
        {"Name": "Logo", "Confidence": 70.0, "Geometry": {"BoundingBox": box}},
        {"Name": "Indoors", "Confidence": 80.0},
        {"Name": "Logo", "Confidence": 90.0, "Geometry": {"BoundingBox": box}},
    ]
    tag_handler(notification(put("uploads/a.jpg", hugo)))
    found = document("metadata/a.jpg.json")
    assert found["custom_labels_project_version_arn"] == MODEL
    assert [
        (label["name"], label["confidence"], len(label["instances"])) for label in found["custom_labels"]
    ] == [
        ("Logo", 90.0, 2),
        ("Indoors", 80.0, 0),
    ]
    assert "Face" in {label["name"] for label in found["labels"]}


def test_a_model_that_is_not_running_is_tried_again_later(put, keys, hugo, custom_labels, dead_letters):
    event = queued(notification(put("uploads/a.jpg", hugo)))
    custom_labels["error"] = "ResourceNotReadyException"
    assert len(tag_handler(event)["batchItemFailures"]) == 1
    assert keys("metadata/") == [] and dead_letters() == []
    with pytest.raises(FaceSearchError, match=r"is not running .*start-project-version"):
        tag_handler(json.loads(event["Records"][0]["body"]))
    del custom_labels["error"]
    custom_labels["labels"] = []
    assert tag_handler(event)["batchItemFailures"] == []
    assert keys("metadata/") == ["metadata/a.jpg.json"]


def test_a_model_that_is_not_there_is_named(put, hugo, custom_labels):
    custom_labels["error"] = "ResourceNotFoundException"
    with pytest.raises(
        FaceSearchError, match=f"no Custom Labels model {MODEL}.*CUSTOM_LABELS_PROJECT_VERSION_ARN"
    ):
        tag_handler(notification(put("uploads/a.jpg", hugo)))


def test_an_arn_of_something_else_is_refused_before_any_call(s3, monkeypatch):
    monkeypatch.setenv("CUSTOM_LABELS_PROJECT_VERSION_ARN", MODEL.replace("version", "dataset"))
    with pytest.raises(FaceSearchError, match="must be the ARN of a project version"):
        tag_handler(notification(record("uploads/a.jpg")))


def test_the_embedded_engine_answers_too(put, document, hugo, monkeypatch):
    monkeypatch.setenv("FACESEARCH_ENGINE", "embedded")
    assert tag_handler(notification(put("uploads/a.jpg", hugo)))["objects"][0]["outcome"] == "tagged"
    assert "Portrait" in {label["name"] for label in document("metadata/a.jpg.json")["labels"]}
