"""What was answered is kept: over restarts, over kill -9, and with several processes on one store."""

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest

# Indexes a photo again and again, under an ExternalImageId each, and prints each FaceId once it is answered.
INDEXING = """
    import sys
    from pathlib import Path
    import boto3, botocore
    from botocore.config import Config
    from facesearch.engine.service import Engine
    from facesearch.engine.transports import attach
    from facesearch.engine.vision.recognizer import DlibRecognizer

    store, cache, photo, first, last = sys.argv[1:]
    engine = Engine(Path(store), lambda: DlibRecognizer.load(cache=Path(cache)))
    client = boto3.client("rekognition", region_name="us-east-1", endpoint_url="http://embedded.invalid",
                          config=Config(signature_version=botocore.UNSIGNED))
    attach(client, engine)
    data = Path(photo).read_bytes()
    for number in range(int(first), int(last)):
        answer = client.index_faces(CollectionId="staff", Image={"Bytes": data}, ExternalImageId=f"x{number}")
        print(answer["FaceRecords"][0]["Face"]["FaceId"], flush=True)
    engine.close()
"""


@pytest.fixture
def indexing(tmp_path, vision_cache, photos):
    """Starts a process that indexes under the external ids from x<first> up to x<last>."""
    photo = tmp_path / "eileen.jpg"
    photo.write_bytes(photos["eileen"])
    started = []

    def start(first, last):
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                textwrap.dedent(INDEXING),
                tmp_path / "engine.db",
                vision_cache,
                photo,
                str(first),
                str(last),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def listed(client):
    return [face["FaceId"] for face in client.list_faces(CollectionId="staff", MaxResults=4096)["Faces"]]


def test_what_one_engine_stored_the_next_one_finds(new_engine, connect, photos, tmp_path):
    path = tmp_path / "engine.db"
    engine = new_engine(path)
    client = connect(engine)
    client.create_collection(CollectionId="staff", Tags={"a": "b"})
    answer = client.index_faces(
        CollectionId="staff", Image={"Bytes": photos["grace"]}, ExternalImageId="grace"
    )
    described = client.describe_collection(CollectionId="staff")
    engine.close()

    client = connect(new_engine(path))
    again = client.describe_collection(CollectionId="staff")
    assert {**again, "ResponseMetadata": 0} == {**described, "ResponseMetadata": 0}
    (face,) = client.list_faces(CollectionId="staff")["Faces"]
    assert face == answer["FaceRecords"][0]["Face"]
    found = client.search_faces_by_image(CollectionId="staff", Image={"Bytes": photos["grace again"]})
    assert [match["Face"]["FaceId"] for match in found["FaceMatches"]] == [face["FaceId"]]


def test_every_face_that_was_answered_survives_kill_9(client, indexing, photos):
    client.create_collection(CollectionId="staff")
    process = indexing(0, 1000)
    answered = [process.stdout.readline().strip() for _ in range(6)]
    process.kill()
    answered += [
        line.strip() for line in process.communicate()[0].splitlines(keepends=True) if line.endswith("\n")
    ]
    stored = listed(client)
    assert stored[: len(answered)] == answered
    assert len(stored) - len(answered) in (0, 1)
    assert client.describe_collection(CollectionId="staff")["FaceCount"] == len(stored)
    for number, face_id in enumerate(stored):
        answer = client.index_faces(
            CollectionId="staff", Image={"Bytes": photos["eileen"]}, ExternalImageId=f"x{number}"
        )
        assert [record["Face"]["FaceId"] for record in answer["FaceRecords"]] == [face_id]


def test_processes_that_index_the_same_photo_under_the_same_ids_store_it_once_each(client, indexing):
    client.create_collection(CollectionId="staff")
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(
            lambda process: process.communicate()[0], [indexing(0, 8), indexing(0, 8)]
        )
    assert first == second
    assert len(first.split()) == 8
    assert sorted(listed(client)) == sorted(first.split())


def test_a_face_that_another_process_stored_is_found_by_the_next_search(client, indexing, photos):
    client.create_collection(CollectionId="staff")
    query = {"CollectionId": "staff", "Image": {"Bytes": photos["eileen again"]}}
    assert client.search_faces_by_image(**query)["FaceMatches"] == []
    stored = indexing(0, 2).communicate()[0].split()
    found = client.search_faces_by_image(**query)["FaceMatches"]
    assert [match["Face"]["FaceId"] for match in found] == stored
