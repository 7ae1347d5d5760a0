"""ONNX graphs, put together node by node, in float32 or with 8-bit convolutions.

Only this file needs the `onnx` library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from facesearch.engine.vision.streams import Convolution

if TYPE_CHECKING:
    from numpy.typing import NDArray

_OPSET = 17
_IR_VERSION = 8

# Processors without VNNI add the products of two neighbouring inputs in 16 bits before they add on in 32. A sum of
# two products of 0..255 fits when the two weights together have no more than this, and the rounding of both may
# add one more.
_NEIGHBOURS = 127


class Graph:
    """An ONNX graph under construction: every method adds nodes and gives the name of their output."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, value: Any) -> str:
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"{operator}{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def pixels(self, name: str, int8: bool) -> str:
        """A uint8 input (n, rows, columns, channels) as numbers (n, channels, rows, columns)."""
        number = (
            self.node("DequantizeLinear", name, *self._scale(1.0, 0))
            if int8
            else self.node("Cast", name, to=TensorProto.FLOAT)
        )
        return self.node("Transpose", number, perm=[0, 3, 1, 2])

    def rounded(self, x: str, scale: float | None, zero: int = 0) -> str:
        """x after a stay in 8 bits, which onnxruntime makes last until it must end; without a scale, x itself."""
        if scale is None:
            return x
        scaling = self._scale(scale, zero)
        return self.node("DequantizeLinear", self.node("QuantizeLinear", x, *scaling), *scaling)

    def convolution(self, x: str, layer: Convolution, scale: float | None) -> str:
        """A convolution: in 8 bits when the scale of its input is given."""
        if scale is None:
            weights, bias = self.constant(layer.weights), self.constant(layer.bias)
        else:
            weights, bias = self._quantised(layer, scale)
        return self.node("Conv", x, weights, bias, strides=[layer.stride] * 2, pads=[layer.padding] * 4)

    def single_output_convolution(self, x: str, layer: Convolution) -> str:
        """A convolution of one output as the transposed one of the mirrored kernel: equal, and faster to run."""
        mirrored = layer.weights[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
        return self.node(
            "ConvTranspose", x, self.constant(mirrored), self.constant(layer.bias), pads=[layer.padding] * 4
        )

    def padded(self, x: str, channels: int = 0, pixels: int = 0) -> str:
        """x with zeros after its last channel, and at its right and lower edge."""
        if not channels and not pixels:
            return x
        pads = np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)
        return self.node("Pad", x, self.constant(pads))

    def _scale(self, scale: float, zero: int) -> tuple[str, str]:
        return self.constant(np.float32(scale)), self.constant(np.uint8(zero))

    def _quantised(self, layer: Convolution, scale: float) -> tuple[str, str]:
        """Weights in 8 bits with a scale for each output, and the bias in 32 bits on the scale of the products."""
        scales = _weight_scales(layer.weights)
        weights = np.rint(layer.weights / scales[:, None, None, None]).astype(np.int8)
        products = (scales * np.float32(scale)).astype(np.float32)
        bias = np.rint(layer.bias / products.astype(np.float64)).astype(np.int32)
        return (
            self.node("DequantizeLinear", self.constant(weights), self.constant(scales), axis=0),
            self.node("DequantizeLinear", self.constant(bias), self.constant(products), axis=0),
        )

    def model(
        self, name: str, inputs: dict[str, list[int | str]], output: str, shape: list[int | str]
    ) -> bytes:
        """The finished model: uint8 inputs by name and shape, and one float32 output."""
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(name, TensorProto.UINT8, shape) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
            self._constants,
        )
        model = helper.make_model(
            graph, ir_version=_IR_VERSION, opset_imports=[helper.make_operatorsetid("", _OPSET)]
        )
        onnx.checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data


def _weight_scales(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the weights of each output are divided by, so that no processor's sums overflow: see `_NEIGHBOURS`.

    The kernels go through the inputs place by place and, at each, channel by channel. Which two they take together
    is theirs, so all neighbours are held apart.
    """
    in_order = np.abs(weights).transpose(0, 2, 3, 1).reshape(len(weights), -1)
    after = np.pad(in_order[:, 1:], ((0, 0), (0, 1)))
    largest = np.max(in_order + after, axis=1)
    scales: NDArray[np.float32] = np.where(largest > 0, largest / _NEIGHBOURS, 1).astype(np.float32)
    return scales
