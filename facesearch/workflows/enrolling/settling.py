"""What earlier runs left unsettled in a collection, found out and brought to its end before anything else.

A run that dies leaves intents: photos that were about to be sent. Each has an ExternalImageId that nothing else
has, so that one listing of the collection's faces says which of them the service took.

It took nothing of a photo: the photo was not sent, and says so. It has a face of it: the photo is sent once more
under the policy of its own run, since only an answer tells who else is in the photo and whether the face may stay;
the service stores no face twice. Where the file is gone, the face is taken as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from facesearch.domain import (
    Collection,
    Face,
    FaceDetail,
    FaceRecord,
    IndexResult,
    OnMultiple,
    PersonSpec,
    PhotoStatus,
    Settlement,
    UnfinishedPhoto,
)
from facesearch.domain.regrouping import Former
from facesearch.errors import PhotoError
from facesearch.workflows.choosing import choose
from facesearch.workflows.enrolling.ports import Database, Gateway
from facesearch.workflows.enrolling.superfluous import Superfluous
from facesearch.workflows.enrolling.work import Work, external_image_id
from facesearch.workflows.reading import Reader

NOT_SENT = "it was not sent: the run ended before its turn"
NOT_TAKEN = "an earlier run was cut short, and the service took nothing of it: enrol it again"
TAKEN_AS_IT_IS = (
    "taken over from a run that was cut short; its file is gone, so nobody looked who else is in it"
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is left to do of earlier runs: photos to send again, and how many were settled without that."""

    again: list[Work]
    settled: int


def settle_earlier(
    gateway: Gateway, database: Database, collection: Collection, superfluous: Superfluous, reader: Reader
) -> Earlier:
    """Settle what can be settled without a paid call, and give the photos that must be sent again."""
    superfluous.take_up()
    left = list(_open(database, collection))
    if not left:
        return Earlier([], 0)
    with database.read() as records:
        formerly = records.formerly([photo.person.id for photo in left if photo.person])
    held = _held(gateway, collection, left, formerly)
    again: list[Work] = []
    settlements: list[Settlement] = []
    for photo in left:
        faces = held.get(_external_id(photo), ())
        if not faces:
            settlements.append(_settlement(photo, PhotoStatus.FAILED, NOT_TAKEN))
        elif _is_there(photo, reader):
            again.append(_work(photo, faces))
        else:
            settlements.append(_taken_as_it_is(photo, faces))
    with database.begin() as records:
        records.settle(collection.arn, settlements)
        superfluous.intend(records, (id_ for one in settlements for id_ in one.superfluous))
    superfluous.delete()
    return Earlier(again, len(settlements))


def _open(database: Database, collection: Collection) -> Iterator[UnfinishedPhoto]:
    after = 0
    while True:
        with database.read() as records:
            page = records.open_intents(collection.arn, after)
        if not page:
            return
        yield from page
        after = page[-1].number


def _held(
    gateway: Gateway,
    collection: Collection,
    left: list[UnfinishedPhoto],
    formerly: Mapping[str, Sequence[Former]],
) -> Mapping[str, tuple[Face, ...]]:
    """The faces that the collection has of the photos, by ExternalImageId.

    A photo may have been sent as one of somebody who was merged into its person since.
    """
    wanted = {_external_id(photo): _external_id(photo) for photo in left}
    for photo in left:
        assert photo.person and photo.sha256, "an intent has both"
        for former in formerly.get(photo.person.id, ()):
            wanted[external_image_id(former.id, photo.sha256)] = _external_id(photo)
    held: defaultdict[str, list[Face]] = defaultdict(list)
    for page in gateway.pages_of_faces(collection.collection_id):
        for face in page:
            if face.external_image_id in wanted:
                held[wanted[face.external_image_id]].append(face)
    return {external_id: tuple(faces) for external_id, faces in held.items()}


def _is_there(photo: UnfinishedPhoto, reader: Reader) -> bool:
    """Whether the file is still there, with the same content."""
    try:
        return reader.sha256(photo.path) == photo.sha256
    except PhotoError:
        return False


def _work(photo: UnfinishedPhoto, faces: tuple[Face, ...]) -> Work:
    assert photo.person and photo.sha256, "an intent has both"
    return Work(
        photo.path,
        PersonSpec(photo.person.name),
        photo.sha256,
        person=photo.person,
        left=photo.on_multiple,
        held=tuple(face.face_id for face in faces),
    )


def _taken_as_it_is(photo: UnfinishedPhoto, faces: tuple[Face, ...]) -> Settlement:
    records = tuple(FaceRecord(face, FaceDetail(face.box, face.confidence)) for face in faces)
    choice = choose(IndexResult(records, (), ""), photo.on_multiple or OnMultiple.AUTO)
    assert choice is not None, "there is no want of room among faces that are stored"
    return replace(
        _settlement(photo, choice.status, choice.reason or TAKEN_AS_IT_IS),
        record=choice.kept,
        superfluous=choice.superfluous,
    )


def _settlement(photo: UnfinishedPhoto, status: PhotoStatus, reason: str) -> Settlement:
    assert photo.person and photo.sha256, "an intent has both"
    return Settlement(photo.person.id, photo.sha256, status, reason)


def _external_id(photo: UnfinishedPhoto) -> str:
    assert photo.person and photo.sha256, "an intent has both"
    return external_image_id(photo.person.id, photo.sha256)
