"""Which face of a photo is the person's, and why a photo is left out: decisions over one IndexFaces answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from facesearch.domain import FaceDetail, FaceRecord, IndexResult, OnMultiple, PhotoStatus

CLEARLY_LARGER = 3.0  # how many times the area of the next face makes the largest one the subject of a photo

EXCEEDS_MAX_FACES = "EXCEEDS_MAX_FACES"

_IN_PLAIN_WORDS = {
    "EXTREME_POSE": "the head is turned too far",
    "LOW_BRIGHTNESS": "the face is too dark",
    "LOW_SHARPNESS": "the face is too blurred",
    "LOW_CONFIDENCE": "it may not be a face",
    "SMALL_BOUNDING_BOX": "the face is too small",
    "LOW_FACE_QUALITY": "the face is of too poor quality",
    EXCEEDS_MAX_FACES: "other faces were preferred",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of a photo: its status, the face kept, and the FaceIds that must leave the collection."""

    status: PhotoStatus
    reason: str | None
    kept: FaceRecord | None
    superfluous: tuple[str, ...]


def choose(result: IndexResult, on_multiple: OnMultiple) -> Choice | None:
    """Decide over every face the service saw, stored or not.

    None when the subject was only left out for want of room: the call is then to be repeated with room for
    every face, since the service keeps the best faces, which need not be the largest.
    """
    seen = sorted(_seen(result), key=lambda face: face[0].box.area, reverse=True)
    if not seen:
        return Choice(PhotoStatus.NO_FACE, "no face was found", None, ())
    crowd = _why_not_one(seen, on_multiple)
    if crowd:
        return _left_out(result, PhotoStatus.SEVERAL_FACES, crowd)
    _, record, reasons = seen[0]
    if record is not None:
        others = (other.face.face_id for other in result.records if other is not record)
        return Choice(PhotoStatus.ENROLLED, None, record, tuple(others))
    if set(reasons) == {EXCEEDS_MAX_FACES}:
        return None
    return _left_out(result, PhotoStatus.FILTERED, in_plain_words(reasons))


def in_plain_words(reasons: Iterable[str]) -> str:
    """Rekognition's reasons for not storing a face, each with what it means."""
    known = [reason for reason in reasons if reason != EXCEEDS_MAX_FACES] or [EXCEEDS_MAX_FACES]
    return ", ".join(f"{_IN_PLAIN_WORDS.get(reason, 'not stored')} ({reason})" for reason in known)


def _seen(result: IndexResult) -> Iterable[tuple[FaceDetail, FaceRecord | None, tuple[str, ...]]]:
    yield from ((record.detail, record, ()) for record in result.records)
    yield from ((face.detail, None, face.reasons) for face in result.unindexed)


def _why_not_one(
    seen: list[tuple[FaceDetail, FaceRecord | None, tuple[str, ...]]], on_multiple: OnMultiple
) -> str | None:
    if len(seen) == 1 or on_multiple is OnMultiple.LARGEST:
        return None
    if on_multiple is OnMultiple.SKIP:
        return f"{len(seen)} faces"
    largest, following = seen[0][0].box.area, seen[1][0].box.area
    if largest >= CLEARLY_LARGER * following:
        return None
    return f"{len(seen)} faces, and the largest has only {largest / following:.1f} times the area of the next"


def _left_out(result: IndexResult, status: PhotoStatus, reason: str) -> Choice:
    return Choice(status, reason, None, tuple(record.face.face_id for record in result.records))
