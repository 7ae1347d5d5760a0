"""Enrolling: planned photos become faces in a collection and records of whose they are.

The service and the database are not one transaction, so each photo is written down twice: the intent is committed
before the call and its settlement after it. A run that dies in between leaves intents, which the next run settles:
a photo's ExternalImageId is made from its person and its content, so that it is known what the service has of it.

A photo goes through `decided` (was it decided over before?), `hashing` (its sha256), `intents` (need it be sent?),
`indexing` (the call, and the choice of its face) and back to `run`, which writes down how it ended. Threads hash,
convert and call; only the calling thread writes to the database, many photos in one transaction.
"""

from __future__ import annotations

from facesearch.workflows.enrolling.run import enroll
from facesearch.workflows.enrolling.work import external_image_id

__all__ = ["enroll", "external_image_id"]
