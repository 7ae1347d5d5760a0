"""Collections of several face models in one store: each is indexed and searched by its own."""

import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from facesearch.engine import schema
from facesearch.engine.models.catalogue import Catalogue
from facesearch.engine.models.chosen import opened
from facesearch.engine.vision.built_in import ACCURATE, DLIB


@pytest.fixture
def store(tmp_path):
    return tmp_path / "engine.db"


@pytest.fixture
def client(new_engine, connect, store, models):
    return connect(new_engine(store, models.default, models=models.load))


@pytest.fixture
def use(store, library, models):
    """Chooses the model of new collections, as another process does."""

    def choose(name):
        with opened(store) as chosen:
            return Catalogue(library, chosen, models).use(name)

    return choose


def index(client, collection, photos, *names):
    return [
        client.index_faces(
            CollectionId=collection, Image={"Bytes": photos[name]}, ExternalImageId=name.split()[0]
        )
        for name in names
    ]


def found(client, collection, photo, **options):
    answer = client.search_faces_by_image(CollectionId=collection, Image={"Bytes": photo}, **options)
    version = client.describe_collection(CollectionId=collection)["FaceModelVersion"]
    assert answer["FaceModelVersion"] == version
    return [match["Face"]["ExternalImageId"] for match in answer["FaceMatches"]]


def test_a_collection_keeps_the_model_it_was_made_with(client, use, random, photos):
    versions = []
    for name in ("dlib", "random", "accurate"):
        use(name)
        versions.append(client.create_collection(CollectionId=name)["FaceModelVersion"])
    assert versions == [DLIB.version, random.version, ACCURATE.version]
    use("dlib")
    for name, version in zip(("dlib", "random", "accurate"), versions, strict=True):
        for answer in index(client, name, photos, "eileen", "grace"):
            assert answer["FaceModelVersion"] == version
            assert answer["FaceRecords"][0]["Face"]["IndexFacesModelVersion"] == version
        assert found(client, name, photos["eileen again"]) == ["eileen"]
        assert found(client, name, photos["grace again"]) == ["grace"]
        described = client.describe_collection(CollectionId=name)
        assert (described["FaceCount"], described["FaceModelVersion"]) == (2, version)
    assert client.list_collections()["FaceModelVersions"] == versions


def test_vectors_are_of_the_models_length_and_searched_by_face_too(client, use, random, photos, store):
    use("random")
    client.create_collection(CollectionId="staff")
    records = index(client, "staff", photos, "eileen", "eileen again", "grace")
    with sqlite3.connect(store) as connection:
        lengths = connection.execute("SELECT length(vector) FROM faces").fetchall()
    connection.close()
    assert lengths == [(4 * 96,)] * 3
    face = records[0]["FaceRecords"][0]["Face"]["FaceId"]
    answer = client.search_faces(CollectionId="staff", FaceId=face)
    assert [match["Face"]["ExternalImageId"] for match in answer["FaceMatches"]] == ["eileen"]
    assert answer["FaceModelVersion"] == random.version


def test_similarities_are_on_the_models_own_scale(client, use, random, models, eileen, photos):
    use("random")
    client.create_collection(CollectionId="staff")
    index(client, "staff", photos, "eileen")
    recognizer = models.load(random.version)

    def vector(name):
        from facesearch.engine import images

        image = images.decode(photos[name])
        return recognizer.embed(image, recognizer.detect(image))[0]

    apart = np.linalg.norm(vector("eileen").astype(float) - vector("eileen again"))
    image = {"Bytes": photos["eileen again"]}
    (match,) = client.search_faces_by_image(CollectionId="staff", Image=image)["FaceMatches"]
    assert match["Similarity"] == pytest.approx(random.scale.similarity(apart), abs=1e-3)
    assert abs(match["Similarity"] - DLIB.scale.similarity(apart)) > 1


def test_users_are_of_the_collections_model(client, use, random, photos):
    use("random")
    client.create_collection(CollectionId="staff")
    faces = [
        answer["FaceRecords"][0]["Face"]["FaceId"]
        for answer in index(client, "staff", photos, "eileen", "eileen again", "grace")
    ]
    for user, theirs in (("collins", faces[:2]), ("hopper", faces[2:])):
        client.create_user(CollectionId="staff", UserId=user)
        done = client.associate_faces(CollectionId="staff", UserId=user, FaceIds=theirs)
        assert len(done["AssociatedFaces"]) == len(theirs)
    refused = client.associate_faces(CollectionId="staff", UserId="collins", FaceIds=faces[2:])
    assert refused["UnsuccessfulFaceAssociations"][0]["Reasons"] == ["ASSOCIATED_TO_A_DIFFERENT_USER"]
    answer = client.search_users_by_image(CollectionId="staff", Image={"Bytes": photos["eileen"]})
    assert [match["User"]["UserId"] for match in answer["UserMatches"]] == ["collins"]
    assert answer["FaceModelVersion"] == random.version
    assert client.search_users(CollectionId="staff", UserId="hopper")["UserMatches"] == []


def test_what_belongs_to_no_collection_is_of_the_chosen_model(client, use, random, photos):
    pair = {"SourceImage": {"Bytes": photos["eileen"]}, "TargetImage": {"Bytes": photos["grace"]}}
    before = client.compare_faces(**pair, SimilarityThreshold=0)["FaceMatches"][0]["Similarity"]
    use("random")
    after = client.compare_faces(**pair, SimilarityThreshold=0)["FaceMatches"][0]["Similarity"]
    assert after != pytest.approx(before, abs=0.01)
    assert len(client.detect_faces(Image={"Bytes": photos["both"]})["FaceDetails"]) == 2
    labels = client.detect_labels(Image={"Bytes": photos["grace"]})
    assert labels["LabelModelVersion"] == f"faces-{random.version}"


@pytest.fixture
def elsewhere(use, client, random, photos, tmp_path, new_engine, connect, store, vision_cache):
    """A store with a collection of an added model, on a machine that does not have the model."""
    from facesearch.engine.models.library import Library
    from facesearch.engine.models.loading import Models

    client.create_collection(CollectionId="old")
    index(client, "old", photos, "eileen")
    use("random")
    client.create_collection(CollectionId="staff")
    index(client, "staff", photos, "eileen")
    shutil.rmtree(tmp_path / "models")
    others = Models(Library(tmp_path / "models"), vision_cache)
    return connect(new_engine(store, others.default, models=others.load))


def test_a_model_that_is_not_there_is_named_with_what_brings_it(elsewhere, random, photos):
    asked = [
        lambda: index(elsewhere, "staff", photos, "grace"),
        lambda: found(elsewhere, "staff", photos["eileen"]),
        lambda: elsewhere.search_users_by_image(CollectionId="staff", Image={"Bytes": photos["eileen"]}),
    ]
    text = (
        r"The collection id: staff was made with the face model random \(version "
        rf"{random.version}, SHA-256 {random.sha256}\)\. It is not on this machine: `facesearch engine models add"
    )
    for ask in asked:
        with pytest.raises(elsewhere.exceptions.InvalidParameterException, match=text):
            ask()
    with pytest.raises(
        elsewhere.exceptions.InvalidParameterException, match="New collections get the face model random"
    ):
        elsewhere.create_collection(CollectionId="new")


def test_without_its_model_a_collection_can_be_listed_and_deleted_and_others_are_searched(elsewhere, photos):
    assert found(elsewhere, "old", photos["eileen again"]) == ["eileen"]
    (face,) = elsewhere.list_faces(CollectionId="staff")["Faces"]
    deleted = elsewhere.delete_faces(CollectionId="staff", FaceIds=[face["FaceId"]])
    assert deleted["DeletedFaces"] == [face["FaceId"]]
    assert elsewhere.delete_collection(CollectionId="staff")["StatusCode"] == 200


def test_a_model_that_comes_back_is_used_at_the_next_call(elsewhere, networks, add, photos, tmp_path):
    add(tmp_path / "files" / "random.toml")
    assert found(elsewhere, "staff", photos["eileen again"]) == ["eileen"]


def test_other_processes_follow_the_choice(client, store, vision_cache, tmp_path, home):
    (home / "engine.db").symlink_to(store)
    command = [sys.executable, "-m", "facesearch", "engine", "models", "use", "accurate"]
    subprocess.run(command, check=True, capture_output=True)
    assert client.create_collection(CollectionId="staff")["FaceModelVersion"] == ACCURATE.version


def test_a_store_from_before_models_could_be_chosen_goes_on_with_dlibs(
    new_engine, connect, store, models, photos
):
    connection = sqlite3.connect(store, isolation_level=None)
    for statements in schema._VERSIONS[:2]:
        connection.executescript(statements)
    connection.execute("INSERT INTO store (id, account_id, token_key) VALUES (1, '123456789012', x'00')")
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 2")
    connection.execute(
        "INSERT INTO collections (collection_id, model_version, created_at) VALUES ('old', '1.0', 1)"
    )
    connection.close()
    client = connect(new_engine(store, models.default, models=models.load))
    index(client, "old", photos, "eileen")
    assert found(client, "old", photos["eileen again"]) == ["eileen"]
    assert client.create_collection(CollectionId="new")["FaceModelVersion"] == DLIB.version


def test_a_model_that_does_not_work_is_not_chosen(use, random, client, tmp_path):
    from facesearch.engine.errors import ModelError

    (path,) = (tmp_path / "models").glob("*.onnx")
    path.write_bytes(b"damaged")
    with pytest.raises(ModelError, match="was changed: delete it, and add random again"):
        use("random")
    assert client.create_collection(CollectionId="staff")["FaceModelVersion"] == DLIB.version
