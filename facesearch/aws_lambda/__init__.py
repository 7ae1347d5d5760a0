"""Handlers for AWS Lambda: an event of S3 comes in, one workflow is called for each object, its outcome is told.

    facesearch.aws_lambda.tag_handler      uploads/<path>   -> metadata/<path>.json, what the photo shows
    facesearch.aws_lambda.enroll_handler   people/<person>/<path> -> a face of the person in the collection
    facesearch.aws_lambda.search_handler   queries/<path>   -> matches/<path>.json, who is in the photo

Each takes S3's notifications, EventBridge's, and either of them from an SQS queue, in batches; s3:TestEvent and
objects elsewhere in the bucket are passed over. An event says no more than that something happened to an object:
what counts is the object as it is when the handler looks. Events may therefore come twice, late and in any order.

What the environment says (and FACESEARCH_MAX_ATTEMPTS, FACESEARCH_READ_TIMEOUT ... as for the commands):

    variable                            for              what it is
    FACESEARCH_ENGINE                   all              `aws`, or the URL of an endpoint
    FACESEARCH_HOME                     all              a folder that can be written: /tmp/facesearch
    FACESEARCH_COLLECTION               enroll, search   the face collection; enroll makes it if it is not there
    FACESEARCH_DATABASE_URL             enroll, search   the records, in Postgres
    CUSTOM_LABELS_PROJECT_VERSION_ARN   tag              a Custom Labels model whose labels join in (optional)
    DEAD_LETTER_QUEUE_URL               all              the queue for what can never be done, with the reason

Which calls they make, on which resource:

    call                                for              on
    s3:GetObject (also HeadObject)      tag              uploads/*, metadata/*
                                        enroll           people/*
                                        search           queries/*, matches/*
    s3:GetObjectVersion                 tag              uploads/*, in a bucket that keeps versions
    s3:ListBucket                       all              the bucket; without it S3 calls what is gone forbidden
    s3:PutObject                        tag              metadata/*
                                        search           matches/*
    rekognition:DetectLabels            tag              * (it has no resource)
    rekognition:DetectCustomLabels      tag              CUSTOM_LABELS_PROJECT_VERSION_ARN
    rekognition:CreateCollection        enroll           the collection
    rekognition:DescribeCollection      enroll, search   the collection
    rekognition:IndexFaces, DeleteFaces enroll           the collection
    rekognition:DisassociateFaces       enroll           the collection, where it has users
    rekognition:SearchFacesByImage      search           the collection
    sqs:SendMessage                     all              the queue of DEAD_LETTER_QUEUE_URL

Objects that were removed matter to enroll alone: their faces leave the collection.

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
from facesearch.domain import PhotoStatus
from facesearch.errors import ConfigurationError, PhotoError
from facesearch.settings import FunctionSettings, Settings

if TYPE_CHECKING:
    from facesearch.app import FaceSearch

UPLOADS, METADATA = "uploads/", "metadata/"
PEOPLE = "people/"
QUERIES, MATCHES = "queries/", "matches/"


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


def enroll_handler(event: Mapping[str, Any], context: object = None) -> dict[str, Any]:
    """Enrol each photo below people/<person>/, and take back those that were replaced or removed."""
    app, collection = _app(), _collection()

    def enroll(one: ObjectEvent) -> str | None:
        if not one.key.startswith(PEOPLE):
            return None
        outcome = app.follow_object(one.address, f"s3://{one.bucket}/{PEOPLE}", collection)
        if outcome and outcome.status not in (PhotoStatus.ENROLLED, PhotoStatus.ALREADY):
            raise PhotoError(outcome.reason or outcome.status.value)
        return outcome.status if outcome else "removed" if one.removed else None

    return delivered(event, enroll, _dead_letters())


def search_handler(event: Mapping[str, Any], context: object = None) -> dict[str, Any]:
    """Search the collection with each photo below queries/ and write who is in it to matches/."""
    app, collection = _app(), _collection()

    def search(one: ObjectEvent) -> str | None:
        if one.removed or not one.key.startswith(QUERIES):
            return None
        name = one.key.removeprefix(QUERIES)
        return app.match_object(one.address, f"s3://{one.bucket}/{MATCHES}", name, collection)

    return delivered(event, search, _dead_letters())


def _collection() -> str:
    found = FunctionSettings.resolve().collection
    if found is None:
        raise ConfigurationError("no collection is named: set FACESEARCH_COLLECTION for this function")
    return found


@cache
def _app() -> FaceSearch:
    """One for the life of the process, which Lambda keeps from event to event."""
    return open_app(Settings.resolve())


@cache
def _dead_letters() -> DeadLetters | None:
    url = FunctionSettings.resolve().dead_letter_queue_url
    return open_dead_letters(url) if url else None
