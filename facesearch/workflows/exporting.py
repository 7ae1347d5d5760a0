"""Exporting people with what is known of their photos and faces, and the photos themselves if asked."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol

from facesearch import photos
from facesearch.domain import Collection, EnrolledFace, Person, Photo
from facesearch.domain.portability import Export
from facesearch.domain.regrouping import Former
from facesearch.errors import PhotoError
from facesearch.workflows.packages import BLOCK, Writer, photo_name
from facesearch.workflows.reading import is_stored

MAX_MISSING = 1000  # told by name; all of them are in photos.jsonl


class Records(Protocol):
    """What exporting asks of the records, which must not change meanwhile."""

    def exported_people(self, arn: str | None = None) -> Iterator[tuple[Person, Sequence[Former]]]: ...
    def exported_faces(self, arn: str | None = None) -> Iterator[EnrolledFace]: ...
    def exported_photos(self, arn: str | None = None) -> Iterator[Photo]: ...


class Database(Protocol):
    """Gives transactions that only read, each of one moment."""

    def read(self) -> AbstractContextManager[Records]: ...


def export(
    database: Database,
    target: Path,
    about: Mapping[str, Any],
    collection: Collection | None = None,
    *,
    with_photos: bool = False,
    on_photo: Callable[[], None] | None = None,
) -> Export:
    """Write everyone, or everyone with a face in a collection, into a folder or a .zip file that is not there yet.

    Photos are those of faces. One whose file is gone or was changed is exported without it. `about` goes into the
    manifest. `on_photo` is told of each that was dealt with. Raises UsageError when something is at `target`.
    """
    arn = collection.arn if collection else None
    with Writer(target) as package, tempfile.TemporaryFile() as listed, tempfile.TemporaryFile() as found:
        with database.read() as records:
            people = package.lines("people.jsonl", (_person(*one) for one in records.exported_people(arn)))
            faces = package.lines("faces.jsonl", map(_face, records.exported_faces(arn)))
            for photo in records.exported_photos(arn):
                _write(listed, {"sha256": photo.sha256, "path": photo.path, "file": None})
        missing: list[tuple[str, str]] = []
        inside = 0
        for item in _read(listed):
            if with_photos:
                reason = _put_in(package, item)
                item["file"] = None if reason else photo_name(item["sha256"])
                inside += reason is None
                if reason and len(missing) < MAX_MISSING:
                    missing.append((item["path"], reason))
            _write(found, item)
            if on_photo:
                on_photo()
        count = package.lines("photos.jsonl", _read(found))
        counts = {"people": people, "faces": faces, "photos": count, "photos_inside": inside}
        scope = {"collection_id": collection.collection_id, "arn": collection.arn} if collection else None
        made = datetime.now(UTC).isoformat(timespec="seconds")
        package.finish({**about, "made_at": made, "collection": scope, "counts": counts})
    return Export(str(target), people, faces, count, inside, tuple(missing))


def _put_in(package: Writer, item: Mapping[str, Any]) -> str | None:
    """Put a photo's file into the package; the reason when that cannot be."""
    if is_stored(item["path"]):
        return "it is in S3, and stays there"
    path = Path(item["path"])
    try:
        if photos.sha256_of(path) != item["sha256"]:
            return "it was changed since it was enrolled"
    except PhotoError as exc:
        return exc.reason
    digest = hashlib.sha256()
    with path.open("rb") as source, package.file(photo_name(item["sha256"])) as inside:
        while block := source.read(BLOCK):
            inside.write(block)
            digest.update(block)
    if digest.hexdigest() != item["sha256"]:
        raise PhotoError("it was changed while it was exported: run the same again", str(path))
    return None


def _person(person: Person, merged: Sequence[Former]) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "key": person.key,
        "attributes": dict(person.attributes),
        "notes": person.notes,
        "created_at": person.created_at.isoformat() if person.created_at else None,
        "merged": [{"id": one.id, "name": one.name, "key": one.key} for one in merged],
    }


def _face(enrolled: EnrolledFace) -> dict[str, Any]:
    face, pose, quality = enrolled.face, enrolled.pose, enrolled.quality
    box = face.box
    return {
        "person": enrolled.person.id,
        "photo": enrolled.photo.sha256,
        "path": enrolled.photo.path,
        "collection": enrolled.collection_id,
        "face_id": face.face_id,
        "image_id": face.image_id,
        "external_image_id": face.external_image_id,
        "box": {"left": box.left, "top": box.top, "width": box.width, "height": box.height},
        "confidence": face.confidence,
        "pose": {"roll": pose.roll, "yaw": pose.yaw, "pitch": pose.pitch} if pose else None,
        "quality": {"brightness": quality.brightness, "sharpness": quality.sharpness} if quality else None,
        "face_model_version": face.model_version,
        "enrolled_at": enrolled.enrolled_at.isoformat(),
    }


def _write(file: IO[bytes], item: Mapping[str, Any]) -> None:
    file.write(json.dumps(item).encode("ascii") + b"\n")


def _read(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    file.seek(0)
    for line in file:
        yield json.loads(line)
