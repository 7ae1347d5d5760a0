"""An engine behind a server that asks for signatures, for clients that are not boto3 in this process."""

import os
from types import SimpleNamespace

import pytest

from facesearch.engine.http.keys import Keys
from facesearch.engine.http.server import Server
from facesearch.engine.service import Engine
from facesearch.engine.vision.recognizer import DlibRecognizer


@pytest.fixture
def endpoint(tmp_path, vision_cache):
    """`url`, and `environment`: what a program needs to call it with a key of its own."""
    engine = Engine(tmp_path / "engine.db", lambda: DlibRecognizer.load(cache=vision_cache))
    keys = Keys.beside(tmp_path / "engine.db")
    key = keys.create("client")
    with Server(engine, keys=keys) as server:
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL_REKOGNITION": server.url,
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }
        yield SimpleNamespace(url=server.url, environment=environment)
    engine.close()


@pytest.fixture(scope="session")
def portraits(samples):
    """Two photos each of two people."""
    people = sorted(folder for folder in (samples / "people").iterdir() if folder.is_dir())[:2]
    return {person.name: sorted(person.glob("*.jpg"))[:2] for person in people}
