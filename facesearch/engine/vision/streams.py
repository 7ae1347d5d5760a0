"""dlib's serialised networks and shape predictors, read without dlib.

An integer is a control byte, whose low four bits count the little-endian bytes of magnitude that follow and whose
top bit is the sign. A float is two integers, mantissa and binary exponent. A tensor is raw float32 behind five
integers. A network is its layers from input to output, each introduced by its name; of the nesting around them
nothing is needed, so the names are searched for and what follows each is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIGN = 0x80
_LENGTH = 0x0F
_LAYERS = re.compile(rb"\x01(?P<length>[\x04-\x07])(?P<name>con_4|affine_|bn_con2|fc_2)", re.DOTALL)


class StreamError(ValueError):
    """The bytes are not what dlib writes."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """A cross-correlation: weights (outputs, inputs, rows, columns), bias (outputs), one stride, one padding."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    stride: int
    padding: int


@dataclass(frozen=True, slots=True)
class Affine:
    """A gain and an offset for each channel, (channels,) both."""

    gain: NDArray[np.float32]
    offset: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Projection:
    """A fully connected layer without bias: weights (inputs, outputs)."""

    weights: NDArray[np.float32]


Layer = Convolution | Affine | Projection


def layers(data: bytes) -> Iterator[Layer]:
    """The layers of a network that hold weights, from input to output. Raises StreamError."""
    readers: dict[bytes, Callable[[_Stream], Layer]] = {
        b"con_4": _convolution,
        b"affine_": _affine,
        b"bn_con2": _normalisation,
        b"fc_2": _projection,
    }
    position = 0
    while found := _LAYERS.search(data, position):
        name = found["name"]
        if found["length"][0] != len(name):
            position = found.start() + 1
            continue
        stream = _Stream(data, found.end())
        try:
            yield readers[name](stream)
        except (IndexError, ValueError) as exc:
            raise StreamError(f"the layer {name.decode()} at byte {found.start()} cannot be read") from exc
        position = stream.position


class _Stream:
    """A place in the bytes that moves on with what is read."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self.position = position

    def integer(self) -> int:
        control = self._data[self.position]
        start = self.position + 1
        self.position = start + (control & _LENGTH)
        magnitude = int.from_bytes(self._data[start : self.position], "little")
        return -magnitude if control & _SIGN else magnitude

    def integers(self, count: int) -> list[int]:
        return [self.integer() for _ in range(count)]

    def real(self) -> float:
        mantissa, exponent = self.integers(2)
        return math.ldexp(mantissa, exponent)

    def tensor(self) -> NDArray[np.float32]:
        _version, *shape = self.integers(5)
        values = np.frombuffer(self._data, "<f4", math.prod(shape), self.position)
        self.position += values.nbytes
        return values.reshape(shape)

    def alias(self) -> list[int]:
        """The shape of a part of a tensor."""
        return self.integers(5)[1:]


def _convolution(stream: _Stream) -> Convolution:
    parameters = stream.tensor().ravel()
    _filters, _rows, _columns, stride, _stride_x, padding, _padding_x = stream.integers(7)
    shape = stream.alias()
    size = math.prod(shape)
    return Convolution(parameters[:size].reshape(shape), parameters[size:], stride, padding)


def _affine(stream: _Stream) -> Affine:
    gain, offset = np.split(stream.tensor().ravel(), 2)
    return Affine(gain, offset)


def _normalisation(stream: _Stream) -> Affine:
    """Batch normalisation as it is at inference, from its running statistics."""
    gain, offset = np.split(stream.tensor().ravel(), 2)
    stream.alias(), stream.alias()
    _means, _deviations, mean, variance = (stream.tensor().ravel() for _ in range(4))
    stream.integers(2)
    *_, epsilon = (stream.real() for _ in range(5))
    scale = gain / np.sqrt(variance + np.float32(epsilon))
    return Affine(scale, offset - scale * mean)


def _projection(stream: _Stream) -> Projection:
    outputs, inputs = stream.integers(2)
    return Projection(stream.tensor().reshape(inputs, outputs))
