"""Which engine answers: an endpoint behind a URL, and `aws` with an endpoint in AWS's place."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from facesearch.cli import main
from facesearch.engine.service import Engine
from facesearch.engine.vision.recognizer import DlibRecognizer


@pytest.fixture(scope="module")
def endpoint(vision_cache):
    """The URL of an engine that is another one than the embedded."""
    engine = Engine(None, lambda: DlibRecognizer.load(cache=vision_cache))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            answer = engine.handle(dict(self.headers), self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_):
            """Says nothing: stderr is what the tests look at."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
    engine.close()


def run(*arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    return result


def test_an_endpoint_is_named_as_it_was_given_without_its_password(endpoint):
    run("collection", "create", "staff", "--engine", endpoint)
    with_password = endpoint.replace("http://", "http://me:secret@")
    result = run("collection", "list", "--engine", with_password)
    shown = endpoint.replace("http://", "http://me:***@")
    assert result.stderr.startswith(f"engine: {shown} · records: sqlite:///")
    document = json.loads(result.stdout)
    assert document["engine"] == shown
    assert [collection["collection_id"] for collection in document["collections"]] == ["staff"]


def test_aws_is_named_with_the_account_and_region_of_the_collection(endpoint, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_REKOGNITION", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    created = run("collection", "create", "guests", "--engine", "aws")
    assert created.stderr.startswith("engine: aws · collection: guests · records: ")
    shown = run("collection", "show", "guests", "--engine", "aws")
    account = json.loads(shown.stdout)["collection"]["arn"].split(":")[4]
    assert shown.stderr.startswith(
        f"engine: aws (account {account}, us-east-1) · collection: guests · records: "
    )
    assert run("collection", "list", "--engine", "aws").stderr.startswith("engine: aws · records: ")
