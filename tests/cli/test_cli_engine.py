"""`facesearch engine`: the server as a program of its own, in one process or several, and its access keys."""

import importlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import boto3
import botocore
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError
from click.testing import CliRunner

from facesearch import bootstrap
from facesearch.cli import main
from facesearch.engine.http.server import listen, served
from facesearch.engine.http.workers import Workers


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["engine", *map(str, arguments)], prog_name="facesearch")
    assert result.exit_code == code, result.stderr
    return result


def answer(*arguments, code=0):
    document = json.loads(run(*arguments, code=code).stdout)
    assert document.pop("schema") == 1
    return document


@contextmanager
def serving(*arguments):
    """A server program, the first line it said, and the URL in it; stopped by SIGTERM at the end."""
    command = [sys.executable, "-m", "facesearch", "engine", "serve", "--port", "0", *map(str, arguments)]
    program = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        first = program.stderr.readline()
        url = re.search(r"https?://[^ ]+", first)[0]
        assert program.stderr.readline() == f"use it: export AWS_ENDPOINT_URL_REKOGNITION={url}\n"
        yield program, first, url
        if program.poll() is None:
            program.terminate()
            assert program.wait(30) == 0
    finally:
        if program.poll() is None:
            program.kill()
        program.communicate()


def client_of(url, key=None):
    config = {"signature_version": botocore.UNSIGNED} if key is None else {}
    return boto3.client(
        "rekognition",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=key and key["access_key_id"],
        aws_secret_access_key=key and key["secret_access_key"],
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


# --- serving


def test_the_server_has_the_collections_of_the_embedded_engine(home):
    created = CliRunner().invoke(main, ["collection", "create", "staff"])
    assert created.exit_code == 0
    with serving() as (_, first, url):
        assert first == (
            f"engine: {url} · collections: {home / 'engine.db'} · "
            "any credentials are accepted: no access key was created\n"
        )
        assert client_of(url).list_collections()["CollectionIds"] == ["staff"]


def test_a_key_shuts_the_door_of_a_running_server_and_is_taken_back(tmp_path):
    data = tmp_path / "rekognition.db"
    with serving("--data", data) as (_, _, url):
        client_of(url).create_collection(CollectionId="staff")
        key = answer("keys", "create", "--data", data)
        with pytest.raises(ClientError, match="MissingAuthenticationTokenException"):
            client_of(url).list_collections()
        assert client_of(url, key).list_collections()["CollectionIds"] == ["staff"]
        run("keys", "revoke", key["access_key_id"], "--data", data, "--yes")
        with pytest.raises(ClientError, match="UnrecognizedClientException"):
            client_of(url, key).list_collections()
    with serving("--data", data) as (_, first, url):
        assert first == f"engine: {url} · collections: {data} · requests must be signed\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_server_in_good_order(number):
    with serving() as (program, _, url):
        client_of(url).list_collections()
        program.send_signal(number)
        assert program.wait(30) == 0
        [line] = program.stderr.read().splitlines()
        assert json.loads(line)["operation"] == "ListCollections"


def test_a_request_under_way_is_answered_before_the_server_ends_and_a_second_signal_hurries():
    whole = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: RekognitionService.ListCollections\r\n"
    for hurried in (False, True):
        with serving() as (program, _, url):
            host, port = url.removeprefix("http://").split(":")
            with suppress(ConnectionResetError), connection_to(host, port) as connection:
                connection.sendall(whole + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{")
                assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")  # it is in the house now
                program.terminate()
                wait_until_closed(url)
                if hurried:
                    program.terminate()
                    assert connection.recv(1000) == b""
                else:
                    connection.sendall(b"}")
                    assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
            assert program.wait(30) == (130 if hurried else 0)


def connection_to(host, port):
    return socket.create_connection((host, int(port)), timeout=30)


def wait_until_closed(url):
    deadline = time.monotonic() + 30
    host, port = url.removeprefix("http://").split(":")
    while time.monotonic() < deadline:
        try:
            connection_to(host, port).close()
        except ConnectionError:
            return
    raise AssertionError("still open")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_address_that_others_can_reach_needs_a_key(host):
    result = run("serve", "--port", 0, "--host", host, code=4)
    assert "can be reached from other machines" in result.stderr and "keys create" in result.stderr
    key = answer("keys", "create")
    with serving("--host", host, "--allow-host", "faces.test") as (_, first, url):
        assert first.endswith("requests must be signed\n")
        assert client_of(url, key).list_collections()["CollectionIds"] == []
        for name, status in (("faces.test", 200), ("evil.test", 403)):
            answered = urllib3.request("GET", url + "/health", headers={"Host": name})
            assert answered.status == status
    run("keys", "revoke", key["access_key_id"], "--yes")
    run("serve", "--port", 0, "--host", host, code=4)


def test_what_cannot_be_served_is_said_in_a_sentence(tmp_path, home):
    other = tmp_path / "other.db"
    other.write_bytes(b"no database at all" * 100)
    assert "cannot be used" in run("serve", "--port", 0, "--data", other, code=4).stderr
    assert "cannot be used" in run("serve", "--port", 0, "--data", other, "--workers", 2, code=4).stderr
    assert "nowhere" in run("serve", "--certfile", tmp_path / "nowhere.pem", code=4).stderr
    assert "cannot listen on" in run("serve", "--host", "no.such.host.invalid", code=4).stderr
    with listen() as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1 port {port}: " in run("serve", "--port", port, code=4).stderr
    run("serve", "--keyfile", tmp_path / "key.pem", code=2)
    run("serve", "--workers", 0, code=2)
    run("serve", "--port", 65536, code=2)
    (home / "engine-keys.db").write_bytes(b"no database at all" * 100)
    assert "file of access keys" in run("serve", "--port", 0, code=4).stderr


# --- several processes


def test_two_workers_serve_one_store_and_tell_their_numbers_together(photo):
    with serving("--workers", 2) as (program, _, url):
        client_of(url).create_collection(CollectionId="staff")
        deadline = time.monotonic() + 60
        processes = set()
        while len(processes) < 2:
            assert time.monotonic() < deadline
            client_of(url).index_faces(CollectionId="staff", Image={"Bytes": photo})
            while True:
                line = json.loads(program.stderr.readline())
                processes.add(line["process"])
                if line["operation"] == "IndexFaces":
                    break
        text = urllib3.request("GET", url + "/metrics").data.decode()
        assert 'facesearch_requests_total{code="OK",operation="CreateCollection"} 1.0' in text
        assert "facesearch_collections 1.0" in text and "facesearch_faces 1.0" in text
        [total] = re.findall(r'requests_total{code="OK",operation="IndexFaces"} ([0-9.]+)', text)
        [count] = re.findall(r'request_seconds_count{operation="IndexFaces"} ([0-9.]+)', text)
        assert float(total) == float(count) >= 1
        assert client_of(url).describe_collection(CollectionId="staff")["FaceCount"] == 1


@pytest.fixture(scope="session")
def photo(samples):
    return next(iter(sorted(samples.glob("people/*/*.jpg")))).read_bytes()


@pytest.fixture
def two_workers(home):
    serve = partial(
        served, partial(bootstrap._open_engine, home / "engine.db", home / "models", home / "cache", "auto")
    )
    with Workers(serve, listen(), 2, secure=False) as running:
        client_of(running.url).list_collections()
        yield running


def test_a_worker_that_dies_is_replaced(two_workers, caplog):
    joined = threading.Thread(target=two_workers.join)
    joined.start()
    before = [worker.process.pid for worker in two_workers._workers]
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + 30
    while {worker.process.pid for worker in two_workers._workers} <= set(before):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert client_of(two_workers.url).list_collections()["CollectionIds"] == []
    two_workers.stop()
    joined.join(30)
    assert not joined.is_alive()
    assert f"worker {before[0]} ended with exit code -9; another takes its place" in caplog.text


DYING = """
import os

def at_start(**_):
    os._exit(3)

def when_replaced(first, open_engine, **arguments):
    from facesearch.engine.http.server import served
    try:
        first.mkdir()
    except FileExistsError:
        os._exit(3)
    return served(open_engine, **arguments)
"""


@pytest.fixture
def dying(tmp_path, monkeypatch):
    (tmp_path / "dying.py").write_text(DYING)
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("dying")


def test_workers_that_die_before_they_serve_are_told_of_at_once(dying):
    listener = listen()
    workers = Workers(dying.at_start, listener, 2, secure=False)
    with pytest.raises(ChildProcessError, match="ended with exit code 3 before it could serve"), workers:
        pytest.fail("it is not entered")
    with pytest.raises(ConnectionRefusedError):
        connection_to(*workers.url.removeprefix("http://").split(":"))


def test_one_that_cannot_take_the_place_of_another_ends_the_server(dying, home, tmp_path):
    open_engine = partial(bootstrap._open_engine, home / "engine.db", home / "models", home / "cache", "auto")
    serve = partial(dying.when_replaced, tmp_path / "first", open_engine)
    with (
        pytest.raises(ChildProcessError, match="ended with exit code 3 before it could serve"),
        Workers(serve, listen(), 1, secure=False) as running,
    ):
        os.kill(running._workers[0].process.pid, signal.SIGKILL)
        running.join()


def test_a_fault_at_the_start_of_a_worker_is_raised_with_where_it_was():
    with pytest.raises(TypeError) as raised, Workers(partial(dict), listen(), 2, secure=False):
        pytest.fail("it is not entered")
    assert any("_work" in note for note in raised.value.__notes__)


@pytest.mark.parametrize("count", [1, 2])
def test_damaged_weights_are_said_before_anything_is_served(count, tmp_path, monkeypatch):
    damaged = tmp_path / "face_recognition_models"
    (damaged / "models").mkdir(parents=True)
    (damaged / "__init__.py").touch()
    for name in ("mmod_human_face_detector", "shape_predictor_5_face_landmarks"):
        (damaged / "models" / f"{name}.dat").write_bytes(b"x")
    (damaged / "models" / "dlib_face_recognition_resnet_model_v1.dat").write_bytes(b"x")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("FACESEARCH_HOME", str(tmp_path / "home"))  # nothing built from them is kept there
    refused = run("serve", "--port", 0, "--workers", count, code=4)
    assert "is cut short or changed" in refused.stderr and "Traceback" not in refused.stderr


def test_workers_stop_when_their_parent_is_gone():
    with serving("--workers", 2) as (program, _, url):
        client_of(url).list_collections()
        program.kill()
        program.wait(30)
        wait_until_closed(url)


# --- keys


def test_a_new_key_is_printed_with_its_secret_this_once(home):
    created = run(
        "keys", "create", "--name", "reception", "--collection", "staff", "--read-only", "-o", "json"
    )
    key = json.loads(created.stdout)
    assert re.fullmatch("AKIA[A-Z2-7]{16}", key["access_key_id"])
    assert re.fullmatch("[A-Za-z0-9/]{40}", key["secret_access_key"])
    assert (key["name"], key["collections"], key["read_only"]) == ("reception", ["staff"], True)
    assert "not shown again" in created.stderr and "from now on every request" in created.stderr
    assert "from now on" not in run("keys", "create").stderr
    assert stat.S_IMODE((home / "engine-keys.db").stat().st_mode) == 0o600
    for form in ("json", "ndjson", "csv", "table"):
        listed = run("keys", "list", "-o", form).stdout
        assert key["access_key_id"] in listed and key["secret_access_key"] not in listed
        if form != "json":
            made = run("keys", "create", "-o", form).stdout
            assert re.search("[A-Za-z0-9/]{40}", made)


def test_keys_are_listed_with_what_they_may_do_and_stay_listed_when_revoked():
    assert answer("keys", "list") == {"access_keys": []}
    assert "anybody may call" in run("keys", "list", "-o", "table").stderr
    first = answer("keys", "create", "--collection", "a", "--collection", "b")
    second = answer("keys", "create", "--read-only")
    for key in (first, second):
        del key["secret_access_key"]
    assert answer("keys", "list") == {"access_keys": [first, second]}
    revoked = answer("keys", "revoke", first["access_key_id"], "--yes")
    assert revoked["revoked_at"] and revoked | {"revoked_at": None} == first
    assert answer("keys", "list") == {"access_keys": [revoked, second]}
    run("keys", "revoke", first["access_key_id"], "--yes", code=2)
    run("keys", "revoke", "AKIAUNKNOWN", "--yes", code=2)


def test_a_key_is_not_revoked_unasked():
    key = answer("keys", "create", "--name", "door")
    refused = run("keys", "revoke", key["access_key_id"], code=2)
    assert f"Access key {key['access_key_id']} (door) will be revoked" in refused.stderr
    [listed] = answer("keys", "list")["access_keys"]
    assert listed["revoked_at"] is None


@pytest.mark.parametrize(
    "arguments", [["--collection", "a b"], ["--name", "two words"], ["--name", "x" * 65]]
)
def test_what_cannot_be_a_name_is_refused(arguments, home):
    run("keys", "create", *arguments, code=2)
    assert not Path(home / "engine-keys.db").exists()
