"""Handlers for AWS Lambda: an event of S3 comes in, one workflow is called for each object, its outcome is told.

    facesearch.aws_lambda.tag_handler      uploads/<path>   -> metadata/<path>.json, what the photo shows

Each takes S3's notifications, EventBridge's, and either of them from an SQS queue, in batches; s3:TestEvent and
objects elsewhere in the bucket are passed over. An event says no more than that something happened to an object:
what counts is the object as it is when the handler looks. Events may therefore come twice, late and in any order.

What the environment says (and FACESEARCH_MAX_ATTEMPTS, FACESEARCH_READ_TIMEOUT ... as for the commands):

    variable                            for        what it is
    FACESEARCH_ENGINE                   all        `aws`, or the URL of an endpoint
    FACESEARCH_HOME                     all        a folder that can be written: /tmp/facesearch
    CUSTOM_LABELS_PROJECT_VERSION_ARN   tag        a Custom Labels model whose labels join in (optional)
    DEAD_LETTER_QUEUE_URL               all        the queue for objects that can never be done, with the reason

Which calls they make, on which resource:

    call                                for        on
    s3:GetObject (also HeadObject)      tag        uploads/*, metadata/*
    s3:GetObjectVersion                 tag        uploads/*, in a bucket that keeps versions
    s3:ListBucket                       all        the bucket; without it S3 calls an object that is gone forbidden
    s3:PutObject                        tag        metadata/*
    rekognition:DetectLabels            tag        * (it has no resource)
    rekognition:DetectCustomLabels      tag        CUSTOM_LABELS_PROJECT_VERSION_ARN
    sqs:SendMessage                     all        the queue of DEAD_LETTER_QUEUE_URL

What failed and may work later (a throttle, a model that is not running) is reported by batchItemFailures for a
queue, and raised otherwise, so that it is delivered again. What can never work (no photo, too large, a key too
long) goes to DEAD_LETTER_QUEUE_URL: the event of this one object, with the reason as message attribute `reason`.
Without that variable it is treated as the former and ends where the queue's own redrive policy says.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from facesearch.aws_lambda.delivery import DeadLetters, delivered
from facesearch.aws_lambda.events import ObjectEvent
from facesearch.bootstrap import open_app, open_dead_letters
from facesearch.settings import FunctionSettings, Settings

if TYPE_CHECKING:
    from facesearch.app import FaceSearch

UPLOADS, METADATA = "uploads/", "metadata/"


def tag_handler(event: Mapping[str, Any], context: object = None) -> dict[str, Any]:
    """Ask what each uploaded photo shows and write it to metadata/, where it starts nothing."""
    app = _app()

    def tag(one: ObjectEvent) -> str | None:
        if one.removed or not one.key.startswith(UPLOADS):
            return None
        name = one.key.removeprefix(UPLOADS)
        tagged = app.tag_object(one.address, f"s3://{one.bucket}/{METADATA}", name)
        return tagged.status if tagged else None

    return delivered(event, tag, _dead_letters())


@cache
def _app() -> FaceSearch:
    """One for the life of the process, which Lambda keeps from event to event."""
    return open_app(Settings.resolve())


@cache
def _dead_letters() -> DeadLetters | None:
    url = FunctionSettings.resolve().dead_letter_queue_url
    return open_dead_letters(url) if url else None
