"""One photo to the service, and what becomes of it by the answer. Called in threads; touches no records."""

from __future__ import annotations

import threading

from facesearch.domain import Call, FaceMatch, FaceRecord, OnMultiple, PhotoStatus, Settlement
from facesearch.domain.door import AtTheDoor, OnConflict
from facesearch.domain.labels import StoredObject
from facesearch.errors import (
    InvalidRequestError,
    PhotoError,
    ServiceError,
    ServiceUnavailableError,
    ThrottledError,
    UnreadablePhotoError,
)
from facesearch.photos import PreparedPhoto
from facesearch.workflows.choosing import Choice, choose
from facesearch.workflows.door import large_enough
from facesearch.workflows.enrolling.ports import Gateway
from facesearch.workflows.enrolling.work import Work, external_image_id
from facesearch.workflows.pacing import Pace, StoppedError
from facesearch.workflows.reading import InStore, Reader

SAME_FACE = 99.0  # similarity; on the embedded engine's scale one pair of strangers in 100,000 reaches it
NOT_READ = "InvalidS3ObjectException"  # the bucket is in another region, or the rights are lacking
CHANGED = "it changed while it was being read; run the same again"
MOST_ALIKE = 100  # faces, best first: a person's own may come before somebody else's


class Indexing:
    """Sends photos, each at its turn.

    No more than `jobs` are being made ready or wait for their turn at one time: they are in memory. How many wait
    for an answer is another matter, and depends on how long the service takes.
    """

    def __init__(
        self,
        gateway: Gateway,
        collection_id: str,
        on_multiple: OnMultiple,
        door: AtTheDoor,
        pace: Pace,
        jobs: int,
        reader: Reader,
    ) -> None:
        self._gateway = gateway
        self._collection_id = collection_id
        self._on_multiple = on_multiple
        self._door = door
        self._pace = pace
        self._reader = reader
        self._room = threading.Semaphore(jobs)

    def __call__(self, work: Work) -> Settlement:
        """Send one photo and choose one face of it.

        Raises PhotoError, what the gateway raises, and StoppedError where nothing was sent.
        """
        person_id, sha256 = work.key
        with self._room:
            if self._pace.stopped:
                raise StoppedError
            photo, stored = self._prepared(work)
            self._pace.turn()
        if stored:
            photo, choice = self._index_stored(work, photo, stored)
        else:
            choice = self._index_one_face(work, photo.data)
        choice = large_enough(choice, photo.width, photo.height, self._door.min_face)
        kept = choice.kept.face.face_id if choice.kept else None
        superfluous = (face_id for face_id in (*choice.superfluous, *work.held) if face_id != kept)
        return Settlement(
            person_id,
            sha256,
            choice.status,
            choice.reason,
            choice.kept,
            superfluous=tuple(dict.fromkeys(superfluous)),
            call=work.calls[-1] if work.calls else None,
            attempts=sum(call.attempts for call in work.calls),
            calls=len(work.calls),
            person=work.spec.name,
            dhash=photo.dhash,
            matches=self._resembling(choice.kept),
        )

    def _resembling(self, kept: FaceRecord | None) -> tuple[FaceMatch, ...] | None:
        """The faces of the collection that are the same as the one that was kept, if that is to be looked at."""
        if kept is None or self._door.on_conflict is OnConflict.ENROLL:
            return None
        try:
            return self._gateway.search_faces(
                self._collection_id, kept.face.face_id, threshold=SAME_FACE, max_faces=MOST_ALIKE
            )
        except InvalidRequestError:  # somebody deleted the face meanwhile
            return None

    def _prepared(self, work: Work) -> tuple[PreparedPhoto, InStore | None]:
        photo, stored = self._reader.prepare(work.path)
        if photo.sha256 != work.sha256:
            raise UnreadablePhotoError(CHANGED, work.path)
        return photo, stored

    def _index_stored(
        self, work: Work, photo: PreparedPhoto, stored: InStore
    ) -> tuple[PreparedPhoto, Choice]:
        """Have the service read the photo from S3, or send it where that is refused: made to fit into a call.

        What it read may be another photo, put there after this one was known; then none of its faces stays.
        """
        try:
            choice = self._index_one_face(work, stored.place)
        except InvalidRequestError as exc:
            if work.calls:  # it could be read a moment ago, and the service may hold a face of it
                raise
            with self._room:
                photo = self._reader.prepare_bytes(work.path)
                if exc.code == NOT_READ:
                    self._reader.close(stored.place.bucket)
                if photo.sha256 != work.sha256:
                    raise UnreadablePhotoError(CHANGED, work.path) from None
                self._pace.turn()
            return photo, self._index_one_face(work, photo.data)
        if not self._reader.is_unchanged(work.path, stored):
            kept = (choice.kept.face.face_id,) if choice.kept else ()
            choice = Choice(PhotoStatus.UNREADABLE, CHANGED, None, (*choice.superfluous, *kept))
        return photo, choice

    def _index_one_face(self, work: Work, image: bytes | StoredObject) -> Choice:
        on_multiple = work.left or self._on_multiple
        external_id = external_image_id(*work.key)
        room = 1
        for _ in range(2):
            result = self._gateway.index_faces(
                self._collection_id,
                image,
                external_id,
                max_faces=room,
                quality_filter=self._door.quality,
            )
            if result.call:
                work.calls += (result.call,)
            if choice := choose(result, on_multiple):
                return choice
            room = len(result.records) + len(result.unindexed)
            self._pace.turn()
        raise ServiceError("the service left out the largest face for want of room, and gave it none")


def failure(work: Work, exc: BaseException) -> Settlement:
    """How a photo ended that could not be read, or that the service gave no clear answer for.

    Without a clear answer, and while the service may have faces of it that nobody chose, its intent stays open.
    """
    person_id, sha256 = work.key
    unreadable = isinstance(exc, PhotoError)
    unclear = isinstance(exc, ServiceUnavailableError | ThrottledError)
    call = work.calls[-1] if work.calls else None
    tried = 0
    if isinstance(exc, ServiceError) and exc.attempts is not None:
        tried = exc.attempts
        call = Call(exc.request_id, tried, exc.milliseconds or 0)
    return Settlement(
        person_id,
        sha256,
        PhotoStatus.UNREADABLE if unreadable else PhotoStatus.FAILED,
        exc.reason if isinstance(exc, PhotoError) else str(exc),
        call=call,
        attempts=tried + sum(call.attempts for call in work.calls),
        calls=len(work.calls),
        open=unclear or bool(work.held or work.calls),
    )
