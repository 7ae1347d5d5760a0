"""8-bit networks compute what is written in them, on every processor."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from facesearch.engine.vision import networks, streams, weights
from facesearch.engine.vision.runtime import Network

NETWORKS = {
    "detector": (networks.detector, weights.DETECTOR, (1, 60, 70, 12)),
    "descriptor": (networks.descriptor, weights.DESCRIPTOR, (2, 150, 150, 3)),
}


@pytest.fixture(scope="module", params=NETWORKS)
def network(request):
    """An 8-bit network, and the shape of an input to it."""
    build, file, shape = NETWORKS[request.param]
    return build(streams.layers(weights.read(file)), int8=True), shape


def as_written(model, pixels):
    """The output by float32 arithmetic on the 8-bit numbers, one operator after the other."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: pixels})[0]


@pytest.mark.parametrize("kind", ["white", "hard noise", "stripes"])
def test_no_sum_of_products_overflows_on_the_most_glaring_images(network, kind):
    model, shape = network
    pixels = np.full(shape, 255, np.uint8)
    if kind == "hard noise":
        pixels = np.random.default_rng(0).integers(0, 2, shape, np.uint8) * 255
    elif kind == "stripes":
        pixels[:, ::3] = 0
    expected = as_written(model, pixels)
    off = np.abs(Network(model)(pixels) - expected)
    assert off.max() < 0.05 * np.abs(expected).max()


def test_two_neighbouring_weights_never_add_up_to_more_than_sixteen_bits_hold(network):
    model, _ = network
    kernels = [
        numpy_helper.to_array(constant)
        for constant in onnx.load_from_string(model).graph.initializer
        if constant.data_type == onnx.TensorProto.INT8
    ]
    assert len(kernels) > 5
    for kernel in kernels:
        in_order = np.abs(kernel.astype(int)).transpose(0, 2, 3, 1).reshape(len(kernel), -1)
        together = in_order[:, :-1] + in_order[:, 1:]
        assert together.max() * 255 < 2**15
        assert together.max() > 120  # and the eight bits are used
