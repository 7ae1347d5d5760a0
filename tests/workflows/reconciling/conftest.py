"""A collection of the embedded engine and records of it, with every way in which they can come to differ.

Faces are written by the engine's own storage, which takes no recognition; all else goes through FaceSearch.
"""

import hashlib
from uuid import uuid4

import numpy as np
import pytest

from facesearch import FaceSearch
from facesearch.domain import (
    FaceDetail,
    FaceRecord,
    Intent,
    OnMultiple,
    PersonSpec,
    Photo,
    PhotoStatus,
    Settlement,
)
from facesearch.engine import storage
from facesearch.engine.storage import NewFace, Store

MODEL = "1.0"


class Staff:
    """The collection staff, from both sides."""

    name = "staff"

    def __init__(self, fs, home, folder):
        self.fs = fs
        self.folder = folder
        self.store = Store(home / "engine.db")
        self.store.create_collection(self.name, MODEL, {})
        self.random = np.random.default_rng(7)
        self.collection = fs.collection(self.name)
        with fs._database.begin() as records:
            records.remember_collection(self.collection)
            self.run = records.start_run(self.arn)

    @property
    def arn(self):
        return self.collection.arn

    def write(self, file):
        """A file with a content of its own: its path, and its sha256."""
        path = self.folder / file
        path.write_bytes(file.encode())
        return str(path), hashlib.sha256(file.encode()).hexdigest()

    def face(self, external_image_id, *, image_id=None, left=0.1, width=0.5):
        """A face in the collection, of which the records hear nothing. Returns its id."""
        vector = self.random.normal(size=128)
        new = NewFace(left, 0.1, width, 0.5, 99.5, (vector / np.linalg.norm(vector)).astype("<f4").tobytes())
        [stored] = self.store.add_faces(self.name, MODEL, image_id or str(uuid4()), external_image_id, [new])
        return stored.face_id

    def person(self, name):
        with self.fs._database.begin() as records:
            return records.resolve_people([PersonSpec(name)])[0]

    def intended(self, name, file, policy=OnMultiple.AUTO):
        """A photo whose enrolment was begun: its person, and the ExternalImageId that its face gets."""
        person, (path, sha256) = self.person(name), self.write(file)
        with self.fs._database.begin() as records:
            records.intend(self.run, self.arn, [Intent(person.id, Photo(sha256, path), policy)])
        return person, f"{person.id}:{sha256[:32]}"

    def enrolled(self, name, file):
        """A photo enrolled as it should be: the id of its face."""
        person, external_image_id = self.intended(name, file)
        face_id = self.face(external_image_id)
        [page] = self.fs._gateway.pages_of_faces(self.name, [face_id])
        _, sha256 = self.write(file)
        record = FaceRecord(page[0], FaceDetail(page[0].box, page[0].confidence))
        with self.fs._database.begin() as records:
            records.settle(self.arn, [Settlement(person.id, sha256, PhotoStatus.ENROLLED, record=record)])
        return face_id

    def forget(self, face_id):
        """The records lose a face."""
        with self.fs._database.begin() as records:
            records.drop_faces(self.arn, [face_id])

    def found(self, **how):
        """What differs: {(drift, repair): count}."""
        report = self.fs.reconcile(self.name, **how)
        return {(tally.drift.value, tally.repair.value): tally.count for tally in report.findings}

    def repaired(self, *, deleting=True, **how):
        """Repair it, and give what was done and what is left."""
        repaired = self.fs.repair(self.fs.reconcile(self.name, **how), deleting=deleting, **how)
        done = {(drift.value, repair.value): count for (drift, repair), count in repaired.done.items()}
        left = {(tally.drift.value, tally.repair.value): tally.count for tally in repaired.after.findings}
        assert left == self.found(**how)
        return done, left

    def names(self):
        """Whose each face of the collection is, by FaceId."""
        return {
            one.face.face_id: one.enrolled.person.name if one.enrolled else None
            for one in self.fs.faces(self.name)
        }


@pytest.fixture
def fs(url):
    with FaceSearch.open(database_url=url) as fs:
        yield fs


@pytest.fixture
def staff(fs, home, tmp_path):
    staff = Staff(fs, home, tmp_path)
    yield staff
    staff.store.close()


@pytest.fixture(scope="session")
def fill():
    """Writes a collection of another program with the engine's own storage: fill(store path, id, labels)."""

    def fill(path, collection_id, labels):
        store = Store(path)
        store.create_collection(collection_id, MODEL, {})
        random = np.random.default_rng(11)
        vectors = random.normal(size=(len(labels), 128))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        collection = store.collection(collection_id)
        with store.connections.writing() as connection:
            for label, vector in zip(labels, vectors.astype("<f4"), strict=True):
                new = NewFace(0.1, 0.1, 0.5, 0.5, 99.5, vector.tobytes())
                storage._insert(connection, collection, str(uuid4()), label, new)
            storage._count(connection, collection.number, len(labels))
        store.close()

    return fill
