"""The same faults over HTTP: of a server in this process, and of `facesearch engine serve`."""

import logging
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import boto3
import botocore
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from click.testing import CliRunner

from facesearch.cli import main
from facesearch.engine.faults import Faults
from facesearch.engine.http.server import Server
from facesearch.testing import Engines, mock_rekognition


def client_of(url, attempts=1):
    config = Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": attempts})
    return boto3.client("rekognition", endpoint_url=url, region_name="us-east-1", config=config)


def outcome(call, **arguments):
    """The code of the error that a call meets, None for a result."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    except ConnectionClosedError:
        return "lost"


@pytest.fixture
def serve():
    """Serves a fresh engine with faults: `with serve(throttle=0.1) as url`."""

    @contextmanager
    def serving(**faults):
        with Engines(Faults(**faults)) as engines, Server(engines.of("us-east-1")) as server:
            yield server.url

    return serving


def test_the_connection_of_a_lost_answer_breaks_and_its_work_is_done(serve, caplog):
    with caplog.at_level(logging.INFO), serve(lost_answers=0.5, seed=6) as url:
        client = client_of(url)
        assert outcome(client.create_collection, CollectionId="staff") == "lost"
        assert outcome(client.create_collection, CollectionId="staff") == "ResourceAlreadyExistsException"
        with urllib.request.urlopen(f"{url}/metrics") as metrics:
            assert 'code="AnswerLost",operation="CreateCollection"} 1.0' in metrics.read().decode()
    lines = [record.fields["error"] for record in caplog.records if record.message == "request"]
    assert lines[:2] == ["AnswerLost", "ResourceAlreadyExistsException"]
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


def test_boto3_gets_through_faults_over_http(serve, waits):
    with serve(
        throttle=0.2, errors={"CreateCollection": {"InternalServerError": 0.2}}, lost_answers=0.1
    ) as url:
        client = client_of(url, attempts=10)
        for number in range(20):
            assert outcome(client.create_collection, CollectionId=f"c{number}") in (
                None,
                "ResourceAlreadyExistsException",  # of the second try, when the answer to the first was lost
            )
        assert len(client.list_collections()["CollectionIds"]) == 20
    assert waits


def test_faults_over_http_are_those_of_the_same_seed_in_process(serve):
    faults = {
        "throttle": 0.2,
        "errors": {"ListCollections": {"AccessDeniedException": 0.2}},
        "lost_answers": 0.2,
    }

    def of(client):
        return [outcome(client.list_collections) for _ in range(40)]

    with serve(seed=7, **faults) as url:
        over_http = of(client_of(url))
    with mock_rekognition(seed=7, **faults):
        assert of(client_of("http://127.0.0.1:9")) == over_http
    assert set(over_http) >= {None, "lost", "AccessDeniedException", "ThrottlingException"}


# --- facesearch engine serve


def test_the_server_program_says_its_faults_and_has_them(tmp_path):
    command = [
        sys.executable,
        "-m",
        "facesearch",
        "engine",
        "serve",
        "--port",
        "0",
        "--data",
        tmp_path / "engine.db",
    ]
    faults = [
        "--error",
        "ListCollections=AccessDeniedException",
        "--error",
        "IndexFaces=InternalServerError:0.2",
        "--latency",
        "0.01-0.02",
        "--fault-seed",
        "7",
    ]
    with subprocess.Popen([*command, *faults], stderr=subprocess.PIPE, text=True) as program:
        try:
            url = program.stderr.readline().split()[1]
            program.stderr.readline()
            line = program.stderr.readline()
            assert (
                line
                == f"calls fail on purpose: errors {faults[1]} {faults[3]} · latency 0.01-0.02 · seed 7\n"
            )
            client = client_of(url)
            assert outcome(client.create_collection, CollectionId="staff") is None
            assert outcome(client.list_collections) == "AccessDeniedException"
        finally:
            program.terminate()
    assert program.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--throttle", "2"], "--throttle"),
        (["--throttle", "nan"], "throttle is a probability"),
        (["--error", "IndexFace=InternalServerError"], "did you mean IndexFaces"),
        (["--error", "IndexFaces"], "OPERATION=CODE"),
        (["--latency", "slow"], "'slow' is no number"),
    ],
)
def test_the_server_program_refuses_faults_that_cannot_be(arguments, complaint):
    result = CliRunner().invoke(main, ["engine", "serve", "--port", "0", *arguments])
    assert result.exit_code == 2
    assert complaint in result.stderr
