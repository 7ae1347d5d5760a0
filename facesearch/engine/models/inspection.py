"""What is looked at before a file becomes a face model: that it is an ONNX network that needs nothing else, that
its input and output are what its definition says, and that it tells faces apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facesearch.engine.errors import ModelError
from facesearch.engine.models.definition import Definition, DefinitionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facesearch.engine.vision.recognizer import Recognizer

# Operators that onnxruntime brings: those of ONNX itself and its own.
_DOMAINS = frozenset({"", "ai.onnx", "com.microsoft"})
_INPUTS = {"tensor(float)": "float32", "tensor(uint8)": "uint8"}
_OWN_SCALING = frozenset({"Sub", "Mul", "Div"})
_ARCFACE_INPUT = (3, 112, 112)
_MOST_DIMENSIONS = 4096

_SAME = 1e-4  # the distance of two unit vectors that are one but for rounding
_FACES = Path(__file__).with_name("faces")  # drawn people, CC0: two photos of one and one of another


@dataclass(frozen=True, slots=True)
class Trial:
    """What a face model said of the sample faces. Distances are euclidean, of vectors of unit length."""

    dimensions: int
    seconds: float  # for one face
    same: float  # the similarity of two photos of one person
    other: float  # that of two people
    same_distance: float
    other_distance: float


def inspected(data: bytes, definition: Definition, source: object) -> Definition:
    """The definition with the dimensions that the network gives. Raises ModelError, which names `source`."""
    network = _parsed(data, source)
    _check_alone(network, source)
    found = _check_shapes(data, definition, source)
    if definition.dimensions not in (None, found):
        raise DefinitionError(
            f"{source}: dimensions is {definition.dimensions}, and the network gives {found}"
        )
    return replace(definition, dimensions=found)


def arcface(data: bytes, name: str, sha256: str, source: object) -> Definition:
    """The definition of a network that came without one: 112 x 112, as ArcFace's are used.

    One that begins with a subtraction or a multiplication scales its pixels itself, and gets 0..255. Raises
    ModelError.
    """
    network = _parsed(data, source)
    given = {tensor.name for tensor in network.graph.initializer}
    (taken, *more) = [one for one in network.graph.input if one.name not in given] or [None]
    shape = () if taken is None else tuple(one.dim_value for one in taken.type.tensor_type.shape.dim)
    if more or shape[1:] != _ARCFACE_INPUT:
        raise ModelError(
            f"{source}: not a network of ArcFace's kind, whose one input is 1 x 3 x 112 x 112: write a TOML file "
            "that says what its input and output are, and add that"
        )
    first = next((node for node in network.graph.node if taken.name in node.input), None)
    itself = first is not None and first.op_type in _OWN_SCALING
    mean, std = (0.0, 1.0) if itself else (127.5, 127.5)
    table = {"name": name, "file": Path(str(source)).name, "sha256": sha256, "licence": "not stated"}
    return Definition.parse({**table, "mean": mean, "std": std}, source)


def tried(recognizer: Recognizer) -> Trial:
    """A face model's answers for the sample faces. Raises ModelError when they make no sense."""
    import time

    import numpy as np
    from PIL import Image

    vectors: list[NDArray[np.float32]] = []
    seconds = []
    for name in ("one", "one_again", "other", "one"):
        with Image.open(_FACES / f"{name}.jpg") as opened:
            image = opened.convert("RGB")
        faces = recognizer.detect(image)
        if len(faces) != 1:
            raise ModelError(f"{len(faces)} faces were found in a sample picture that shows one")
        start = time.perf_counter()
        vectors += list(recognizer.embed(image, faces))
        seconds.append(time.perf_counter() - start)
    one, again, other, repeated = vectors
    if not all(np.isfinite(vector).all() for vector in vectors):
        raise ModelError("the network gave numbers that are none (NaN or infinity) for a sample face")
    if np.linalg.norm(one - repeated) > _SAME:
        raise ModelError("the network gave another vector the second time it saw the same face")
    same_distance, other_distance = (float(np.linalg.norm(one - vector)) for vector in (again, other))
    if other_distance <= _SAME:
        raise ModelError("the network gave the same vector for two people")
    return Trial(
        dimensions=len(one),
        seconds=min(seconds[1:]),
        same=float(recognizer.scale.similarity(same_distance)),
        other=float(recognizer.scale.similarity(other_distance)),
        same_distance=same_distance,
        other_distance=other_distance,
    )


def _parsed(data: bytes, source: object) -> Any:
    import onnx

    try:
        network = onnx.load_model_from_string(data)
    except Exception as exc:  # protobuf's own, which onnx does not name
        raise ModelError(f"{source}: not an ONNX file, or one that was cut short") from exc
    if not network.graph.node or not network.opset_import:
        raise ModelError(f"{source}: not an ONNX file with a network in it")
    return network


def _check_alone(network: Any, source: object) -> None:
    """That the network needs no other file, and no operators that are not onnxruntime's."""
    import onnx

    own = {(function.domain, function.name) for function in network.functions}
    for tensor in _tensors(network):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise ModelError(
                f"{source}: its weights lie in another file; save it whole, with onnx.save(onnx.load(FILE), NEW)"
            )
    for node in _nodes(network):
        if node.domain not in _DOMAINS and (node.domain, node.op_type) not in own:
            raise ModelError(
                f"{source}: its operator {node.domain}.{node.op_type} is none of ONNX's or onnxruntime's own"
            )


def _graphs(network: Any) -> Iterator[Any]:
    """Every graph, those within operators as well."""
    waiting = [network.graph, *network.functions]
    while waiting:
        graph = waiting.pop()
        yield graph
        for node in graph.node:
            for attribute in node.attribute:
                waiting += [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]


def _nodes(network: Any) -> Iterator[Any]:
    for graph in _graphs(network):
        yield from graph.node


def _tensors(network: Any) -> Iterator[Any]:
    for graph in _graphs(network):
        sparse = list(getattr(graph, "sparse_initializer", ()))
        yield from getattr(graph, "initializer", ())
        for node in graph.node:
            for attribute in node.attribute:
                yield from [attribute.t, *attribute.tensors]
                sparse += [attribute.sparse_tensor, *attribute.sparse_tensors]
        for tensor in sparse:
            yield from (tensor.values, tensor.indices)


def _check_shapes(data: bytes, definition: Definition, source: object) -> int:
    """That input and output are what they must be; how many numbers a vector has."""
    from facesearch.engine.vision import runtime

    try:
        session = runtime.session(data)
    except Exception as exc:  # onnxruntime's are of many kinds
        raise ModelError(f"{source}: onnxruntime cannot load it: {_line(exc)}") from exc
    taken, given = session.get_inputs(), session.get_outputs()
    if len(taken) != 1 or len(given) != 1:
        raise ModelError(
            f"{source}: a face model has one input and one output, and this network has {len(taken)} and "
            f"{len(given)}"
        )
    kind = _INPUTS.get(taken[0].type)
    if kind is None or given[0].type != "tensor(float)":
        raise ModelError(
            f"{source}: a face model takes float32 or uint8 and gives float32, and this network takes "
            f"{taken[0].type} and gives {given[0].type}"
        )
    if kind == "uint8" and (set(definition.mean), set(definition.std)) != ({0.0}, {1.0}):
        raise DefinitionError(f"{source}: the network takes whole numbers (uint8): mean must be 0 and std 1")
    width, height = definition.size
    wanted = [1, 3, height, width] if definition.layout == "NCHW" else [1, height, width, 3]
    shape = taken[0].shape
    if len(shape) != 4 or any(
        isinstance(side, int) and side != want for side, want in zip(shape, wanted, strict=True)
    ):
        raise DefinitionError(
            f"{source}: size {list(definition.size)} and layout {definition.layout} ask for an input of "
            f"{_shape(wanted)}, and the network's is {_shape(shape)}"
        )
    return _given(session, taken[0].name, wanted, kind, source)


def _given(session: Any, name: str, shape: list[int], kind: str, source: object) -> int:
    """How many numbers come out for one face; it is run, as what the file says of its output may be wrong."""
    import numpy as np

    try:
        (output,) = session.run(None, {name: np.full(shape, 100 if kind == "uint8" else 0.2, kind)})
    except Exception as exc:  # onnxruntime's are of many kinds
        raise ModelError(f"{source}: it cannot be run: {_line(exc)}") from exc
    if output.ndim != 2 or output.shape[0] != 1 or not 2 <= output.shape[1] <= _MOST_DIMENSIONS:
        raise ModelError(
            f"{source}: it gives {_shape(output.shape)} for one face, and not 1 x N, N being from 2 to "
            f"{_MOST_DIMENSIONS}"
        )
    return int(output.shape[1])


def _shape(sides: Any) -> str:
    return " x ".join(str(side) if isinstance(side, int) else "any" for side in sides) or "a single number"


def _line(exc: Exception) -> str:
    """The first line of what onnxruntime says, without the addresses in it."""
    text = " ".join(str(exc).split())
    return text if len(text) <= 300 else f"{text[:297]}..."
