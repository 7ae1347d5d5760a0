"""A real boto3 client whose requests the engine answers; every answer is held against botocore's service model."""

import contextlib
import io
import json
import logging
import re
from pathlib import Path

import boto3
import botocore
import pytest
from botocore.config import Config
from PIL import Image, ImageEnhance

from facesearch.engine import protocol
from facesearch.engine.errors import FRAMEWORK_CODES
from facesearch.engine.http.server import Server
from facesearch.engine.service import Engine
from facesearch.engine.transports import attach

# What an answer always holds, though the model requires no member of any.
ALWAYS = {
    "AssociateFaces": {"AssociatedFaces", "UnsuccessfulFaceAssociations", "UserStatus"},
    "CreateUser": set(),
    "DeleteUser": set(),
    "DetectLabels": {"Labels", "LabelModelVersion"},
    "DisassociateFaces": {"DisassociatedFaces", "UnsuccessfulFaceDisassociations", "UserStatus"},
    "ListTagsForResource": {"Tags"},
    "ListUsers": {"Users"},
    "SearchUsers": {"UserMatches", "FaceModelVersion"},
    "SearchUsersByImage": {"UserMatches", "FaceModelVersion", "UnsearchedFaces"},
    "TagResource": set(),
    "UntagResource": set(),
    "CompareFaces": {"SourceImageFace", "FaceMatches", "UnmatchedFaces"},
    "CreateCollection": {"StatusCode", "CollectionArn", "FaceModelVersion"},
    "DeleteCollection": {"StatusCode"},
    "DeleteFaces": {"DeletedFaces", "UnsuccessfulFaceDeletions"},
    "DescribeCollection": {
        "FaceCount",
        "UserCount",
        "FaceModelVersion",
        "CollectionARN",
        "CreationTimestamp",
    },
    "DetectFaces": {"FaceDetails"},
    "IndexFaces": {"FaceRecords", "UnindexedFaces", "FaceModelVersion"},
    "ListCollections": {"CollectionIds", "FaceModelVersions"},
    "ListFaces": {"Faces", "FaceModelVersion"},
    "SearchFaces": {"SearchedFaceId", "FaceMatches", "FaceModelVersion"},
    "SearchFacesByImage": {
        "SearchedFaceBoundingBox",
        "SearchedFaceConfidence",
        "FaceMatches",
        "FaceModelVersion",
    },
}


def hold_against(shape, value, path="answer"):
    """Fail unless a JSON value is what the shape says: known members, types, bounds, patterns and enums."""
    kind = shape.type_name
    if kind == "structure":
        assert isinstance(value, dict) and value.keys() <= shape.members.keys(), path
        assert value.keys() >= set(shape.required_members), path
        for name, member in value.items():
            hold_against(shape.members[name], member, f"{path}.{name}")
    elif kind == "list":
        assert isinstance(value, list), path
        assert len(value) <= shape.metadata.get("max", len(value)), path
        for position, item in enumerate(value):
            hold_against(shape.member, item, f"{path}[{position}]")
    elif kind == "map":
        assert isinstance(value, dict), path
        assert len(value) <= shape.metadata.get("max", len(value)), path
        for key, item in value.items():
            assert isinstance(key, str) and 0 < len(key) <= shape.key.metadata["max"], path
            hold_against(shape.value, item, f"{path}.{key}")
    elif kind == "string":
        assert isinstance(value, str), path
        assert not shape.enum or value in shape.enum, path
        assert len(value) <= shape.metadata.get("max", len(value)), path
        pattern = shape.metadata.get("pattern")
        assert pattern is None or r"\p" in pattern or re.fullmatch(pattern, value), path
    else:
        types = {
            "float": (int, float),
            "timestamp": (int, float),
            "integer": int,
            "long": int,
            "boolean": bool,
        }
        assert isinstance(value, types[kind]) and isinstance(value, bool) == (kind == "boolean"), path
        assert shape.metadata.get("min", value) <= value <= shape.metadata.get("max", value), path


class HeldEngine:
    """An engine whose every answer is held against the service model on its way to the client."""

    def __init__(self, engine):
        self.engine = engine

    def handle(self, headers, body):
        response = self.engine.handle(headers, body)
        operation = {name.lower(): value for name, value in headers.items()}["x-amz-target"].partition(".")[2]
        model = protocol.service_model().operation_model(operation)
        answer = json.loads(response.body)
        assert response.headers["x-amzn-RequestId"]
        if response.status == 200:
            hold_against(model.output_shape, answer)
            assert answer.keys() >= ALWAYS[operation]
        else:
            modelled = {shape.name for shape in model.error_shapes}
            assert answer["__type"] in modelled | FRAMEWORK_CODES
            assert answer["__type"] != "InternalServerError"
        return response


class ManyEngines:
    """Engines behind one server: each request names the one that it is for."""

    HEADER = "x-engine"

    def __init__(self):
        self.engines = {}

    def handle(self, headers, body, *_):
        return self.engines[headers[self.HEADER]].handle(headers, body)

    def arn(self, collection_id):
        raise NotImplementedError("nobody's rights are looked at here")

    def totals(self):
        return len(self.engines), 0, 0


@pytest.fixture(scope="session")
def http():
    """A server for the whole run, and the engines behind it."""
    engines = ManyEngines()
    with Server(engines) as server:
        yield server.url, engines.engines


def client_of(url):
    """A boto3 client that needs no credentials and tries each call once."""
    config = Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1})
    return boto3.client("rekognition", region_name="us-east-1", endpoint_url=url, config=config)


@pytest.fixture(params=["in-process", "http"])
def connect(request):
    """Connects a client to an engine, connect(engine): without a socket, and over HTTP."""
    if request.param == "in-process":
        yield lambda engine: attach(client_of("http://embedded.invalid"), HeldEngine(engine))
        return
    url, engines = request.getfixturevalue("http")
    clients = []

    def connected(engine):
        name = str(id(engine))
        engines[name] = HeldEngine(engine)
        client = client_of(url)
        client.meta.events.register(
            "before-call.rekognition",
            lambda params, **_: params["headers"].update({ManyEngines.HEADER: name}),
        )
        clients.append(client)
        return client

    yield connected
    for client in clients:
        client.close()
    engines.clear()


@pytest.fixture(autouse=True)
def no_fault_of_our_own(caplog):
    """A traceback in the engine's log is a bug, whatever a test looks at; one that wants it clears the log."""
    yield
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.fixture(scope="session")
def recognizer(vision_cache):
    """The real networks, loaded once."""
    from facesearch.engine.vision.recognizer import DlibRecognizer

    return DlibRecognizer.load(cache=vision_cache)


@pytest.fixture
def new_engine(recognizer):
    """Makes engines over a file (or memory) that share the loaded networks, and closes them at the end."""
    made = []

    def make(store=None, factory=lambda: recognizer, **more):
        made.append(Engine(store, factory, **more))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


@pytest.fixture
def engine(new_engine, tmp_path):
    return new_engine(tmp_path / "engine.db")


@pytest.fixture
def held_engine(engine):
    """The engine itself, for requests that no client makes; its answers are held against the model as well."""
    return HeldEngine(engine)


@pytest.fixture
def client(engine, connect):
    return connect(engine)


@pytest.fixture
def engine_server(engine):
    """Starts HTTP servers, engine_server(engine, **arguments of Server), and stops them at the end."""
    with contextlib.ExitStack() as running:
        yield lambda engine=engine, **arguments: running.enter_context(Server(engine, **arguments))


PORTRAITS = Path(__file__).parent / "vision" / "data"


def jpeg(image, **options):
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", **{"quality": 92, **options})
    return buffer.getvalue()


@pytest.fixture(scope="session")
def eileen():
    """Eileen Collins (NASA, public domain): one face in the upper middle."""
    with Image.open(PORTRAITS / "collins.png") as image:
        return image.convert("RGB")


@pytest.fixture(scope="session")
def grace():
    """Grace Hopper (US Navy, public domain): one face in the middle."""
    with Image.open(PORTRAITS / "hopper.png") as image:
        return image.convert("RGB")


@pytest.fixture(scope="session")
def photos(eileen, grace):
    """JPEGs by name: two of each woman, one of both (Grace the larger, at the left), and one of nobody."""
    both = Image.new("RGB", (640, 320), (120, 130, 140))
    both.paste(grace, (5, 10))
    both.paste(eileen, (310, 20))
    nobody = Image.linear_gradient("L").resize((240, 240))
    return {
        "eileen": jpeg(eileen),
        "eileen again": jpeg(ImageEnhance.Brightness(eileen.resize((250, 250))).enhance(0.85)),
        "grace": jpeg(grace),
        "grace again": jpeg(ImageEnhance.Contrast(grace.resize((240, 240))).enhance(0.9)),
        "both": jpeg(both),
        "nobody": jpeg(nobody),
    }
