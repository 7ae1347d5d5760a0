"""The server as HTTP sees it: doors, limits, load, hosts, TLS, and how it stops."""

import http.client
import json
import logging
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import boto3
import botocore
import pytest
import urllib3
from botocore.config import Config

from facesearch.engine.http import access_log, server
from facesearch.engine.http.application import Limits
from facesearch.engine.http.hosts import Hosts
from facesearch.engine.http.server import Certificate, Server, listen

LIST = {"X-Amz-Target": "RekognitionService.ListCollections", "Content-Type": "application/x-amz-json-1.1"}


class Held:
    """An engine whose answers are held back until they are released."""

    def __init__(self, engine):
        self.arn, self.totals = engine.arn, engine.totals
        self._engine = engine
        self.busy = threading.Semaphore(0)
        self.release = threading.Event()

    def handle(self, *arguments):
        self.busy.release()
        assert self.release.wait(30)
        return self._engine.handle(*arguments)


@pytest.fixture
def held(engine):
    held = Held(engine)
    yield held
    held.release.set()


def client_of(url, **arguments):
    config = Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1})
    return boto3.client("rekognition", endpoint_url=url, region_name="us-east-1", config=config, **arguments)


def ask(url, method="POST", path="/", headers=None, body=None):
    """Status, headers and decoded answer."""
    answer = urllib3.request(method, url + path, headers=headers or LIST, body=body, retries=False)
    assert answer.headers["x-amzn-requestid"]
    return answer.status, answer.headers, answer.json() if answer.data else None


def connected(url):
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def received(connection):
    """Everything until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


# --- doors


def test_a_client_works_over_http_as_it_does_without(engine_server, photos):
    client = client_of(engine_server().url)
    client.create_collection(CollectionId="staff")
    [record] = client.index_faces(CollectionId="staff", Image={"Bytes": photos["grace"]})["FaceRecords"]
    found = client.search_faces_by_image(CollectionId="staff", Image={"Bytes": photos["grace again"]})
    assert [match["Face"]["FaceId"] for match in found["FaceMatches"]] == [record["Face"]["FaceId"]]
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_collection(CollectionId="visitors")


@pytest.mark.parametrize("path", ["/nothing", "/health/", "//", "/?" + "x" * 10])
def test_a_path_that_is_no_door_is_not_found(engine_server, path):
    status, _, answer = ask(engine_server().url, path=path)
    if path.startswith("/?"):
        assert status == 200
    else:
        assert (status, answer["__type"]) == (404, "UnknownOperationException")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/", "POST"),
        ("PUT", "/", "POST"),
        ("POST", "/health", "GET, HEAD"),
        ("DELETE", "/metrics", "GET, HEAD"),
    ],
)
def test_a_method_that_a_door_does_not_take_is_told_which_it_does(engine_server, method, path, allowed):
    status, headers, answer = ask(engine_server().url, method, path)
    assert (status, answer["__type"]) == (405, "UnknownOperationException")
    assert ", ".join(sorted(headers["allow"].split(", "))) == allowed


def test_heads_have_no_body(engine_server):
    url = engine_server().url
    assert ask(url, "HEAD", "/health")[::2] == (200, None)
    assert ask(url, "HEAD", "/")[::2] == (405, None)


def test_health_follows_the_store(engine_server, engine, caplog):
    url = engine_server().url
    assert ask(url, "GET", "/health")[::2] == (200, {"status": "ok"})
    engine.close()
    assert ask(url, "GET", "/health")[::2] == (503, {"status": "unavailable"})
    caplog.clear()


def test_one_connection_carries_many_requests(engine_server):
    parts = urlsplit(engine_server().url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    sockets = set()
    for body in (b"{}", b"", b"{", b"{}"):
        connection.request("POST", "/", body, LIST)
        answer = connection.getresponse()
        assert answer.status == (400 if body == b"{" else 200)
        assert answer.read()
        sockets.add(connection.sock)
    assert len(sockets) == 1 and None not in sockets
    connection.close()


# --- limits


def test_a_body_that_says_it_is_too_large_is_refused_unread(engine_server, caplog):
    url = engine_server(limits=Limits(body=1000)).url
    status, _, answer = ask(url, body=b"{" + b" " * 5_000_000 + b"}")
    assert (status, answer["__type"]) == (413, "RequestEntityTooLargeException")
    assert ask(url, body=b"{" + b" " * 998 + b"}")[0] == 200


def test_a_body_that_turns_out_too_large_is_refused_when_it_is(engine_server):
    url = engine_server(limits=Limits(body=1000)).url

    def chunks():
        for _ in range(100):
            yield b" " * 1000

    status, _, answer = ask(url, body=chunks())
    assert (status, answer["__type"]) == (413, "RequestEntityTooLargeException")


def test_a_body_that_does_not_come_is_not_waited_for(engine_server):
    url = engine_server(limits=Limits(seconds=0.2)).url
    with connected(url) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"RequestTimeoutException" in answer and b"connection: close" in answer.lower()


@pytest.mark.parametrize(
    "start",
    [b"", b"POST / HTTP/1.1\r\nHost: local", b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /heal"],
)
def test_headers_that_do_not_come_are_not_waited_for(engine_server, monkeypatch, start):
    monkeypatch.setattr(server, "_GRACE_SECONDS", 0.1)
    url = engine_server(limits=Limits(seconds=0.2)).url
    with connected(url) as connection:
        connection.sendall(start)
        began = time.monotonic()
        received_bytes = received_until_reset(connection)
        assert time.monotonic() - began < 10
    assert received_bytes.startswith(b"HTTP/1.1 200 ") == start.startswith(b"GET")


def received_until_reset(connection):
    try:
        return received(connection)
    except ConnectionResetError:
        return b""


def test_the_rest_of_a_refused_body_is_not_taken_for_ever(engine_server, monkeypatch):
    monkeypatch.setattr(server, "_GRACE_SECONDS", 0.1)
    url = engine_server(limits=Limits(body=10, seconds=0.2)).url
    with connected(url) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
        assert received_until_reset(connection).count(b"HTTP/1.1") == 0


def test_a_client_that_goes_away_while_sending_leaves_its_place(engine_server, caplog):
    caplog.set_level(logging.INFO)
    url = engine_server(limits=Limits(concurrency=1)).url
    for _ in range(20):  # more than there are places
        with connected(url) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    deadline = time.monotonic() + 30
    while ask(url)[0] != 200:
        assert time.monotonic() < deadline
    lines = [record.fields for record in caplog.records if record.name == access_log.__name__]
    gone = [line["error"] for line in lines if line["status"] == 499]
    assert len(gone) >= 5 and set(gone) == {"ClientDisconnected"}


def test_connections_past_the_most_are_closed(engine_server, monkeypatch):
    monkeypatch.setattr(server, "_MAX_CONNECTIONS", 2)
    url = engine_server().url
    with connected(url) as first, connected(url) as second, connected(url) as third:
        assert received_until_reset(third) == b""
        for connection in (first, second):
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_what_is_no_http_is_refused_in_a_line(engine_server):
    with connected(engine_server().url) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00" * 10 + b"\r\n\r\n")
        assert received_until_reset(connection).startswith(b"HTTP/1.1 400 ")


# --- load


def test_more_requests_than_there_are_places_are_told_to_slow_down_at_once(held, engine_server):
    limits = Limits(concurrency=2)
    url = engine_server(held, limits=limits).url
    many = 4 * limits.places
    outcomes = []
    throttled = threading.Semaphore(0)

    def call():
        client = client_of(url)
        try:
            client.list_collections()
            outcomes.append("OK")
        except client.exceptions.ThrottlingException as error:
            assert "Slow down" in str(error)
            outcomes.append("throttled")
            throttled.release()

    with ThreadPoolExecutor(many) as pool:
        calls = [pool.submit(call) for _ in range(many)]
        for _ in range(many - limits.places):
            assert throttled.acquire(timeout=30)
        assert "OK" not in outcomes
        held.release.set()
    for finished in calls:
        finished.result()
    assert outcomes.count("OK") == limits.places
    assert client_of(url).list_collections()["CollectionIds"] == []


def test_no_more_is_worked_on_at_once_than_allowed(held, engine_server):
    url = engine_server(held, limits=Limits(concurrency=2)).url
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(ask, url) for _ in range(6)]
        assert held.busy.acquire(timeout=30) and held.busy.acquire(timeout=30)
        assert ask(url, "GET", "/health")[0] == 200
        assert not held.busy.acquire(blocking=False)
        held.release.set()
        assert [call.result()[0] for call in calls] == [200] * 6


# --- stopping


def test_what_is_under_way_when_the_server_stops_is_answered(held):
    with Server(held) as running, ThreadPoolExecutor(2) as pool:
        call = pool.submit(ask, running.url)
        assert held.busy.acquire(timeout=30)
        running.stop()
        wait_until_closed(running.url)
        assert not call.done()
        held.release.set()
        assert call.result()[0] == 200
        running.join()


def test_in_a_hurry_it_is_left_without_an_answer(held):
    with Server(held) as running, ThreadPoolExecutor(1) as pool:
        call = pool.submit(ask, running.url)
        assert held.busy.acquire(timeout=30)
        running.stop()
        running.stop(hurry=True)
        assert isinstance(call.exception(), urllib3.exceptions.HTTPError)
        held.release.set()
        running.join()


def wait_until_closed(url):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            connected(url).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.02)  # a flood of connections would keep the server from its end
    raise AssertionError("still open")


def test_a_faulty_engine_is_a_fault_in_the_answer_and_a_traceback_in_the_log(engine_server, engine, caplog):
    class Faulty(Held):
        def handle(self, *_):
            raise ZeroDivisionError("secret")

    status, headers, answer = ask(engine_server(Faulty(engine)).url)
    assert (status, answer["__type"]) == (500, "InternalServerError")
    assert "secret" not in json.dumps(answer)
    assert headers["x-amzn-requestid"] in caplog.text and "ZeroDivisionError" in caplog.text
    caplog.clear()


# --- hosts


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:9000", "10.0.0.1", "127.0.0.1@evil", "", "[::1", "a b"]
)
def test_a_page_that_points_its_name_at_this_machine_is_not_answered(engine_server, host):
    status, _, answer = ask(engine_server().url, headers={**LIST, "Host": host})
    assert (status, answer["__type"]) == (403, "AccessDeniedException")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.:1", "127.0.0.1:9000", "[::1]:9000", "127.9.9.9", "a.test"]
)
def test_names_and_addresses_of_this_machine_are_answered(engine_server, host):
    assert ask(engine_server(names=["A.test"]).url, headers={**LIST, "Host": host})[0] == 200


def test_where_others_can_reach_it_the_server_has_any_address_and_its_own_names():
    hosts = Hosts("0.0.0.0", ["faces.example.org"])
    for host in ("10.0.0.1", "10.0.0.1:9000", "[2001:db8::1]", "localhost", "faces.example.org:443"):
        assert host in hosts
    assert "evil.example" not in hosts
    assert "10.0.0.1" not in Hosts("::1")


# --- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    files = ["-keyout", made.keyfile, "-out", made.certfile]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2", *curve, *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    return made


def test_https_with_a_certificate(engine_server, certificate):
    url = engine_server(certificate=certificate).url
    assert url.startswith("https://127.0.0.1:")
    assert client_of(url, verify=str(certificate.certfile)).list_collections()["CollectionIds"] == []
    with pytest.raises(botocore.exceptions.SSLError):
        client_of(url).list_collections()


def test_a_certificate_that_is_none_is_refused_before_anything_is_served(engine, tmp_path):
    (tmp_path / "cert.pem").write_text("none")
    with pytest.raises(OSError):
        Server(engine, certificate=Certificate(tmp_path / "cert.pem"))


# --- addresses


def test_the_url_says_where_the_server_is(engine_server):
    assert ask(engine_server(listener=listen("localhost")).url)[0] == 200
    listener = listen("::1")
    assert engine_server(listener=listener).url == f"http://[::1]:{listener.getsockname()[1]}"


def test_a_server_that_is_stopped_before_it_has_started_lets_go_of_its_port(engine_server):
    listener = listen()
    engine_server(listener=listener).__exit__()
    assert listener.fileno() == -1


def test_two_servers_do_not_listen_on_one_port(engine_server):
    port = urlsplit(engine_server().url).port
    with pytest.raises(OSError):
        listen(port=port)
