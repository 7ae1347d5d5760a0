"""Changes of a collection other than the enrolment of a photo: written down before the call, settled after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ChangeState(StrEnum):
    """Where a change stands."""

    INTENT = "intent"  # about to be made, or made and not confirmed: it is worth repeating
    DONE = "done"  # the service confirmed it
    REFUSED = "refused"  # the service said no, and repeating it unchanged cannot help


@dataclass(frozen=True, slots=True)
class Change:
    """One thing a service is to do to one face or user of a collection.

    `operation` is Rekognition's own name (DeleteFaces, DisassociateFaces, DeleteUser ...). `id`, `state` and what
    follows are filled in by the records. `person_id` outlives the person.
    """

    operation: str
    face_id: str | None = None
    user_id: str | None = None
    person_id: str | None = None
    id: int | None = None
    state: ChangeState = ChangeState.INTENT
    reason: str | None = None  # of the last attempt, while it is not done
    attempts: int = 0  # calls made for it
    request_id: str | None = None  # of the last call
    intended_at: datetime | None = None
