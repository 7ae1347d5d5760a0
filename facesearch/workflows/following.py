"""Following an object in S3: whoever its folder says is enrolled with the photo that lies there now, and no other.

An object that was replaced is enrolled anew and its old face leaves the collection; so does the face of one that
was deleted. What is done follows from what lies there and from the records, never from what an event said of it,
and afterwards it is looked again whether that still lies there: whoever worked on something that is gone puts it
right themselves. Faces go before new ones come, so that whatever is cut short is put right by doing it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from facesearch.domain import (
    Collection,
    EnrolmentReport,
    Person,
    PersonSpec,
    Photo,
    PhotoOutcome,
    PhotoStatus,
    PlannedPhoto,
)
from facesearch.domain.files import Content, Download, FileState, KnownFile, StoredContent, StoredPhoto
from facesearch.errors import ServiceUnavailableError, UnreadablePhotoError, UsageError
from facesearch.workflows.collections import FACE_NOT_FOUND
from facesearch.workflows.person_files import PERSON_FILES, is_litter, person_from
from facesearch.workflows.reading import Reader, object_id
from facesearch.workflows.reconciling import ports, users

TRIES = 5  # looks at an object that others replace all the while


class Objects(Protocol):
    """What is asked of S3."""

    def content(self, address: str) -> Content | None: ...
    def download(self, address: str) -> Download | None: ...
    def read(self, address: str) -> tuple[bytes, str] | None: ...


class Listing(Protocol):
    """Lists S3."""

    def listed(self, address: str) -> Iterator[StoredPhoto]: ...


class HeldPhoto(NamedTuple):
    """A photo of a person in a collection, and the FaceIds that the collection has of it."""

    sha256: str
    face_ids: tuple[str, ...]


class Records(ports.Records, Protocol):
    """What is asked of the records."""

    def known_people(self, specs: Sequence[PersonSpec]) -> list[Person | None]: ...
    def known_files(self, ids: Sequence[str]) -> Mapping[str, KnownFile]: ...
    def photos_from(
        self, arn: str, person_id: str, path: str, sha256: str | None
    ) -> list[tuple[str, tuple[str, ...]]]: ...
    def move_photos(self, photos: Sequence[Photo]) -> None: ...


class Database(Protocol):
    """Gives transactions that write, and ones that only read."""

    def begin(self) -> AbstractContextManager[Records]: ...
    def read(self) -> AbstractContextManager[Records]: ...


Enrol = Callable[[PlannedPhoto, Reader], EnrolmentReport]


class Follower:
    """Follows objects whose first folder below `root` is a person, into one collection."""

    def __init__(
        self,
        gateway: ports.Gateway,
        database: Database,
        objects: Objects,
        listing: Listing,
        collection: Collection,
        root: str,
        enrol: Enrol,
    ) -> None:
        self._gateway = gateway
        self._database = database
        self._objects = objects
        self._listing = listing
        self._collection = collection
        self._root = root
        self._enrol = enrol

    def __call__(self, address: str) -> PhotoOutcome | None:
        """Bring the collection to what lies at the address, and say how the photo ended; None for nothing there.

        Raises UnreadablePhotoError for what is no photo, UsageError for a folder that is nobody, and what concerns
        the service, S3 and the records as a whole; ServiceUnavailableError too for a photo that did not get
        through.
        """
        folder = self._folder(address)
        for _ in range(TRIES):
            found = self._objects.download(address)
            sha256 = hashlib.sha256(found.data).hexdigest() if found else None
            spec = self._person(folder)
            self._leave(address, folder, spec, sha256)
            outcome = self._enrolled(address, spec, found) if found else None
            if self._objects.content(address) == (found.content if found else None):
                return outcome
        raise ServiceUnavailableError(f"{address} was replaced all the while; try again")

    def _folder(self, address: str) -> str:
        name, separator, _ = address.removeprefix(self._root).partition("/")
        if not separator or is_litter(name):
            raise UsageError(f"{address} belongs to nobody: put it in a person's folder")
        return f"{self._root}{name}/"

    def _person(self, folder: str) -> PersonSpec:
        files = {path: self._objects.read(path) for path in (folder + name for name in PERSON_FILES)}
        there = {path: found[0] for path, found in files.items() if found}
        return person_from(folder, folder.rstrip("/").rpartition("/")[2], there)

    def _enrolled(self, address: str, spec: PersonSpec, found: Download) -> PhotoOutcome:
        report = self._enrol(PlannedPhoto(address, spec, state=found.state), Reader(_Downloaded(found)))
        if not report.problems:
            already = report.counts[PhotoStatus.ALREADY]
            return PhotoOutcome(address, spec.name, PhotoStatus.ALREADY if already else PhotoStatus.ENROLLED)
        [outcome] = report.problems
        if outcome.status is PhotoStatus.UNREADABLE:
            raise UnreadablePhotoError(outcome.reason or "it cannot be read", address)
        if outcome.status is PhotoStatus.FAILED:
            raise ServiceUnavailableError(f"{address}: {outcome.reason}")
        return outcome

    def _leave(self, address: str, folder: str, spec: PersonSpec, sha256: str | None) -> None:
        """Let the faces go of what lay there before, unless it lies elsewhere in the person's folder too."""
        arn = self._collection.arn
        with self._database.read() as records:
            [person] = records.known_people([spec])
            known = records.known_files([object_id(address)]).get(object_id(address))
            held = records.photos_from(arn, person.id, address, known and known.sha256) if person else []
            before = [HeldPhoto(*one) for one in held if one[0] != sha256]
        copies = self._copies(address, folder) if before else {}
        for one in before:
            if one.sha256 in copies:
                with self._database.begin() as records:
                    records.move_photos([Photo(one.sha256, copies[one.sha256])])
        leaving = [face_id for one in before if one.sha256 not in copies for face_id in one.face_ids]
        if leaving:
            deletion = users.delete_faces(self._gateway, self._database, self._collection, leaving)
            kept = [
                f"{id_} ({', '.join(why)})"
                for id_, why in deletion.refused.items()
                if FACE_NOT_FOUND not in why
            ]
            if kept:
                raise ServiceUnavailableError(
                    f"{address}: faces of what lay there before are still there: {', '.join(kept)}; try again"
                )

    def _copies(self, address: str, folder: str) -> Mapping[str, str]:
        """The other objects of the folder that are known and as they were then, by sha256."""
        others = {
            object_id(one.address): one for one in self._listing.listed(folder) if one.address != address
        }
        with self._database.read() as records:
            known = records.known_files(list(others))
        return {
            file.sha256: others[id_].address for id_, file in known.items() if file.state == others[id_].state
        }


class _Downloaded:
    """One object, read already, for the enrolment to find where it looks for objects."""

    def __init__(self, found: Download) -> None:
        self._found = found

    def listed(self, address: str) -> Iterator[StoredPhoto]:
        return iter([StoredPhoto(address, self._found.state)])

    def state(self, _: str) -> tuple[FileState, str | None]:
        return self._found.state, hashlib.sha256(self._found.data).hexdigest()

    def sha256(self, address: str) -> str:
        return self.state(address)[1] or ""

    def read(self, _: str) -> bytes:
        return self._found.data

    def content(self, _: str) -> StoredContent:
        return StoredContent(self._found.data, self._found.state, None)
