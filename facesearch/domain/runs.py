"""Runs: enrolments as they went, and where each of their photos stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from facesearch.domain.enrolment import OnMultiple, PhotoStatus
from facesearch.domain.records import Person


class RunOutcome(StrEnum):
    """How a run ended."""

    FINISHED = "finished"  # every photo was looked at
    INTERRUPTED = "interrupted"  # by whoever ran it
    STOPPED = "stopped"  # by the limit on its cost
    FAILED = "failed"  # by something that concerned more than one photo


@dataclass(frozen=True, slots=True)
class Run:
    """One enrolment. Without an `outcome` it was killed, or is going on.

    `source` is what was enrolled, as it was asked for; `reason` is why it ended before everything was done.
    `counts` says how many photos ended in which status, None where the run was killed.
    """

    id: str
    collection_id: str
    started_at: datetime
    finished_at: datetime | None = None
    source: str | None = None
    outcome: RunOutcome | None = None
    reason: str | None = None
    counts: Mapping[PhotoStatus, int] | None = None


@dataclass(frozen=True, slots=True)
class RunPhoto:
    """Where a photo stands in a collection. A status of None is an intent that is not settled.

    `attempts` are the tries of calls that were made for it, and `calls` those that were answered, and so billed,
    by this run and earlier ones. `milliseconds` and `request_id` are of the last call. Of a file that could not be
    read there is no more than its path and the reason.
    """

    path: str
    person: Person | None
    status: PhotoStatus | None
    reason: str | None
    attempts: int = 0
    calls: int = 0
    milliseconds: int | None = None
    request_id: str | None = None
    intended_at: datetime | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UnfinishedPhoto:
    """A photo that is to be enrolled still; `sha256` is None for a file that could not be read."""

    number: int  # by which they are paged
    path: str
    person: Person | None
    sha256: str | None = None
    on_multiple: OnMultiple | None = None
