"""Made people: points in space, the faces of one of them close together, and how similar they are."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
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
from facesearch.domain.calibration import Calibration
from facesearch.engine.storage import NewFace, Store
from facesearch.workflows.calibrating.counting import Answer, Counting

DIMENSIONS = 24
MODEL = "1.0"


class Made:
    """People made of numbers, and what is true of them."""

    @staticmethod
    def people(chance, number, faces):
        """Unit vectors (people, faces, dimensions), of a dozen kinds of people who resemble one another."""
        kinds = 0.6 * chance.normal(size=(12, DIMENSIONS))
        middles = chance.normal(size=(number, DIMENSIONS)) + kinds[chance.integers(0, len(kinds), number)]
        vectors = middles[:, None, :] + 0.35 * chance.normal(size=(number, faces, DIMENSIONS))
        return vectors / np.linalg.norm(vectors, axis=2, keepdims=True)

    @staticmethod
    def best_of_each(vectors):
        """For each face its best similarity to each person, without itself; and whose face it is."""
        number, faces, _ = vectors.shape
        flat = vectors.reshape(number * faces, -1)
        apart = np.sqrt(np.maximum(0, 2 - 2 * flat @ flat.T))
        similarity = 100 / (1 + np.exp(8 * (apart - 1)))
        np.fill_diagonal(similarity, -1)
        best = similarity.reshape(number * faces, number, faces).max(axis=2)
        return best, np.repeat(np.arange(number), faces)

    @classmethod
    def counted(cls, vectors):
        """The people of `vectors`, counted as a collection of them would be."""
        best, whose = cls.best_of_each(vectors)
        counting = Counting(dict.fromkeys(range(len(vectors)), vectors.shape[1]))
        for person, row in zip(whose.tolist(), best.tolist(), strict=True):
            counting.add(Answer(person, {other: score for other, score in enumerate(row) if score >= 0}))
        return counting

    @classmethod
    def calibrated(cls, vectors):
        counting = cls.counted(vectors)
        return Calibration(
            MODEL,
            datetime(2026, 1, 2, tzinfo=UTC),
            counting.faces,
            counting.people,
            counting.comparisons,
            counting.own,
            counting.own_people,
            tuple(counting.points()),
        )

    @staticmethod
    def rates(best, whose, threshold):
        """False matches, false finds and misses at a threshold."""
        reaching = best >= threshold
        own = reaching[np.arange(len(whose)), whose]
        reaching[np.arange(len(whose)), whose] = False
        return reaching.sum() / (reaching.size - len(whose)), reaching.any(axis=1).mean(), 1 - own.mean()


@pytest.fixture(scope="session")
def made():
    return Made


@pytest.fixture
def fs():
    with FaceSearch.open() as fs:
        yield fs


@pytest.fixture
def enrolled(fs, home):
    """enrolled("staff", vectors): a collection of the embedded engine, on record as people called 0, 1, 2 ...

    Its vectors are written by the engine's own storage, which takes no recognition. Gives the FaceIds by person.
    """

    def enrol(collection_id, vectors, model=MODEL):
        store = Store(home / "engine.db")
        store.create_collection(collection_id, model, {})
        collection = fs.collection(collection_id)
        face_ids, intents, settlements = [], [], []
        with fs._database.begin() as records:
            records.remember_collection(collection)
            run = records.start_run(collection.arn)
            people = records.resolve_people([PersonSpec(str(number)) for number in range(len(vectors))])
        for person, faces in zip(people, vectors, strict=True):
            new = [NewFace(0.1, 0.1, 0.5, 0.5, 99.5, face.astype("<f4").tobytes()) for face in faces]
            stored = [
                store.add_faces(collection_id, model, str(uuid4()), str(uuid4()), [one])[0] for one in new
            ]
            face_ids.append([one.face_id for one in stored])
            for one in face_ids[-1]:
                sha256 = hashlib.sha256(one.encode()).hexdigest()
                intents.append(Intent(person.id, Photo(sha256, f"/photos/{one}.jpg"), OnMultiple.AUTO))
                [page] = fs._gateway.pages_of_faces(collection_id, [one])
                record = FaceRecord(page[0], FaceDetail(page[0].box, page[0].confidence))
                settlements.append(Settlement(person.id, sha256, PhotoStatus.ENROLLED, record=record))
        with fs._database.begin() as records:
            records.intend(run, collection.arn, intents)
            records.settle(collection.arn, settlements)
        store.close()
        return face_ids

    return enrol
