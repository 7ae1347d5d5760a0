"""Small networks for tests: random convolutions, which tell drawn faces apart, and ones with something wrong."""

import hashlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# What such a network's distances mean, from the sample faces: two photos of one person .3, two people .9.
SIMILARITY = [[0.4, 95], [0.7, 50]]


def network(dimensions=96, size=112, layout="NCHW", kind=TensorProto.FLOAT, seed=0, tail=(), batch=1):
    """An ONNX network: two random convolutions and a random projection. `tail` are more operators at its end."""
    rng = np.random.default_rng(seed)
    constants = {
        "first": rng.normal(size=(16, 3, 7, 7)) / 12,
        "second": rng.normal(size=(24, 16, 5, 5)) / 20,
    }
    side = (size - 7) // 4 + 1
    side = (side - 5) // 2 + 1
    constants["projection"] = rng.normal(size=(24 * side * side, dimensions)) / 10
    nodes, last = [], "face"

    def then(operator, *more, **attributes):
        nonlocal last
        nodes.append(helper.make_node(operator, [last, *more], [f"x{len(nodes)}"], **attributes))
        last = nodes[-1].output[0]

    if kind == TensorProto.UINT8:
        then("Cast", to=TensorProto.FLOAT)
    if layout == "NHWC":
        then("Transpose", perm=[0, 3, 1, 2])
    then("Conv", "first", strides=[4, 4])
    then("Relu")
    then("Conv", "second", strides=[2, 2])
    then("Relu")
    then("Flatten")
    then("MatMul", "projection")
    for operator in tail:
        then(operator)
    shape = [batch, 3, size, size] if layout == "NCHW" else [batch, size, size, 3]
    return _model(nodes, {"face": (kind, shape)}, {last: (TensorProto.FLOAT, [batch, dimensions])}, constants)


def scaling_itself():
    """One that subtracts 127.5 and divides by 128 by itself."""
    model = onnx.load_model_from_string(network())
    graph = model.graph
    graph.node[0].input[0] = "scaled"
    constants = {"mean": np.float32(127.5), "factor": np.float32(1 / 128)}
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    graph.node.insert(0, helper.make_node("Mul", ["shifted", "factor"], ["scaled"]))
    graph.node.insert(0, helper.make_node("Sub", ["face", "mean"], ["shifted"]))
    return model.SerializeToString()


def with_operator(domain, operator):
    """One whose last operator is another library's."""
    model = onnx.load_model_from_string(network())
    model.graph.node[-1].domain, model.graph.node[-1].op_type = domain, operator
    model.opset_import.append(helper.make_opsetid(domain, 1))
    return model.SerializeToString()


def with_weights_elsewhere(path="/etc/passwd"):
    """One that says that its weights are in another file."""
    model = onnx.load_model_from_string(network())
    tensor = model.graph.initializer[-1]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=path)
    return model.SerializeToString()


def with_hidden_weights_elsewhere():
    """The same within a branch of a branch."""
    weights = onnx.load_model_from_string(with_weights_elsewhere()).graph.initializer[-1]
    node = helper.make_node("Constant", [], ["value"], value=weights)
    for _ in range(2):
        branch = helper.make_graph([node], "branch", [], [helper.make_tensor_value_info("value", 1, None)])
        node = helper.make_node("If", ["yes"], ["value"], then_branch=branch, else_branch=branch)
    model = onnx.load_model_from_string(network())
    model.graph.node.append(node)
    return model.SerializeToString()


def constant():
    """One that says the same of every face."""
    vector = numpy_helper.from_array(np.ones((1, 8), np.float32))
    nodes = [
        helper.make_node("Constant", [], ["ones"], value=vector),
        helper.make_node("ReduceMean", ["face"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["ones", "nothing"], ["vector"]),
    ]
    inputs = {"face": (TensorProto.FLOAT, [1, 3, 112, 112])}
    return _model(nodes, inputs, {"vector": (TensorProto.FLOAT, [1, 8])}, {"zero": np.zeros(())})


def two_inputs():
    """One that wants to know more than a face."""
    model = onnx.load_model_from_string(network())
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1, 96]))
    model.graph.node.append(helper.make_node("Add", [model.graph.output[0].name, "more"], ["sum"]))
    model.graph.output[0].name = "sum"
    return model.SerializeToString()


def image_out():
    """One that gives a picture instead of a vector."""
    nodes = [helper.make_node("Relu", ["face"], ["picture"])]
    shape = [1, 3, 112, 112]
    floats = TensorProto.FLOAT
    return _model(nodes, {"face": (floats, shape)}, {"picture": (floats, shape)}, {})


def defined(folder, data, name="random", **keys):
    """A TOML file in a folder, with the network beside it; a key of None is left out."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(data)
    table = {
        "name": name,
        "file": f"{name}.onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "licence": "CC0-1.0",
        "metric": "euclidean",
        "similarity": SIMILARITY,
        **keys,
    }
    path = folder / f"{name}.toml"
    lines = [f"{key} = {_toml(value)}" for key, value in table.items() if value is not None]
    path.write_text("\n".join(lines) + "\n")
    return path


def _toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')


def _model(nodes, inputs, outputs, constants):
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in outputs.items()],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()],
    )
    opset = helper.make_operatorsetid("", 17)
    return helper.make_model(graph, ir_version=8, opset_imports=[opset]).SerializeToString()
