"""Collections large enough for a file of vectors, and what they must hold."""

import numpy as np
import pytest

from facesearch.engine import scan
from facesearch.engine.index import Indexes
from facesearch.engine.storage import NewFace, Store
from facesearch.engine.vectors import VectorFiles

FROM = 40  # faces from which a collection has a file in these tests


def people(count, seed=0, dimensions=128):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, dimensions)) * np.exp(-np.arange(dimensions) / 21) * 0.13
    vectors[:, 0] += 0.9
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class Collection:
    """A collection and what it must hold: `known` has the vector of each number."""

    FROM = FROM
    people = staticmethod(people)

    def __init__(self, path, dimensions=128):
        self.path = path
        self.dimensions = dimensions
        self.store = Store(path)
        self.store.create_collection("staff", "1.0", {})
        self.known = {}
        self.images = 0

    def reopen(self):
        self.store = Store(self.path)

    def add(self, vectors):
        self.images += 1
        faces = [NewFace(n, 0.0, 0.5, 0.5, 99.0, vector.tobytes()) for n, vector in enumerate(vectors)]
        stored = self.store.add_faces("staff", "1.0", str(self.images), None, faces)
        numbers = [face.number for face in stored]
        self.known.update(zip(numbers, vectors, strict=True))
        return numbers

    def delete(self, numbers):
        faces = self.store.faces_by_number(1, numbers)
        self.store.delete_faces("staff", [face.face_id for face in faces.values()])
        return [self.known.pop(number) for number in numbers]

    def search(self, indexes, query, limit=5):
        found = indexes.nearest(self.store.collection("staff"), query, limit)
        return [one.number for one in found]

    def expected(self, query, limit=5):
        numbers = np.array(sorted(self.known), np.int64)
        if not len(numbers):
            return []
        stored = np.array([self.known[number] for number in numbers.tolist()])
        distances = np.linalg.norm(stored.astype(np.float64) - query, axis=1)
        return numbers[np.lexsort((numbers, distances))[:limit]].tolist()

    def check(self, indexes, limit=5):
        """Search, have the files kept up, and search again."""
        for _ in range(2):
            queries = [*people(2, seed=99, dimensions=self.dimensions), *list(self.known.values())[:2]]
            for query in queries:
                assert self.search(indexes, query, limit) == self.expected(query, limit)
            indexes.settle()

    def check_afresh(self):
        """Check as a new process would."""
        self.check(Indexes(self.store, FROM))

    @property
    def files(self):
        folder = self.path.with_name(self.path.name + "-vectors")
        return sorted(folder.iterdir()) if folder.exists() else []

    def anywhere(self, vector):
        """The files beside the store that hold the bytes of a vector."""
        files = [one for one in self.path.parent.rglob("*") if one.is_file()]
        return [one.name for one in files if vector.tobytes() in one.read_bytes()]

    def base(self, indexes):
        return indexes._indexes[1]._vectors.base


@pytest.fixture
def large_collection():
    """Makes a `Collection`."""
    return Collection


@pytest.fixture
def staff(tmp_path):
    collection = Collection(tmp_path / "engine.db")
    yield collection
    collection.store.close()


@pytest.fixture
def indexes(staff):
    indexes = Indexes(staff.store, FROM)
    yield indexes
    indexes.settle()


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles of few rows, so that there are several, and room for few faces."""
    monkeypatch.setattr(scan, "TILE", 32)


@pytest.fixture
def made(monkeypatch):
    """The files written, one entry each."""
    written = []
    write = VectorFiles.write

    def watched(self, *those):
        written.append(those[0])
        return write(self, *those)

    monkeypatch.setattr(VectorFiles, "write", watched)
    return written
