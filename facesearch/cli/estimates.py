"""What an enrolment would do and cost, shown before it does."""

from __future__ import annotations

from typing import Any

from facesearch.cli.output import Format, show_document, write
from facesearch.cli.talk import counted
from facesearch.domain import Estimate

_LATER = "the largest face of a photo with several may take a second call"


def show_estimate(form: Format, estimate: Estimate, collection_id: str) -> None:
    """Show it: a document in JSON, else lines for reading."""
    if form is Format.JSON:
        show_document(estimate_shape(estimate, collection_id))
        return
    total = sum(estimate.files.values())
    people = counted(estimate.people, "person", "people")
    write(
        f"{counted(total, 'photo')} of {people} for collection {collection_id}; nothing was sent or written"
    )
    for state, count in estimate.files.items():
        write(f"  {state.replace('_', ' '):<14} {count:>7,}")
    for operation, count in estimate.calls.items():
        write(f"calls of {operation:<14} {count:>7,}")
    if estimate.seconds is not None:
        write(f"time at the quota      {_time(estimate.seconds):>8}")
    write(
        f"cost on AWS            ${estimate.cost:,.3f}, and ${estimate.face_month:,.5f} a month to keep the faces"
    )
    write(f"prices of {estimate.prices_as_of}; {_LATER}")


def estimate_shape(estimate: Estimate, collection_id: str) -> dict[str, Any]:
    """The estimate in JSON."""
    return {
        "dry_run": True,
        "collection": collection_id,
        "photos": {"total": sum(estimate.files.values()), **estimate.files},
        "people": estimate.people,
        "calls": dict(estimate.calls),
        "seconds_at_quota": estimate.seconds,
        "aws_dollars": float(estimate.cost),
        "aws_dollars_a_month": float(estimate.face_month),
        "prices_as_of": estimate.prices_as_of.isoformat(),
    }


def _time(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
