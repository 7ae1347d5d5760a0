"""Programs under load: servers killed again and again; several servers, and several programs with an engine of
their own, on one store."""

import contextlib
import io
import json
import random
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import boto3
import botocore
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError, HTTPClientError

from facesearch.engine.service import Engine
from facesearch.engine.transports import attach
from facesearch.engine.vision.recognizer import DlibRecognizer

GONE = (
    EndpointConnectionError,
    HTTPClientError,
)  # HTTPClientError: a connection that broke before its answer
STAFF = {"CollectionId": "staff"}


@contextlib.contextmanager
def serving(data):
    """A server program on a store, and its URL; killed at the end, as nothing here may depend on a clean stop."""
    command = [sys.executable, "-m", "facesearch", "engine", "serve", "--port", "0", "--data", str(data)]
    program = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    url = re.search(r"https?://[^ ]+", program.stderr.readline())[0]
    drain = threading.Thread(target=program.stderr.read)  # a full pipe would stop the server
    drain.start()
    try:
        yield program, url
    finally:
        program.kill()
        program.wait()
        drain.join()
        program.stderr.close()


@contextlib.contextmanager
def client_of(url):
    config = Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1})
    client = boto3.client("rekognition", region_name="us-east-1", endpoint_url=url, config=config)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def networks(vision_cache):
    """The networks where each program finds them at once."""
    DlibRecognizer.load(cache=vision_cache)


@pytest.fixture
def photo(eileen):
    """photo(name): the same small picture in other bytes each time; what follows a JPEG's end is not looked at."""
    buffer = io.BytesIO()
    eileen.resize((128, 128)).save(buffer, "JPEG", quality=92)
    return lambda name: {"Bytes": buffer.getvalue() + name.encode()}


def listed(client):
    pages = client.get_paginator("list_faces").paginate(**STAFF)
    return {face["FaceId"]: face["ExternalImageId"] for page in pages for face in page["Faces"]}


def integrity(data):
    with contextlib.closing(sqlite3.connect(data)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall()


# --- killed


def index_until_it_is_gone(url, photo, numbers, answered, enough):
    """Index under a new ExternalImageId each time; what was answered goes by FaceId into `answered`."""
    with client_of(url) as client, contextlib.suppress(*GONE):
        while True:
            name = f"x{next(numbers)}"
            answer = client.index_faces(**STAFF, Image=photo(name), ExternalImageId=name)
            [record] = answer["FaceRecords"]
            answered[record["Face"]["FaceId"]] = name
            enough.release()


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.slow)])
def test_what_a_server_answered_is_there_once_however_often_it_is_killed(
    tmp_path, networks, photo, kills, cut
):
    data, kills = tmp_path / "engine.db", cut(kills)
    threads, numbers, answered, rng = 4, count(), {}, random.Random(kills)
    with serving(data) as (_, url), client_of(url) as client:
        client.create_collection(**STAFF)
    for _ in range(kills):
        enough = threading.Semaphore(0)
        with serving(data) as (program, url), ThreadPoolExecutor(threads) as pool:
            before = dict(answered)
            with client_of(url) as client:
                stored = listed(client)
            assert answered.items() <= stored.items()
            load = [
                pool.submit(index_until_it_is_gone, url, photo, numbers, answered, enough)
                for _ in range(threads)
            ]
            for _ in range(rng.randint(5, 40)):
                assert enough.acquire(timeout=60)
            program.kill()
            for call in load:
                call.result()
        assert len(answered) > len(before)
        assert integrity(data) == [("ok",)]
    with serving(data) as (_, url), client_of(url) as client:
        stored = listed(client)
        assert answered.items() <= stored.items()
        assert set(Counter(stored.values()).values()) == {1}
        assert len(stored) - len(answered) <= threads * kills
        assert client.describe_collection(**STAFF)["FaceCount"] == len(stored)
    print(f"{kills} kills: {len(answered)} answered, {len(stored)} stored")  # noqa: T201


# --- several processes on one store

OPERATIONS = ("index", "search", "delete")


class Ledger:
    """What clients know of a collection: which faces are there for sure, and which are gone for sure."""

    def __init__(self):
        self._guard = threading.Lock()
        self._there = {}
        self._gone = set()
        self.calls = Counter()

    def now(self):
        """The faces that are there and those that are gone."""
        with self._guard:
            return set(self._there), set(self._gone)

    def add(self, face_id, name):
        with self._guard:
            self._there[face_id] = name

    def take(self, rng):
        """A face to delete, from now on neither there nor gone; None while there are few."""
        with self._guard:
            if len(self._there) < 5:
                return None
            face_id = rng.choice(list(self._there))
            del self._there[face_id]
            return face_id

    def strike(self, face_id):
        with self._guard:
            self._gone.add(face_id)

    def all(self):
        with self._guard:
            return dict(self._there)


def index_one(client, ledger, photo, name):
    [record] = client.index_faces(**STAFF, Image=photo(name), ExternalImageId=name)["FaceRecords"]
    ledger.add(record["Face"]["FaceId"], name)


def search_all(client, ledger, photo, name):
    there, gone = ledger.now()
    matches = client.search_faces_by_image(**STAFF, Image=photo(name), MaxFaces=4096)["FaceMatches"]
    found = [match["Face"]["FaceId"] for match in matches]
    still_there, _ = ledger.now()
    assert len(found) == len(set(found))
    assert not gone.intersection(found)
    assert there & still_there <= set(found)


def delete_one(client, ledger, rng):
    face_id = ledger.take(rng)
    if face_id is not None:
        assert client.delete_faces(**STAFF, FaceIds=[face_id])["DeletedFaces"] == [face_id]
        ledger.strike(face_id)
    return face_id is not None


def mix(worker, clients, ledger, photo, seconds):
    """One thread's work: each call goes to whichever client chance picks. On a busy machine it takes the time that
    a call of each kind needs."""
    rng, deadline = random.Random(worker), time.monotonic() + seconds
    for step in count():
        if time.monotonic() > deadline and all(ledger.calls[what] for what in OPERATIONS):
            return
        client, name = rng.choice(clients), f"{worker}s{step}"
        what = rng.choices(OPERATIONS, (3, 4, 3))[0]
        if what == "index":
            index_one(client, ledger, photo, name)
        elif what == "search":
            search_all(client, ledger, photo, name)
        elif not delete_one(client, ledger, rng):
            continue
        ledger.calls[what] += 1


def mixed(process, clients, photo, seconds):
    """Eight threads at once, and what they know at the end. Any error answer, a busy store too, is raised here."""
    ledger = Ledger()
    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(mix, f"p{process}t{n}", clients, ledger, photo, seconds) for n in range(8)]
    for thread in work:
        thread.result()
    return ledger


def embedded(data, cache, picture, process, seconds):
    """A program's work, with an engine of its own; what it knows at the end goes to stdout."""
    image = Path(picture).read_bytes()
    engine = Engine(Path(data), lambda: DlibRecognizer.load(cache=Path(cache)))
    with contextlib.closing(engine), client_of("http://embedded.invalid") as client:
        clients = [attach(client, engine)]
        ledger = mixed(process, clients, lambda name: {"Bytes": image + name.encode()}, float(seconds))
    json.dump({"there": ledger.all(), "calls": ledger.calls}, sys.stdout)


@pytest.mark.parametrize("seconds", [4, pytest.param(120, marks=pytest.mark.slow)])
def test_three_servers_on_one_store_lose_no_face_and_find_none_that_was_deleted(
    tmp_path, networks, photo, seconds, cut
):
    data, seconds = tmp_path / "engine.db", cut(seconds)
    with contextlib.ExitStack() as running:
        urls = [running.enter_context(serving(data))[1] for _ in range(3)]
        clients = [running.enter_context(client_of(url)) for url in urls]
        clients[0].create_collection(**STAFF)
        ledger = mixed(0, clients, photo, seconds)
        for client in clients:
            assert listed(client) == ledger.all()
    assert integrity(data) == [("ok",)]
    print(f"servers, {seconds} s: {dict(ledger.calls)}, {len(ledger.all())} faces left")  # noqa: T201


WORK = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='embedded')['embedded'](*sys.argv[2:])"


@pytest.mark.parametrize("seconds", [4, pytest.param(120, marks=pytest.mark.slow)])
def test_three_programs_with_eight_threads_each_on_one_store_lose_no_face_and_find_none_that_was_deleted(
    tmp_path, networks, photo, new_engine, vision_cache, seconds, cut
):
    data, picture, seconds = tmp_path / "engine.db", tmp_path / "picture.jpg", cut(seconds)
    picture.write_bytes(photo("")["Bytes"])
    engine = new_engine(data)
    with client_of("http://embedded.invalid") as client:
        attach(client, engine).create_collection(**STAFF)
        programs = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    WORK,
                    __file__,
                    data,
                    vision_cache,
                    picture,
                    str(number),
                    str(seconds),
                ],
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(3)
        ]
        told = [program.communicate()[0] for program in programs]
        assert [program.returncode for program in programs] == [0, 0, 0]
        known = [json.loads(text) for text in told]
        assert listed(client) == {face: name for one in known for face, name in one["there"].items()}
    assert integrity(data) == [("ok",)]
    calls = sum((Counter(one["calls"]) for one in known), Counter())
    left = sum(len(one["there"]) for one in known)
    print(f"embedded, {seconds} s: {dict(calls)}, {left} faces left")  # noqa: T201
