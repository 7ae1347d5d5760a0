"""Explaining: why a search of a photo names somebody, or does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from facesearch import cropping, photos
from facesearch.domain import (
    Collection,
    EnrolledFace,
    FaceDetail,
    Person,
    PersonMatch,
    SearchedFace,
    SearchStatus,
)
from facesearch.domain.calibration import Threshold
from facesearch.domain.explaining import Elsewhere, Explanation, Shortcoming, Verdict
from facesearch.errors import UnreadablePhotoError
from facesearch.photos import PreparedPhoto
from facesearch.workflows import every_face, people, searching
from facesearch.workflows.door import shorter_side

MOST_MATCHES = 4096  # that one search answers; whoever is not among fewer is not there


@dataclass(frozen=True, slots=True)
class Bars:
    """What a face needs to be compared well; None for what the service's maker gives no number for."""

    pixels: float  # of the shorter side of its box
    yaw: float  # degrees, to either side
    up: float  # degrees of pitch
    down: float
    confidence: float | None = None
    brightness: float | None = None
    sharpness: float | None = None


# The embedded engine's filter AUTO; a test holds the two together.
EMBEDDED = Bars(pixels=25, yaw=70, up=60, down=60, confidence=90, brightness=5, sharpness=12)
# Amazon publishes no bars. Its guide recommends 50 pixels in a photo of 1920 x 1080, a yaw of less than 45
# degrees, and a pitch of less than 45 degrees up and 30 down.
AMAZON = Bars(pixels=50, yaw=45, up=45, down=30)


class Gateway(every_face.Gateway, Protocol):
    """What explaining asks of Rekognition."""

    def detect_faces(self, image: bytes) -> tuple[FaceDetail, ...]: ...


class Records(searching.Records, people.Records, Protocol):
    """What explaining asks of the records."""

    def iter_faces(self, arn: str, person_id: str | None = None) -> Iterator[EnrolledFace]: ...


class Database(Protocol):
    """Gives transactions that only read."""

    def read(self) -> AbstractContextManager[Records]: ...


def explain(
    gateway: Gateway,
    database: Database,
    photo: Path,
    ref: str,
    collection: Collection,
    threshold: Threshold,
    *,
    bars: Bars,
) -> Explanation:
    """Why a photo is, or is not, found to show a person in a collection.

    Takes a call of DetectFaces and one of SearchFacesByImage; four more of DetectFaces where no face is found, and
    where the photo shows several and the largest is not the person, what searching each of them takes. Raises
    UsageError for an unknown person, and PhotoError for a photo that cannot be read.
    """
    image = photos.prepare(photo)
    with database.read() as records:
        person = people.find(records, ref)
        held = records.face_ids_of(person.id)
        models = {one.face.model_version for one in records.iter_faces(collection.arn, person.id)}
    start = Explanation(Verdict.NOT_ENROLLED, person, threshold, collection.model_version)
    if not any(where.arn == collection.arn for where in held):
        return replace(start, elsewhere=tuple(_elsewhere(held)))
    if models.isdisjoint({collection.model_version, None}):
        own = Elsewhere(collection.collection_id, len(models), " and ".join(sorted(filter(None, models))))
        return replace(start, verdict=Verdict.OTHER_MODEL, elsewhere=(own,))
    details = gateway.detect_faces(image.data)
    if not details:
        return replace(start, verdict=Verdict.NO_FACE, candidate=_candidate(gateway, photo, image))
    faces = _searched(gateway, database, photo, collection, 1)
    if not faces:
        return replace(start, verdict=Verdict.NO_FACE, candidate=None)
    explained = _of_face(start, faces[0], details[0], image, bars)
    if explained.verdict is not Verdict.FOUND and len(details) > 1:
        for face in _searched(gateway, database, photo, collection, None)[1:]:
            other = _of_face(start, face, details[0], image, bars)
            if other.verdict is Verdict.FOUND:
                return replace(other, verdict=Verdict.OTHER_FACE, shortcomings=())
    return explained


def _searched(
    gateway: Gateway, database: Database, photo: Path, collection: Collection, faces: int | None
) -> tuple[SearchedFace, ...]:
    """The faces of the photo, each with everybody in the collection, however unlike."""
    [found] = searching.search(gateway, database, [photo], collection, threshold=0, faces=faces)
    if found.status is SearchStatus.UNREADABLE:
        raise UnreadablePhotoError(found.reason or "it cannot be searched", str(photo))
    return found.faces


def _of_face(
    start: Explanation, face: SearchedFace, detail: FaceDetail, image: PreparedPhoto, bars: Bars
) -> Explanation:
    """What became of one face of the photo; `detail` is what was seen of it."""
    calibration = start.threshold.calibration
    place, ours = _place(face.matches, start.person)
    first = face.matches[0] if face.matches else None
    explained = replace(
        start,
        box=face.box,
        similarity=ours.similarity if ours else None,
        photo=ours.photo if ours else None,
        place=place,
        nearer=first if first is not ours else None,
        false_match_rate=calibration.rate_at(ours.similarity) if ours and calibration else None,
        shortcomings=tuple(_shortcomings(detail, image, bars)),
    )
    if ours is None and sum(match.agreeing or 0 for match in face.matches) < MOST_MATCHES:
        return replace(explained, verdict=Verdict.NOT_THERE)
    if ours is None or ours.similarity < start.threshold.similarity:
        poor = explained.shortcomings
        return replace(explained, verdict=Verdict.POOR_QUALITY if poor else Verdict.UNDER_THRESHOLD)
    return replace(explained, verdict=Verdict.FOUND if place == 1 else Verdict.NEARER)


def _place(matches: Sequence[PersonMatch], person: Person) -> tuple[int | None, PersonMatch | None]:
    for place, match in enumerate(matches, 1):
        if match.person and match.person.id == person.id:
            return place, match
    return None, None


def _shortcomings(detail: FaceDetail, image: PreparedPhoto, bars: Bars) -> Iterator[Shortcoming]:
    """What of a face stays under its bar, or over it where it is turned too far."""
    quality, pose = detail.quality, detail.pose
    least = [
        ("pixels", shorter_side(detail.box, image.width, image.height), bars.pixels),
        ("confidence", detail.confidence, bars.confidence),
        ("brightness", quality.brightness if quality else None, bars.brightness),
        ("sharpness", quality.sharpness if quality else None, bars.sharpness),
    ]
    for what, measured, enough in least:
        if measured is not None and enough is not None and measured < enough:
            yield Shortcoming(what, measured, enough)
    if pose and abs(pose.yaw) > bars.yaw:
        yield Shortcoming("yaw", abs(pose.yaw), bars.yaw)
    if pose and not -bars.down <= pose.pitch <= bars.up:
        yield Shortcoming("pitch", pose.pitch, bars.up if pose.pitch > 0 else -bars.down)


def _candidate(gateway: Gateway, photo: Path, image: PreparedPhoto) -> int | None:
    """The pixels of the largest face that is seen when the photo is looked at part by part."""
    sides = [
        shorter_side(crop.in_photo(face.box), image.width, image.height)
        for crop in cropping.closer(photos.open_upright(photo))
        for face in gateway.detect_faces(photos.prepare_content(crop.data, photo).data)
    ]
    return max(sides, default=None)


def _elsewhere(held: Mapping[Collection, Sequence[str]]) -> Iterator[Elsewhere]:
    for where, face_ids in held.items():
        yield Elsewhere(where.collection_id, len(face_ids), where.model_version)
