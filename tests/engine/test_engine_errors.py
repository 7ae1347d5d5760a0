"""Whatever is asked, the answer is a result or an error that the service model lists for the operation."""

import ast
import base64
import json
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import facesearch.engine
from facesearch.engine import protocol
from facesearch.engine.errors import FRAMEWORK_CODES
from facesearch.engine.operations import OPERATIONS

ENGINE = Path(facesearch.engine.__file__).parent


def behind_the_operations():
    """The operations' own files and all that they import of the engine (vision apart), as syntax trees."""
    trees, waiting = {}, sorted(ENGINE.glob("operations/*.py"))
    while waiting:
        path = waiting.pop()
        if path in trees or "vision" in path.parts:
            continue
        trees[path] = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(trees[path]):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("facesearch.engine"):
                module = ENGINE.joinpath(*node.module.split(".")[2:])
                places = [module.with_suffix(".py"), *(module / f"{name.name}.py" for name in node.names)]
                waiting += [place for place in places if place.exists()]
    return trees.values()


def reach():
    """For each function of the engine (vision apart): the codes it raises itself, and the names it calls."""
    codes, calls = defaultdict(set), defaultdict(set)
    for tree in behind_the_operations():
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if not isinstance(node, ast.Call):
                    continue
                if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
                    continue  # a method of what another call gave: bytes.decode and the like
                name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
                if name == "RekognitionError" and isinstance(node.args[0], ast.Constant):
                    codes[function.name].add(node.args[0].value)
                elif name:
                    calls[function.name].add(name)
    return codes, calls


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_error_that_an_operation_can_reach_is_one_that_the_model_lists_for_it(operation):
    codes, calls = reach()
    seen, waiting, reached = set(), [OPERATIONS[operation].__name__], set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            reached |= codes[name]
            waiting.extend(calls[name])
    modelled = {shape.name for shape in protocol.service_model().operation_model(operation).error_shapes}
    assert "ThrottlingException" in reached or operation in ("DetectFaces", "DetectLabels", "CompareFaces")
    assert reached <= modelled


def test_every_code_is_one_of_rekognition_or_of_the_framework():
    codes = set().union(*reach()[0].values())
    known = {shape.name for shape in protocol.service_model().error_shapes}
    assert codes <= known | FRAMEWORK_CODES
    assert len(codes) > 10


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def likely(shape):
    """Values that often fit a shape, and often nearly do."""
    kind = shape.type_name
    if kind == "structure":
        return st.fixed_dictionaries(
            {}, optional={name: near(member) for name, member in shape.members.items()}
        )
    if kind == "list":
        return st.lists(near(shape.member) | st.none(), max_size=3)
    if kind == "map":
        return st.dictionaries(st.text(max_size=8), near(shape.value) | st.none(), max_size=3)
    if kind == "blob":
        return st.binary(max_size=40).map(lambda data: base64.b64encode(data).decode())
    if kind == "string":
        names = st.sampled_from(["staff", "nowhere", "", "0b8f2c9e-4d2a-5b7e-9c1d-3e5f7a9b1c2d"])
        return st.sampled_from(shape.enum) if shape.enum else names
    return st.integers(-2, 5000) | st.floats(-1, 101)


def near(shape):
    return st.one_of(likely(shape), likely(shape), likely(shape), anything)


def requests():
    model = protocol.service_model()
    return st.one_of(
        *[
            st.tuples(st.just(name), near(model.operation_model(name).input_shape))
            for name in OPERATIONS
            if name != "DeleteCollection"
        ]
    )


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(request=requests())
def test_no_request_brings_out_a_fault_or_an_error_beside_the_model(engine, request):
    operation, parameters = request
    ask = {"X-Amz-Target": f"RekognitionService.{operation}", "Content-Type": protocol.CONTENT_TYPE}
    response = engine.handle(ask, json.dumps(parameters).encode())
    answer = json.loads(response.body)
    if response.status != 200:
        model = protocol.service_model().operation_model(operation)
        assert answer["__type"] in {shape.name for shape in model.error_shapes} | FRAMEWORK_CODES
        assert answer["__type"] != "InternalServerError"
        assert answer.get("Message") or answer.get("message")
