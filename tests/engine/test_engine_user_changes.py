"""Changes of users are whole, happen once, and survive: tokens, old stores, several processes, kill -9."""

import itertools
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from facesearch.engine import requests, schema
from facesearch.engine.connections import Connections
from facesearch.engine.errors import RekognitionError
from facesearch.engine.requests import Request
from facesearch.engine.storage import NewFace, Store
from facesearch.engine.user_distance import Groups
from facesearch.engine.user_index import UserIndexes
from facesearch.engine.users import Users

# The schema of version 1 as it was released, to the letter.
VERSION_1 = """
CREATE TABLE store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    account_id TEXT NOT NULL,
    token_key BLOB NOT NULL
) STRICT;
CREATE TABLE collections (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    collection_id TEXT NOT NULL UNIQUE,
    model_version TEXT NOT NULL,
    created_at REAL NOT NULL,
    face_count INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE tags (
    collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (collection, key)
) STRICT;
CREATE TABLE faces (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
    face_id TEXT NOT NULL,
    image_id TEXT NOT NULL,
    external_image_id TEXT,
    left REAL NOT NULL,
    top REAL NOT NULL,
    width REAL NOT NULL,
    height REAL NOT NULL,
    confidence REAL NOT NULL,
    model_version TEXT NOT NULL,
    vector BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX faces_by_id ON faces (collection, face_id);
CREATE INDEX faces_by_image ON faces (collection, image_id);
CREATE INDEX faces_by_collection ON faces (collection); -- and, as in every index, by number
"""
FACE = "0b8f2c9e-4d2a-5b7e-9c1d-3e5f7a9b1c2d"


def unit(rows, seed=0, dimensions=8):
    vectors = np.random.default_rng(seed).normal(size=(rows, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def add(store, vectors, image="image"):
    faces = [NewFace(n, 0.0, 0.5, 0.5, 99.0, vector.tobytes()) for n, vector in enumerate(vectors)]
    return [face.face_id for face in store.add_faces("staff", "1.0", image, None, faces)]


def given(user_id, face_ids):
    """A change that creates a user if it is new, and gives it faces; the answer is the user's status."""

    def make(changes, _):
        try:
            user = changes.named(user_id)
        except RekognitionError:
            changes.add_user(user_id)
            user = changes.named(user_id)
        faces = [face for face in changes.owned_faces(face_ids).values() if face.user is None]
        return {"status": changes.hand_over(faces, user, user)}

    return make


def change(users, make, token=None, **parameters):
    request = Request.of("Operation", {**parameters, **({"ClientRequestToken": token} if token else {})})
    return users.change("staff", request, make, parameters)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "engine.db")
    store.create_collection("staff", "1.0", {})
    yield store
    store.close()


# --- tokens ---


def test_a_request_that_comes_twice_is_done_once(client, photos):
    client.create_collection(CollectionId="staff")
    (record,) = client.index_faces(CollectionId="staff", Image={"Bytes": photos["grace"]})["FaceRecords"]
    user = {"CollectionId": "staff", "UserId": "grace"}
    face = {"FaceIds": [record["Face"]["FaceId"]]}
    for operation, more in (
        (client.create_user, {}),
        (client.associate_faces, face),
        (client.disassociate_faces, face),
        (client.delete_user, {}),
    ):
        first, again = (operation(**user, **more, ClientRequestToken="token-1") for _ in range(2))
        assert {**first, "ResponseMetadata": 0} == {**again, "ResponseMetadata": 0}
    assert client.list_users(CollectionId="staff")["Users"] == []


def test_a_token_that_comes_with_other_parameters_is_refused(client):
    client.create_collection(CollectionId="staff")
    client.create_user(CollectionId="staff", UserId="a", ClientRequestToken="t")
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException) as refused:
        client.create_user(CollectionId="staff", UserId="b", ClientRequestToken="t")
    text = "The ClientRequestToken: t you have supplied is already in use."
    assert refused.value.response["Error"]["Message"] == text
    with pytest.raises(client.exceptions.ConflictException):
        client.create_user(CollectionId="staff", UserId="a", ClientRequestToken="another")


def test_a_request_that_failed_may_be_repeated_with_its_token(client):
    client.create_collection(CollectionId="staff")
    gone = {"CollectionId": "staff", "UserId": "a", "ClientRequestToken": "t"}
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.delete_user(**gone)
    client.create_user(CollectionId="staff", UserId="a")
    client.delete_user(**gone)
    assert client.list_users(CollectionId="staff")["Users"] == []


def test_tokens_go_with_their_collection(client):
    for _ in range(2):
        client.create_collection(CollectionId="staff")
        client.create_user(CollectionId="staff", UserId="a", ClientRequestToken="t")
        assert len(client.list_users(CollectionId="staff")["Users"]) == 1
        client.delete_collection(CollectionId="staff")


def test_tokens_are_forgotten_after_a_day_and_beyond_the_latest(store, monkeypatch):
    users, counter = Users(store.connections), itertools.count()

    def count(changes, parameters):
        return {"count": next(counter)}

    assert change(users, count, "a") == change(users, count, "a") == {"count": 0}
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + requests.KEPT_SECONDS + 1)
    assert change(users, count, "a", other=True) == {"count": 1}
    monkeypatch.setattr(requests, "KEPT_REQUESTS", 3)
    for token in "bcd":
        change(users, count, token)
    assert change(users, count, "a", other=True) == {"count": 5}
    with store.connections.reading() as connection:
        assert connection.execute("SELECT count(*) FROM requests").fetchone() == (3,)


def test_without_a_token_every_request_is_a_new_one(store):
    users, counter = Users(store.connections), itertools.count()
    answers = [change(users, lambda *_: {"count": next(counter)})["count"] for _ in range(2)]
    assert answers == [0, 1]


# --- the store ---


def old_store(path):
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1)
    connection.execute("INSERT INTO store VALUES (1, '123456789012', ?)", (b"k" * 32,))
    connection.execute("INSERT INTO collections VALUES (7, 'staff', '1.0', 1700000000.5, 1, 4)")
    connection.execute("INSERT INTO tags VALUES (7, 'team', 'ops')")
    connection.execute(
        "INSERT INTO faces VALUES (3, 7, ?, ?, 'x', 0.1, 0.2, 0.3, 0.4, 99.5, '1.0', ?)",
        (FACE, FACE, unit(1)[0].tobytes()),
    )
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()


def layout(path):
    connection = sqlite3.connect(path)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    columns = {table: connection.execute(f"PRAGMA table_info({table})").fetchall() for table in tables}
    indexes = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY name"
    ).fetchall()
    versions = [
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "application_id")
    ]
    connection.close()
    return columns, indexes, versions


def test_a_store_of_version_1_is_brought_up_to_date_in_place(tmp_path):
    old_store(tmp_path / "old.db")
    store = Store(tmp_path / "old.db")
    try:
        assert store.account_id == "123456789012"
        collection = store.collection("staff")
        assert (collection.number, collection.face_count, collection.revision) == (7, 1, 4)
        assert (collection.user_count, collection.user_revision) == (0, 0)
        (face,) = store.faces(7, 0, 10)
        assert (face.number, face.face_id, face.confidence, face.user_id) == (3, FACE, 99.5, None)
        users = Users(store.connections)
        assert change(users, given("u", [FACE])) == {"status": "ACTIVE"}
        assert store.faces(7, 0, 10)[0].user_id == "u"
    finally:
        store.close()
    Store(tmp_path / "new.db").close()
    assert layout(tmp_path / "old.db") == layout(tmp_path / "new.db")


def test_a_store_that_many_open_at_once_is_brought_up_to_date_once(tmp_path):
    old_store(tmp_path / "old.db")
    with ThreadPoolExecutor(8) as threads:
        stores = list(threads.map(lambda _: Store(tmp_path / "old.db"), range(8)))
    assert {store.collection("staff").user_count for store in stores} == {0}
    for store in stores:
        store.close()


def test_a_change_of_the_schema_that_fails_leaves_the_store_as_it_was(tmp_path, monkeypatch):
    old_store(tmp_path / "old.db")
    before = layout(tmp_path / "old.db")
    monkeypatch.setattr(schema, "_VERSIONS", (*schema._VERSIONS, "CREATE TABLE faces (x)"))
    with pytest.raises(Exception, match="cannot be used as the engine's store"):
        Connections(tmp_path / "old.db")
    assert layout(tmp_path / "old.db") == before


def test_a_deleted_user_s_name_is_in_no_file_any_more(store, tmp_path):
    users = Users(store.connections)
    change(users, given("jane-of-accounts", add(store, unit(3))))

    def delete(changes, _):
        changes.remove_user(changes.named("jane-of-accounts"))
        return {}

    users.change("staff", Request.of("DeleteUser", {}), delete, {}, erasing=True)
    assert all(b"jane-of-accounts" not in path.read_bytes() for path in tmp_path.glob("engine.db*"))


def test_any_history_of_users_ends_in_what_a_fresh_index_finds(store):
    users, rng = Users(store.connections), np.random.default_rng(5)
    kept = UserIndexes(users)
    vectors = unit(60)
    face_ids = add(store, vectors)
    query = Groups.one([unit(1, seed=9)[0].tobytes()])
    for step in range(40):
        name = f"u{rng.integers(6)}"
        chosen = [face_ids[n] for n in rng.integers(60, size=3)]
        if rng.random() < 0.7:
            change(users, given(name, chosen))
        else:

            def shed(changes, _, name=name):
                try:
                    changes.remove_user(changes.named(name))
                except RekognitionError:
                    return {"gone": False}
                return {"gone": True}

            change(users, shed)
        collection = store.collection("staff")
        found, fresh = (index.nearest(collection, query, 10) for index in (kept, UserIndexes(users)))
        assert [one.number for one in found] == [one.number for one in fresh], step
        # The last bit of a product depends on the row that a face has among the others.
        assert [one.distance for one in found] == pytest.approx([one.distance for one in fresh], abs=1e-6)
        owned = {user.number: user.user_id for user in users.page(collection.number, 0, 100)}
        assert collection.user_count == len(owned)
        faces = store.faces(collection.number, 0, 100)
        for neighbour in found:
            mine = [n for n, face in enumerate(faces) if face.user_id == owned[neighbour.number]]
            (distance,) = Groups.one([vectors[n].tobytes() for n in mine]).distances(query)
            assert neighbour.distance == pytest.approx(distance, abs=1e-6)
        with_faces = {face.user_id for face in faces} - {None}
        assert {owned[neighbour.number] for neighbour in found} == with_faces


# --- at the same time ---


def test_of_two_who_want_the_same_face_for_two_users_one_gets_it(new_engine, connect, photos, tmp_path):
    engines = [new_engine(tmp_path / "engine.db") for _ in range(2)]
    clients = [connect(engine) for engine in engines]
    clients[0].create_collection(CollectionId="staff")
    for user in ("a", "b"):
        clients[0].create_user(CollectionId="staff", UserId=user)
    gate = threading.Barrier(2)

    def race(client, user, face_id):
        gate.wait()
        return client.associate_faces(
            CollectionId="staff", UserId=user, FaceIds=[face_id], UserMatchThreshold=0
        )

    for turn in range(6):
        answer = clients[0].index_faces(
            CollectionId="staff", Image={"Bytes": photos["grace"]}, ExternalImageId=f"x{turn}"
        )
        face_id = answer["FaceRecords"][0]["Face"]["FaceId"]
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(race, clients, "ab", [face_id] * 2))
        won = [user for user, answer in zip("ab", answers, strict=True) if answer["AssociatedFaces"]]
        (refusal,) = [one for answer in answers for one in answer["UnsuccessfulFaceAssociations"]]
        (face,) = clients[1].list_faces(CollectionId="staff", FaceIds=[face_id])["Faces"]
        assert [face["UserId"]] == won == [refusal["UserId"]]
        assert refusal["Reasons"] == ["ASSOCIATED_TO_A_DIFFERENT_USER"]


GIVING = """
    import sys
    from pathlib import Path
    from facesearch.engine.requests import Request
    from facesearch.engine.storage import NewFace, Store
    from facesearch.engine.users import Users
    import numpy as np

    store = Store(Path(sys.argv[1]))
    users = Users(store.connections)

    def make(changes, parameters):
        changes.add_user(parameters["UserId"])
        user = changes.named(parameters["UserId"])
        faces = list(changes.owned_faces([parameters["FaceId"]]).values())
        changes.hand_over(faces, user, user)
        return {"given": parameters["UserId"]}

    for number in range(int(sys.argv[2]), int(sys.argv[3])):
        vector = np.zeros(8, dtype="<f4")
        vector[number % 8] = 1
        (face,) = store.add_faces("staff", "1.0", str(number), None, [NewFace(0, 0, 1, 1, 99, vector.tobytes())])
        parameters = {"UserId": f"u{number}", "FaceId": face.face_id, "ClientRequestToken": f"t{number}"}
        users.change("staff", Request.of("Operation", parameters), make, parameters)
        print(number, face.face_id, flush=True)
"""


def giving(path, first, last):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(GIVING), path, str(first), str(last)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_every_user_that_was_answered_survives_kill_9_with_its_face_and_its_token(store, tmp_path):
    path = tmp_path / "engine.db"
    process = giving(path, 0, 100_000)
    answered = [process.stdout.readline().split() for _ in range(40)]
    process.kill()
    answered += [
        line.split() for line in process.communicate()[0].splitlines(keepends=True) if line.endswith("\n")
    ]
    collection = store.collection("staff")
    users = Users(store.connections).page(collection.number, 0, 100_000)
    faces = {face.user_id: face.face_id for face in store.faces(collection.number, 0, 100_000)}
    assert len(users) - len(answered) in (0, 1)
    assert collection.user_count == collection.user_revision // 2 == len(users)
    assert [[user.user_id, faces[user.user_id]] for user in users][: len(answered)] == [
        [f"u{number}", face_id] for number, face_id in answered
    ]
    assert all(user.status == "ACTIVE" for user in users)
    with store.connections.reading() as connection:
        assert connection.execute("SELECT count(*) FROM requests").fetchone() == (len(users),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_two_processes_that_make_users_at_once_make_all_of_them(store, tmp_path):
    path = tmp_path / "engine.db"
    indexes = UserIndexes(Users(store.connections))
    query = Groups.one([unit(1)[0].tobytes()])
    assert indexes.nearest(store.collection("staff"), query, 5) == []
    processes = [giving(path, 0, 30), giving(path, 30, 60)]
    assert all(process.communicate() and process.returncode == 0 for process in processes)
    collection = store.collection("staff")
    assert collection.user_count == 60
    assert len(indexes.nearest(collection, query, 100)) == 60
