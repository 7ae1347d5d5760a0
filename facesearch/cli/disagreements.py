"""In plain words: the ways in which a collection, the records and the files differ, and what can be done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from facesearch.cli.output import Row, View, nearby
from facesearch.domain.reconciliation import Drift, Finding, Repair, Tally

MEANING = {
    Drift.ORPHAN: "a face of somebody on record that has no record itself: searches find it and cannot name it",
    Drift.UNKNOWN_PERSON: "a face that facesearch stored for a person who is not in these records",
    Drift.ERASED_PERSON: "a face of a person who was erased",
    Drift.FOREIGN: "a face that another program stored",
    Drift.WRONG_ID: "a face whose record says another person or photo than its ExternalImageId",
    Drift.DUPLICATE: "one more face of a photo that has one already: it costs and adds nothing",
    Drift.GHOST: "a record of a face that the collection does not hold: searches never find it",
    Drift.UNSETTLED_PHOTO: "a photo whose enrolment was cut short",
    Drift.UNSETTLED_CHANGE: "a change of the collection that was about to be made, and is not confirmed",
    Drift.UNKNOWN_USER: "a user of the collection none of whose faces is on record",
    Drift.EMPTY_USER: "a user of the collection without faces, whom the records do not know",
    Drift.USERLESS_FACE: "a face that its person's user does not have: searches by user pass it over",
    Drift.UNSEEN_PHOTO: "a photo that was never seen here: its faces were adopted",
    Drift.MISSING_FILE: "a photo that is no more where it was last seen",
    Drift.CHANGED_FILE: "a file that holds something else than the photo that was enrolled",
}

_PLAN = {
    Repair.RECORD: "is put on record",
    Repair.ADOPT: "is put on record, with the person",
    Repair.CORRECT: "has its record written anew, by the ExternalImageId",
    Repair.DELETE: "is deleted from the collection",
    Repair.FORGET: "has its record deleted; the photo can be enrolled again",
    Repair.SETTLE: "is ended as the collection shows it; `facesearch enroll` would look at the photo again",
    Repair.REPEAT: "is made again",
    Repair.ASSOCIATE: "is given to its person's user, which is made if it is not there",
}
_LEFT = {
    Drift.UNKNOWN_PERSON: "is left alone: --adopt puts it on record, --delete-unknown deletes it",
    Drift.FOREIGN: "is left alone: --adopt puts it on record, --delete-unknown deletes it",
    Drift.WRONG_ID: "is left alone: its person is not on record; --adopt believes it, --delete-unknown deletes it",
    Drift.UNKNOWN_USER: "is left alone: --adopt puts the faces on record, --delete-unknown deletes the user",
    Drift.EMPTY_USER: "is left alone: --adopt puts the user on record, --delete-unknown deletes it",
    Drift.USERLESS_FACE: "is left alone: take it from its user, or delete that user",
    Drift.UNSETTLED_CHANGE: "is left to the command that began it",
    Drift.UNSEEN_PHOTO: "stays: enrol the photo from its folder and it is recognised, without a call",
    Drift.MISSING_FILE: "stays: put the file back, or enrol it from where it is now, without a call",
    Drift.CHANGED_FILE: "stays: enrol the file, which is another photo by now",
}


def meaning(drift: Drift) -> str:
    """What a kind of difference is."""
    return MEANING[drift]


def plan(drift: Drift, repair: Repair) -> str:
    """What becomes of a difference of this kind."""
    return _LEFT[drift] if repair is Repair.LEAVE else _PLAN[repair]


def lines(findings: Iterable[Tally]) -> Iterator[str]:
    """Each kind: how many, what it is, what becomes of it, and the first few."""
    for tally in findings:
        yield ""
        yield f"{tally.count:,} {tally.drift.value.replace('_', ' ')}: {meaning(tally.drift)}"
        yield f"  each {plan(tally.drift, tally.repair)}"
        for finding in tally.examples:
            yield f"  - {_told(finding)}"
        if tally.count > len(tally.examples):
            yield f"  - and {tally.count - len(tally.examples):,} more"


def tally_shape(tally: Tally) -> dict[str, Any]:
    """A kind in JSON."""
    return {
        "drift": tally.drift.value,
        "repair": tally.repair.value,
        "count": tally.count,
        "meaning": meaning(tally.drift),
        "plan": plan(tally.drift, tally.repair),
        "examples": [_shape(finding) for finding in tally.examples],
    }


def _told(finding: Finding) -> str:
    what = finding.operation or ""
    if finding.face_id:
        what = f"{what} face {finding.face_id}".strip()
    elif finding.user_id:
        what = f"{what} user {finding.user_id}".strip()
    details = [
        finding.person,
        nearby(finding.photo) if finding.photo else None,
        f"ExternalImageId {finding.external_image_id}" if finding.drift in _BY_NAME else None,
        f"user {finding.user_id}" if finding.user_id and finding.face_id else None,
    ]
    told = ", ".join([part for part in [what, *details] if part])
    return f"{told}: {finding.reason}" if finding.reason else told


_BY_NAME = (Drift.FOREIGN, Drift.UNKNOWN_PERSON, Drift.WRONG_ID, Drift.ERASED_PERSON)


def _shape(finding: Finding) -> dict[str, Any]:
    return {
        "drift": finding.drift.value,
        "repair": finding.repair.value,
        "face_id": finding.face_id,
        "external_image_id": finding.external_image_id,
        "user_id": finding.user_id,
        "person_id": finding.person_id,
        "person": finding.person,
        "photo": finding.photo,
        "operation": finding.operation,
        "reason": finding.reason,
    }


def _rows(finding: Finding) -> Iterator[Row]:
    yield _shape(finding)


FINDINGS: View[Finding] = View(
    key="findings",
    shape=_shape,
    rows=_rows,
    fields=(
        "drift", "repair", "face_id", "external_image_id", "user_id", "person_id", "person", "photo", "operation",
        "reason",
    ),
    columns=(),
    empty="",
)  # fmt: skip
