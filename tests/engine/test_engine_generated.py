"""Requests that Hypothesis makes out of the service model: valid ones, and each constraint broken in turn."""

import base64
import copy
import json
import math
import re
import time

import boto3
import botocore
import pytest
import urllib3
from botocore.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facesearch.engine import protocol
from facesearch.engine.operations import OPERATIONS
from facesearch.engine.transports import attach

MODEL = protocol.service_model()
BOUNDED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MISSING = object()
KEY = object()  # in a path: the key of a map, not its value
WRONG = {  # JSON values that are of none of the types that a shape takes
    "structure": ["x", 1, True, []],
    "list": ["x", 1, True, {}],
    "map": ["x", 1, True, []],
    "string": [1, 1.5, True, [], {}],
    "integer": ["1", 1.5, True, [], {}, 2**31],
    "float": ["1", True, [], {}, 10**400],
    "blob": [1, True, [], {}, "no base64!"],
}


def bounds(shape):
    return shape.metadata.get("min", 0), shape.metadata.get("max")


def pattern(shape):
    """The shape's pattern in Python's words, for ASCII."""
    text = shape.metadata.get("pattern", r"[ -~]*")
    return text.replace(r"\p{L}", "a-zA-Z").replace(r"\p{Z}", " ").replace(r"\p{N}", "0-9")


# --- valid ones


def fitted(text, least, most):
    """Text of a pattern that is made of one class of characters, brought between the bounds."""
    repeated = text * math.ceil(least / len(text)) if text and len(text) < least else text
    return repeated[:most]


def strings(shape):
    if shape.enum:
        return st.sampled_from(shape.enum)
    least, most = bounds(shape)
    drawn = st.from_regex(re.compile(pattern(shape), re.ASCII), fullmatch=True)
    return drawn.filter(lambda text: text or not least).map(lambda text: fitted(text, least, most))


def values(shape, known, whole=False):
    """Valid values of a shape. `known` are values by shape that mean something to the engine; a `whole` value has
    every optional member and no empty list. A member that is null counts as left out."""
    least, most = bounds(shape)
    kind = shape.type_name
    if kind == "structure":
        members = {name: values(member, known, whole) for name, member in shape.members.items()}
        required = {name: members.pop(name) for name in shape.required_members}
        if whole:
            return st.fixed_dictionaries(required | members)
        optional = {name: st.none() | member for name, member in members.items()}
        made = st.fixed_dictionaries(required, optional=optional)
        return st.sampled_from(known[shape.name]) | made if shape.name in known else made
    if kind == "list":
        few = {"min_size": max(least, int(whole)), "max_size": min(most or 3, 3)}
        return st.lists(values(shape.member, known, whole), **few)
    if kind == "map":
        few = {"min_size": max(least, int(whole)), "max_size": min(most or 3, 3)}
        return st.dictionaries(values(shape.key, known), values(shape.value, known), **few)
    made = {
        "string": lambda: strings(shape),
        "integer": lambda: st.integers(least, 2**31 - 1 if most is None else most),
        "float": lambda: st.floats(least, most),
        "blob": lambda: st.binary(min_size=least, max_size=64).map(
            lambda data: base64.b64encode(data).decode()
        ),
    }[kind]()
    return st.sampled_from(known[shape.name]) | made if shape.name in known else made


# --- broken ones


def broken(shape, path=()):
    """Each way to break a request: where, what stands there instead, and the code that must come of it."""
    for wrong in WRONG[shape.type_name]:
        yield path, wrong, "SerializationException"
    for wrong in outside(shape):
        yield path, wrong, "ValidationException"
    if shape.type_name == "structure":
        for name in shape.required_members:
            yield (*path, name), MISSING, "ValidationException"
        for name, member in shape.members.items():
            yield from broken(member, (*path, name))
    elif shape.type_name == "list":
        yield from broken(shape.member, (*path, 0))
    elif shape.type_name == "map":
        yield from broken(shape.value, (*path, "key"))
        yield from (((*path, KEY), wrong, "ValidationException") for wrong in outside(shape.key))


def outside(shape):
    """Values of the right type just past each bound, and of no pattern or enum."""
    least, most = bounds(shape)
    kind = shape.type_name
    lengths = [length for length in (least - 1, most and most + 1) if length is not None and length >= 0]
    if kind == "string":
        yield from ("a" * length for length in lengths)
        if "pattern" in shape.metadata:
            yield "\x01" * max(least, 3)
        if shape.enum:
            yield "NO_SUCH"
    elif kind == "blob":
        yield from (base64.b64encode(bytes(length)).decode() for length in lengths)
    elif kind == "list":
        yield from (["a"] * length for length in lengths)
    elif kind == "map":
        yield from ({f"k{n}": "a" for n in range(length)} for length in lengths)
    elif kind in ("integer", "float"):
        yield from [least - 1] if "min" in shape.metadata else []
        yield from [most + 1] if most is not None else []


def with_break(request, path, wrong):
    """The request with one value taken out or put in the place of another."""
    if not path:
        return wrong
    changed = copy.deepcopy(request)
    *way, last = path
    place = changed
    for step in way[:-1] if last in (KEY, "key") else way:
        place = place[step]
    if last is KEY:
        place[way[-1]] = {wrong: "a"}
    elif last == "key":
        place[way[-1]] = {"key": wrong}
    elif wrong is MISSING:
        del place[last]
    else:
        place[last] = wrong
    return changed


# --- asked


@pytest.fixture(params=["in-process", "http"])
def ask(request, held_engine):
    """ask(operation, request): the code of the answer, None for a result. An answer of no model fails, and so does
    a hang. `ask.share` is the part of all examples that goes this way."""

    def asked(operation, parameters):
        began = time.monotonic()
        headers = {"Content-Type": protocol.CONTENT_TYPE, "X-Amz-Target": f"RekognitionService.{operation}"}
        status, answer = sent(headers, json.dumps(parameters).encode())
        assert status < 500
        assert time.monotonic() - began < 30
        return json.loads(answer).get("__type") if status != 200 else None

    if request.param == "in-process":
        asked.share = 1.0

        def sent(headers, body):
            response = held_engine.handle(headers, body)
            return response.status, response.body

        yield asked
        return
    asked.share = 0.2
    url, engines = request.getfixturevalue("http")
    name = str(id(held_engine))
    engines[name] = held_engine
    with urllib3.PoolManager(retries=False, timeout=30) as pool:

        def sent(headers, body):
            response = pool.request("POST", url, headers={**headers, "x-engine": name}, body=body)
            return response.status, response.data

        yield asked
    del engines[name]


@pytest.fixture
def known(engine, photos):
    """What the engine holds, by the shape that names it."""
    config = Config(signature_version=botocore.UNSIGNED)
    client = attach(boto3.client("rekognition", region_name="us-east-1", config=config), engine)
    portrait = photos["grace"]
    client.create_collection(CollectionId="staff")
    arn = client.describe_collection(CollectionId="staff")["CollectionARN"]
    [record] = client.index_faces(CollectionId="staff", Image={"Bytes": portrait})["FaceRecords"]
    client.create_user(CollectionId="staff", UserId="grace")
    return {
        "CollectionId": ["staff"],
        "FaceId": [record["Face"]["FaceId"]],
        "UserId": ["grace"],
        "ResourceArn": [arn],
        "Image": [{"Bytes": base64.b64encode(portrait).decode()}],
    }


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_valid_request_is_answered_with_a_result_or_an_error_of_the_operation(ask, known, operation):
    codes = set()

    @settings(BOUNDED, max_examples=round(40 * ask.share))
    @given(values(MODEL.operation_model(operation).input_shape, known))
    def every(request):
        codes.add(ask(operation, request))
        assert not codes & {"SerializationException", "ValidationException"}

    every()
    assert None in codes or ask.share < 1


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_request_that_breaks_a_constraint_is_told_so(ask, operation):
    shape = MODEL.operation_model(operation).input_shape
    breaks = list(broken(shape))[:: round(1 / ask.share)]

    @settings(BOUNDED, max_examples=2)
    @given(values(shape, {}, whole=True))
    def every(request):
        for path, wrong, code in breaks:
            assert ask(operation, with_break(request, path, wrong)) == code, (path, str(wrong)[:60])

    every()
