"""Which objects an event is about, in every form that S3's events arrive in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from facesearch.errors import UsageError

_CREATED = ("ObjectCreated:", "Object Created")
_REMOVED = ("ObjectRemoved:", "LifecycleExpiration:", "Object Deleted")


class ObjectEvent(NamedTuple):
    """Something happened to an object. `event` is the event as S3 would have sent it about this object alone."""

    bucket: str
    key: str
    removed: bool
    event: Mapping[str, Any]

    @property
    def address(self) -> str:
        """s3://bucket/key"""
        return f"s3://{self.bucket}/{self.key}"


class Message(NamedTuple):
    """What arrived: of a queue one of its messages with its id, else the event itself."""

    id: str | None
    content: object


def messages(event: object) -> list[Message]:
    """The messages of a batch from SQS; an event from anywhere else is one by itself."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if isinstance(records, list) and records and _is_of_sqs(records[0]):
        return [Message(record["messageId"], record["body"]) for record in records]
    return [Message(None, event)]


def objects(content: object) -> Iterator[ObjectEvent]:
    """The objects that were created or removed; other events, and S3's test event, are about none.

    Raises UsageError for what is no event of S3.
    """
    try:
        event = json.loads(content) if isinstance(content, str) else content
        if not isinstance(event, Mapping):
            raise TypeError("it is no JSON object")
        if event.get("Event") == "s3:TestEvent":
            return
        if "detail-type" in event:
            yield from _of_event_bridge(event)
            return
        for record in event["Records"]:
            yield from _of_s3(record)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as exc:
        raise UsageError(f"this is no event of S3 ({type(exc).__name__}: {exc})") from exc


def _is_of_sqs(record: object) -> bool:
    return isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs"


def _of_s3(record: Mapping[str, Any]) -> Iterator[ObjectEvent]:
    name = record["eventName"]
    if name.startswith((*_CREATED, *_REMOVED)):
        s3 = record["s3"]
        key = unquote_plus(s3["object"]["key"], errors="strict")  # S3 encodes it as a form does
        yield _checked(s3["bucket"]["name"], key, name, {"Records": [record]})


def _of_event_bridge(event: Mapping[str, Any]) -> Iterator[ObjectEvent]:
    name = event["detail-type"]
    if name.startswith((*_CREATED, *_REMOVED)):
        detail = event["detail"]
        yield _checked(detail["bucket"]["name"], detail["object"]["key"], name, event)


def _checked(bucket: object, key: object, name: str, event: Mapping[str, Any]) -> ObjectEvent:
    if not (isinstance(bucket, str) and bucket and isinstance(key, str) and key):
        raise TypeError("bucket and key must be text")
    return ObjectEvent(bucket, key, name.startswith(_REMOVED), event)
