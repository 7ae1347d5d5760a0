"""What the tests of the records are made of; each runs on both databases."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import pytest

from facesearch.domain import (
    Box,
    Collection,
    Face,
    FaceDetail,
    FaceRecord,
    Intent,
    OnMultiple,
    PersonSpec,
    Photo,
    PhotoStatus,
    Pose,
    Quality,
    Settlement,
)

MADE = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


class Making:
    """The values that the tests are made of, each from a name."""

    box = Box(-0.01, 0.25, 0.5, 0.625)
    pose = Pose(-1.5, 20.25, 3.0)
    quality = Quality(80.5, 92.25)

    @staticmethod
    def collection(name, *, engine="123456789012"):
        return Collection(name, f"arn:aws:rekognition:us-east-1:{engine}:collection/{name}", "7.0", MADE)

    @staticmethod
    def sha256(file):
        return hashlib.sha256(file.encode()).hexdigest()

    @staticmethod
    def face_id(file, into):
        return str(uuid5(NAMESPACE_URL, f"{into.arn}/{file}"))

    @classmethod
    def intent(cls, person, file, on_multiple=OnMultiple.AUTO):
        return Intent(person.id, Photo(cls.sha256(file), cls.path(file)), on_multiple)

    @staticmethod
    def path(file):
        return f"/photos/{file}"

    @classmethod
    def settled(cls, person, file, status, reason=None):
        return Settlement(person.id, cls.sha256(file), status, reason)

    @classmethod
    def enrolled(cls, person, file, into):
        face = Face(
            face_id=cls.face_id(file, into),
            image_id=str(uuid5(NAMESPACE_URL, file)),
            box=cls.box,
            confidence=99.875,
            external_image_id=f"{person.id}:{cls.sha256(file)[:32]}",
            model_version="7.0",
        )
        record = FaceRecord(face, FaceDetail(cls.box, 99.875, cls.pose, cls.quality))
        return Settlement(person.id, cls.sha256(file), PhotoStatus.ENROLLED, record=record)


@pytest.fixture
def making():
    return Making


@pytest.fixture
def staff(database):
    """A collection that the records know."""
    known = Making.collection("staff")
    with database.begin() as records:
        records.remember_collection(known)
    return known


@pytest.fixture
def enrol(database):
    """Enrols photos of somebody the way the program does: enrol(collection, "Anna", "a.jpg") -> Person."""

    def enrol(into, name, *files, key=None):
        with database.begin() as records:
            [person] = records.resolve_people([PersonSpec(name, key)])
            run = records.start_run(into.arn)
            records.intend(run, into.arn, [Making.intent(person, file) for file in files])
            records.settle(into.arn, [Making.enrolled(person, file, into) for file in files])
        return person

    return enrol
