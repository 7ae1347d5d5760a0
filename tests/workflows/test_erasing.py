"""Erasing people, on the embedded engine's real store, with faults, kills and other processes in the way."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from facesearch import FaceSearch
from facesearch.domain import SearchStatus
from facesearch.domain.erasure import ErasureState
from facesearch.engine.faults import Faults, FaultyEngine
from facesearch.engine.http.server import Server
from facesearch.engine.service import Engine
from facesearch.engine.transports import attach
from facesearch.errors import DatabaseError, ServiceError, UsageError
from facesearch.rekognition import Rekognition
from facesearch.settings import Settings
from facesearch.workflows import erasing

ERASED, PENDING = ErasureState.ERASED, ErasureState.PENDING


@pytest.fixture(scope="module")
def folder(samples, tmp_path_factory):
    """Two people, two photos each."""
    people = tmp_path_factory.mktemp("photos") / "people"
    for person in sorted((samples / "people").iterdir())[:2]:
        (people / person.name).mkdir(parents=True)
        for photo in sorted(p for p in person.iterdir() if p.suffix in (".jpg", ".png"))[:2]:
            shutil.copy(photo, people / person.name)
    return people


@pytest.fixture(scope="module")
def enrolled_home(folder, vision_cache, tmp_path_factory):
    home = tmp_path_factory.mktemp("enrolled")
    (home / "cache").symlink_to(vision_cache)
    with FaceSearch.open(home=home) as fs:
        fs.enroll([folder], "staff")
    return home


@pytest.fixture
def staff(own_home):
    """This test's own copy of a home in which both are enrolled."""
    return own_home


@pytest.fixture
def anna(folder):
    return min(path.name for path in folder.iterdir())


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(erasing, "PAUSE", 0.0)


def app(home, faults=None, on_gateway=None):
    """FaceSearch over the home's own store, behind faults."""
    settings = Settings.resolve({"home": home})

    def open_gateway(photos):
        engine = FaultyEngine(Engine(settings.engine_store, no_recognition), faults or Faults())
        once = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
        client = boto3.session.Session().client(
            "rekognition", region_name="us-east-1", endpoint_url="http://engine.invalid", config=once
        )
        gateway = Rekognition(attach(client, engine))
        return on_gateway(gateway) if on_gateway else gateway, engine.close

    fs = FaceSearch.open(settings)
    fs._open_gateway = open_gateway
    return fs


def no_recognition():
    raise AssertionError("nothing is recognised here")


def changes(home):
    connection = sqlite3.connect(home / "facesearch.db")
    try:
        return connection.execute("SELECT operation, state FROM changes ORDER BY id").fetchall()
    finally:
        connection.close()


def stored(home):
    connection = sqlite3.connect(home / "engine.db")
    try:
        return connection.execute("SELECT face_id, external_image_id FROM faces").fetchall()
    finally:
        connection.close()


def test_an_erased_person_is_nowhere_and_the_receipt_proves_it_without_saying_who(staff, anna):
    with FaceSearch.open() as fs:
        person = fs.edit_person(anna, key="E-secret", notes="a private note")
        faces = [face.face.face_id for face in fs.faces("staff", person=anna)]
        fs._gateway._client.create_user(CollectionId="staff", UserId=person.id)
        fs._gateway._client.associate_faces(CollectionId="staff", UserId=person.id, FaceIds=faces)
    connection = sqlite3.connect(staff / "engine.db")
    vectors = [row[0] for row in connection.execute(
        "SELECT vector FROM faces WHERE external_image_id LIKE ?", (f"{person.id}:%",)
    )]  # fmt: skip
    connection.close()
    files = [path for path in staff.rglob("*") if path.is_file() and "cache" not in path.parts]
    kept = [*vectors, anna.encode(), b"E-secret", b"a private note"]
    assert all(any(secret in path.read_bytes() for path in files) for secret in kept)

    with FaceSearch.open() as fs:
        erasure = fs.erase_person(anna)
        assert (erasure.state, erasure.faces, erasure.records.people) == (ERASED, 2, 1)
        assert [summary.person.name for summary in fs.people()] != []
        assert not [face for face in fs.faces("staff") if face.face.face_id in faces]
        assert list(fs._gateway.list_users("staff")) == []
        with pytest.raises(UsageError, match="nobody"):
            fs.erase_person(anna)
    receipt = json.loads((staff / "receipts" / f"{person.id}.json").read_text())
    [where] = receipt["collections"]
    assert receipt["person"] == {"id": person.id}
    assert (receipt["state"], where["faces_deleted"], where["users_deleted"]) == ("erased", 2, 1)
    assert sorted(where["face_ids"]) == sorted(faces)
    assert where["proof"]["request_id"] and where["proof"]["asked_for"] == 2 and where["deletion_request_ids"]
    assert receipt["records_deleted"] == {
        "people": 1,
        "faces": 2,
        "journal": 2,
        "photos": 2,
        "sightings": 0,
    }
    files = [path for path in staff.rglob("*") if path.is_file() and "cache" not in path.parts]
    for secret in kept:
        assert [path.name for path in files if secret in path.read_bytes()] == []
    assert changes(staff) == [("ErasePerson", "done")]
    assert (staff / "receipts" / f"{person.id}.json").stat().st_mode & 0o077 == 0


def test_a_receipt_names_the_person_and_is_copied_where_that_is_asked(staff, anna, tmp_path):
    with app(staff) as fs:
        erasure = fs.erase_person(anna, named=True, receipt=tmp_path / "erased.json")
    assert erasure.receipt == str(tmp_path / "erased.json")
    assert json.loads((tmp_path / "erased.json").read_text())["person"]["name"] == anna


def test_a_face_without_a_record_goes_too_and_other_peoples_stay(staff, anna, folder):
    with FaceSearch.open() as fs:
        person = fs.person(anna).person
        orphan = next((folder / anna).iterdir()).read_bytes()
        fs._gateway.index_faces("staff", orphan, f"{person.id}:{'0' * 32}", max_faces=1)
        assert len(stored(staff)) == 5
        assert fs.erase_person(anna).faces == 3
    assert len(stored(staff)) == 2
    assert not any(external.startswith(person.id) for _, external in stored(staff))


def test_a_user_with_somebody_elses_faces_keeps_those(staff, anna):
    with FaceSearch.open() as fs:
        client = fs._gateway._client
        other = next(one.person.name for one in fs.people() if one.person.name != anna)
        for user, people in (("both", (other, anna)), ("hers", (anna,))):
            client.create_user(CollectionId="staff", UserId=user)
            for name in people:
                faces = [face.face.face_id for face in fs.faces("staff", person=name)]
                client.associate_faces(
                    CollectionId="staff", UserId=user, FaceIds=faces[:1] if user == "both" else faces[1:],
                    UserMatchThreshold=0,
                )  # fmt: skip
        assert fs.erase_person(anna).state is ERASED
        assert list(fs._gateway.list_users("staff")) == ["both"]
        [left] = fs._gateway.faces_of_user("staff", "both")
        assert left.face_id in {face.face.face_id for face in fs.faces("staff", person=other)}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_answers_are_lost_or_refused_the_person_is_gone_in_the_end(staff, anna, seed):
    with app(staff, Faults(throttle=0.2, lost_answers=0.3, seed=seed)) as fs:
        for _ in range(50):
            try:
                person = fs.person(anna).person
            except UsageError:
                break
            with suppress(ServiceError):  # of the questions before the first deletion
                fs.erase_person(anna)
        for _ in range(50):
            if not fs.pending_erasures():
                break
            list(fs.continue_erasures())
    assert not any(external.startswith(person.id) for _, external in stored(staff))
    assert changes(staff) == [("ErasePerson", "done")]
    receipt = json.loads((staff / "receipts" / f"{person.id}.json").read_text())
    assert (receipt["state"], receipt["collections"][0]["faces_deleted"]) == ("erased", 2)
    assert receipt["records_deleted"]["people"] == 1


def test_what_the_service_does_not_confirm_is_pending_and_nobody_finds_the_person(staff, anna, folder):
    with app(staff, Faults(errors={"DeleteFaces": "InternalServerError"})) as fs:
        person = fs.person(anna).person
        erasure = fs.erase_person(anna)
        assert erasure.state is PENDING
        assert anna not in [summary.person.name for summary in fs.people()]
        assert fs.pending_erasures() == [person.id]
    [where] = json.loads((staff / "receipts" / f"{person.id}.json").read_text())["collections"]
    assert (where["state"], where["proof"], len(where["not_confirmed"])) == ("pending", None, 2)
    with FaceSearch.open() as fs:
        [answer] = fs.search([next((folder / anna).iterdir())], "staff")
        assert answer.status is SearchStatus.UNMATCHED
        [erasure] = fs.continue_erasures()
        assert erasure.state is ERASED
        assert list(fs.continue_erasures()) == []
    receipt = json.loads((staff / "receipts" / f"{person.id}.json").read_text())
    assert (receipt["state"], receipt["records_deleted"]["people"]) == ("erased", 1)


def test_the_engines_server_is_erased_from_through_faults(staff, anna, monkeypatch):
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    engine = Engine(staff / "engine.db", no_recognition)
    faults = Faults(
        throttle=0.2, lost_answers=0.2, errors={"DeleteFaces": {"InternalServerError": 0.3}}, seed=3
    )
    with Server(FaultyEngine(engine, faults)) as server:
        settings = Settings.resolve({"home": staff, "engine": server.url})
        with FaceSearch.open(settings) as fs:
            person = fs.person(anna).person
            fs.erase_person(anna)
            for _ in range(20):
                list(fs.continue_erasures())
            assert fs.pending_erasures() == []
    engine.close()
    assert not any(external.startswith(person.id) for _, external in stored(staff))
    assert changes(staff) == [("ErasePerson", "done")]


KILLED = """
import os, signal, sys
# Imported once for all of the processes:
import facesearch.engine.service, facesearch.records.database, facesearch.rekognition
from facesearch import FaceSearch

def attempt(person, left):
    def counted(*_, **__):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    with FaceSearch.open() as fs:
        events = fs._gateway._client.meta.events
        events.register("before-call.rekognition", counted)
        events.register("after-call.rekognition", counted)
        if fs.pending_erasures():
            list(fs.continue_erasures())
        else:
            fs.erase_person(person)

for moment in range(60):
    child = os.fork()
    if not child:
        try:
            attempt(sys.argv[1], moment)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        sys.exit(status and "an attempt failed")
    assert os.WTERMSIG(status) == signal.SIGKILL
    print("killed")
"""


def test_an_erasing_killed_before_and_after_each_call_is_carried_on(staff, anna):
    with app(staff) as fs:
        person = fs.person(anna).person
    done = subprocess.run([sys.executable, "-c", KILLED, anna], stdout=subprocess.PIPE, check=True)
    assert 6 < len(done.stdout.splitlines()) < 60
    assert len(stored(staff)) == 2
    assert not any(external.startswith(person.id) for _, external in stored(staff))
    assert changes(staff) == [("ErasePerson", "done")]
    receipt = json.loads((staff / "receipts" / f"{person.id}.json").read_text())
    assert (receipt["state"], receipt["records_deleted"]["people"]) == ("erased", 1)


def erasing_during_a_call(staff, folder, anna, moment, erased):
    """A gateway whose IndexFaces call of Anna's photo finds her erased before or after it."""

    def wrap(gateway):
        index_faces = gateway.index_faces

        def calling(collection_id, image, external_image_id, **options):
            def erase():
                if not erased:
                    with app(staff) as other:
                        erased.append(other.erase_person(anna))

            if moment == "before":
                erase()
            answer = index_faces(collection_id, image, external_image_id, **options)
            if moment == "after":
                erase()
            return answer

        gateway.index_faces = calling
        return gateway

    return wrap


@pytest.mark.parametrize("moment", ["before", "after"])
def test_somebody_who_is_being_enrolled_meanwhile_does_not_come_back(home, folder, anna, moment, monkeypatch):
    erased = []
    with FaceSearch.open() as fs:
        fs.create_collection("staff")
        erasing_during_a_call(home, folder, anna, moment, erased)(fs._gateway)
        with pytest.raises(DatabaseError, match="run the same"):
            fs.enroll([folder / anna], "staff", person=anna, jobs=1)
    [erasure] = erased
    assert (erasure.state, "on its way" in erasure.collections[0].reason) == (PENDING, True)
    monkeypatch.setattr(erasing, "UNDER_WAY", timedelta(0))
    with app(home) as fs:
        [erasure] = fs.continue_erasures()
        assert erasure.state is ERASED
    assert stored(home) == []


def test_faces_on_another_engine_stop_it_unless_that_collection_is_gone(staff, anna, tmp_path):
    records = f"sqlite:///{staff / 'facesearch.db'}"
    with FaceSearch.open(home=tmp_path / "other", database_url=records) as other:
        other.create_collection("staff")
        with pytest.raises(UsageError, match="not on this engine") as refused:
            other.erase_person(anna)
        arn = str(refused.value).rpartition(" ")[2]
        with pytest.raises(UsageError, match="no face of theirs"):
            other.erase_person(anna, gone=[arn + "x"])
    with app(staff) as fs:
        with pytest.raises(UsageError, match="is there"):
            fs.erase_person(anna, gone=[arn])
        assert fs.person(anna).faces == {"staff": 2}
    with FaceSearch.open(home=tmp_path / "other", database_url=records) as other:
        erasure = other.erase_person(anna, gone=[arn])
    assert (erasure.state, erasure.collections[0].state) == (ERASED, ErasureState.GONE)


def test_a_collection_that_somebody_deleted_is_told_as_gone(staff, anna):
    with FaceSearch.open() as fs:
        fs.create_collection("guests")
        fs._gateway.delete_collection("staff")
        erasure = fs.erase_person(anna)
    assert (erasure.state, erasure.collections[0].state, erasure.faces) == (ERASED, ErasureState.GONE, 0)


def test_somebody_without_faces_is_erased_from_the_records(staff, anna):
    with app(staff) as fs:
        fs.delete_faces("staff", [face.face.face_id for face in fs.faces("staff", person=anna)])
        erasure = fs.erase_person(anna)
        assert (erasure.state, erasure.collections, fs.pending_erasures()) == (ERASED, (), [])
    assert json.loads(Path(erasure.receipt).read_text())["records_deleted"]["people"] == 1
