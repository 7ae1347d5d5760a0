"""dlib's two networks as ONNX graphs, built from the published weights.

Both take uint8 pixels, and both exist as the exact float32 original and with 8-bit convolutions. What is linear
between two convolutions (mean, scale, batch normalisation) is folded into their weights, which is exact: the first
layer of each network has no padding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from facesearch.engine.vision.graphs import Graph
from facesearch.engine.vision.streams import Affine, Convolution, Layer, Projection

MEAN_COLOUR = (122.782, 117.001, 104.298)  # both networks were trained on (rgb - mean) / 256
_Scales = tuple[float | None, float | None, int]  # of the input; of the output, with its zero point
_EXACT: _Scales = (None, None, 0)


# What an activation is multiplied with to be held in 8 bits, by convolution: the scale of its input and, for the
# second convolution of a block, scale and zero point of its output. Measured on 200 photos of Labelled Faces in
# the Wild. Descriptors then lie .036 from those of float32, at a length of 1.4; .037 changed no recognition rate.
_DESCRIPTOR_SCALES: tuple[_Scales, ...] = (
    (1, 0.0648411, 110),
    (0.0369439, 0.0880409, 144),
    (0.0383863, 0.0583355, 147),
    (0.0420777, 0.0638426, 151),
    (0.0261375, 0.0857065, 125),
    (0.06142, 0.0635833, 105),
    (0.0374782, 0.0980261, 109),
    (0.0833062, 0.0645213, 97),
    (0.0400842, 0.0635784, 96),
    (0.0548132, 0.0490389, 118),
    (0.02639, 0.0525237, 107),
    (0.0589705, 0.0447606, 122),
    (0.0234301, 0.0682467, 109),
    (0.0736488, 0.0482059, 129),
    (0.023909, 0.0579343, 112),
    (0.0773458, 0.0476796, 105),
    (0.0281252, 0.0440697, 101),
    (0.0365772, 0.0379548, 132),
    (0.0183561, 0.040224, 118),
    (0.0350968, 0.0414697, 124),
    (0.0212603, 0.0444002, 126),
    (0.0356565, 0.0486088, 113),
    (0.0270483, 0.0862849, 70),
    (0.0626962, 0.0422517, 147),
    (0.0179218, 0.0459118, 169),
    (0.0550449, 0.0254618, 114),
    (0.0140369, 0.022508, 136),
    (0.0512961, 0.0496467, 83),
    (0.0335381, 0.0270854, 167),
)
# The largest activation (99.99th percentile) after each of the detector's first six convolutions.
_DETECTOR_MAXIMA = (6.0406, 5.3816, 3.6744, 3.7615, 5.7493, 10.814)
_KERNEL_LANES = 16  # onnxruntime's fast convolutions work on this many channels at a time


def descriptor(layers: Iterable[Layer], int8: bool) -> bytes:
    """The network that describes a face: chips (n, 150, 150, 3) uint8 -> (n, 128) float32, not of unit length."""
    *convolutional, projection = layers
    assert isinstance(projection, Projection)
    convolutions = _folded(convolutional)
    scales = _DESCRIPTOR_SCALES if int8 else (_EXACT,) * len(convolutions)
    graph = Graph()
    x = graph.pixels("chips", int8)
    x = graph.node("Relu", graph.convolution(x, convolutions[0], scales[0][0]))
    x = graph.node("MaxPool", graph.rounded(x, scales[1][0]), kernel_shape=[3, 3], strides=[2, 2])
    x = graph.rounded(x, scales[1][0])  # changes nothing, but lets the maximum be taken in 8 bits
    size = 35
    for index in range(1, len(convolutions), 2):
        pair = slice(index, index + 2)
        x, size = _residual_block(graph, x, size, convolutions[pair], scales[pair])
    x = graph.node("Flatten", graph.node("GlobalAveragePool", x))
    x = graph.node("MatMul", x, graph.constant(projection.weights))
    return graph.model("descriptor", {"chips": ["faces", 150, 150, 3]}, x, ["faces", 128])


def detector(layers: Iterable[Layer], int8: bool) -> bytes:
    """The network that finds faces: (1, height/2, width/2, 12) uint8 -> scores (1, 1, rows, columns) float32.

    The input is the image with its 2x2 blocks of pixels laid into channels (`detect.blocks`), for which the first
    convolution (5x5, every second pixel, 3 channels) is a 3x3 one of 12 channels at every place.
    """
    convolutions = _widened(_folded(layers))
    convolutions[0] = _over_blocks(convolutions[0])
    graph = Graph()
    x = graph.pixels("blocks", int8)
    scales = (1.0, *(largest / 255 for largest in _DETECTOR_MAXIMA)) if int8 else (None,) * len(convolutions)
    for layer, scale, scale_after in zip(convolutions[:-1], scales[:-1], scales[1:], strict=True):
        x = graph.rounded(graph.node("Relu", graph.convolution(x, layer, scale)), scale_after)
    x = graph.single_output_convolution(x, convolutions[-1])
    return graph.model("detector", {"blocks": [1, "height", "width", 12]}, x, [1, 1, "rows", "columns"])


# --- layers ---------------------------------------------------------------------------------------------------


def _folded(layers: Iterable[Layer]) -> list[Convolution]:
    """The convolutions, with the affine layer that follows each folded in, for pixels as they are."""
    convolutions: list[Convolution] = []
    for layer in layers:
        if isinstance(layer, Convolution):
            convolutions.append(layer)
        elif isinstance(layer, Affine):
            last = convolutions[-1]
            weights = last.weights * layer.gain[:, None, None, None]
            convolutions[-1] = replace(last, weights=weights, bias=last.bias * layer.gain + layer.offset)
    convolutions[0] = _on_pixels(convolutions[0])
    return convolutions


def _on_pixels(layer: Convolution) -> Convolution:
    """The same layer for 0..255 pixels instead of (pixel - mean) / 256."""
    weights = layer.weights.astype(np.float64) / 256
    shift = np.einsum("ocyx,c->o", weights, np.asarray(MEAN_COLOUR))
    return replace(layer, weights=weights.astype(np.float32), bias=(layer.bias - shift).astype(np.float32))


def _over_blocks(layer: Convolution) -> Convolution:
    """A 5x5 convolution of stride 2 as a 3x3 one over 2x2 blocks; channels run row, column, colour in a block."""
    outputs, inputs, _, _ = layer.weights.shape
    even = np.pad(layer.weights, ((0, 0), (0, 0), (0, 1), (0, 1)))
    blocks = even.reshape(outputs, inputs, 3, 2, 3, 2).transpose(0, 3, 5, 1, 2, 4)
    return replace(layer, weights=blocks.reshape(outputs, 4 * inputs, 3, 3), stride=1)


def _widened(convolutions: Sequence[Convolution]) -> list[Convolution]:
    """The same network with channels of zeros between its layers, until their number suits the kernels."""
    widened = []
    inputs = 0
    for layer in convolutions:
        outputs = -layer.bias.size % _KERNEL_LANES if layer is not convolutions[-1] else 0
        weights = np.pad(layer.weights, ((0, outputs), (0, inputs), (0, 0), (0, 0)))
        widened.append(replace(layer, weights=weights, bias=np.pad(layer.bias, (0, outputs))))
        inputs = outputs
    return widened


def _residual_block(
    graph: Graph, x: str, size: int, pair: Sequence[Convolution], scales: Sequence[_Scales]
) -> tuple[str, int]:
    """Two convolutions beside a short cut, on maps of size x size; where they differ in size, zeros are added."""
    first, second = pair
    (scale, _, _), (scale_between, scale_after, zero_after) = scales
    inner = graph.node("Relu", graph.convolution(graph.rounded(x, scale), first, scale))
    inner = graph.convolution(graph.rounded(inner, scale_between), second, scale_between)
    inner = graph.rounded(inner, scale_after, zero_after)
    if first.stride == 2:
        x = graph.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        outputs, inputs = first.weights.shape[:2]
        x = graph.padded(x, channels=outputs - inputs)
        inner = graph.padded(inner, pixels=size // 2 - (size - 1) // 2)
        size //= 2
    return graph.node("Relu", graph.node("Add", inner, x)), size
