"""What the tests of passes share: small graphs to build, and the proof that a rewrite is exact."""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from tinygen import reference
from tinygen.ir import Activation, Array, DType, Graph, Op, QuantParams, Tensor, verify
from tinygen.ops.add import Add
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D
from tinygen.ops.fully_connected import FullyConnected, Rounding
from tinygen.ops.window import Window
from tinygen.passes import Pass
from tinygen.vectors import draw_vectors

VECTORS = 12

W = TypeVar("W", bound=WeightedOp)


def image(*shape: int, scale: float = 0.05, zero_point: int = -128, name: str = "t") -> Tensor:
    """An int8 activation."""
    return Tensor(name, shape, DType.INT8, QuantParams((scale,), (zero_point,)))


def like(tensor: Tensor, *shape: int, name: str = "t") -> Tensor:
    """Another activation with the quantization of ``tensor``, and its shape unless one is given."""
    return Tensor(name, shape or tensor.shape, tensor.dtype, tensor.quant)


def constant(values: Array, quant: QuantParams | None = None, name: str = "c") -> Tensor:
    return Tensor(name, values.shape, DType(values.dtype.name), quant, values)


def conv(
    x: Tensor,
    y: Tensor,
    kernel: tuple[int, int] = (3, 3),
    stride: tuple[int, int] = (1, 1),
    pad: tuple[int, int] = (0, 0),
    activation: Activation = Activation.NONE,
) -> Conv2D:
    """A convolution with weights drawn from the shapes."""
    rng = np.random.default_rng(x.elements + y.elements)
    channels = y.shape[3]
    weights = rng.integers(-127, 128, (channels, *kernel, x.shape[3]), dtype=np.int8)
    bias = rng.integers(-2000, 2000, channels, dtype=np.int32)
    scales = tuple(float(s) for s in rng.uniform(0.001, 0.01, channels))
    return Conv2D(
        name="conv",
        inputs=(
            x,
            constant(weights, QuantParams(scales, (0,) * channels, 0)),
            constant(bias),
        ),
        outputs=(y,),
        window=Window(kernel, stride, (1, 1), pad),
        activation=activation,
    )


def depthwise(x: Tensor, y: Tensor, pad: tuple[int, int] = (0, 0)) -> DepthwiseConv2D:
    """A 3x3 depthwise convolution, channel by channel."""
    like_one = conv(like(x, *x.shape[:3], 1), y, pad=pad)
    weights, bias = like_one.weights, like_one.inputs[2]
    per_channel = constant(weights.values.reshape(y.shape[3], 3, 3).transpose(1, 2, 0)[None])
    quant = QuantParams(weights.quant.scale, weights.quant.zero_point, 3) if weights.quant else None
    inputs = (x, replace(per_channel, quant=quant), bias)
    return DepthwiseConv2D("dw", inputs, (y,), like_one.window, like_one.activation)


def with_dead(op: W, channels: dict[int, int]) -> W:
    """``op`` with output channels whose weights are all zero; the values are their biases."""
    axis = 3 if isinstance(op, DepthwiseConv2D) else 0
    weights, bias = op.weights.values.copy(), op.inputs[2].values.copy()
    for channel, value in channels.items():
        np.moveaxis(weights, axis, 0)[channel] = 0
        bias[channel] = value
    inputs = (op.x, replace(op.weights, data=weights), replace(op.inputs[2], data=bias))
    return replace(op, inputs=inputs)


def with_ignored(op: W, *channels: int) -> W:
    """``op`` with zero weights for input channels."""
    weights = op.weights.values.copy()
    weights[..., list(channels)] = 0
    return replace(op, inputs=(op.x, replace(op.weights, data=weights), *op.inputs[2:]))


def dense(
    x: Tensor, y: Tensor, rounding: Rounding = Rounding.TWICE, *, per_channel: bool = False
) -> FullyConnected:
    """A matrix product with weights drawn from the shapes."""
    rng = np.random.default_rng(x.elements + y.elements)
    channels, depth = y.shape[-1], x.elements * y.shape[-1] // y.elements
    weights = rng.integers(-127, 128, (channels, depth), dtype=np.int8)
    scales = tuple(float(s) for s in rng.uniform(0.001, 0.01, channels if per_channel else 1))
    quant = QuantParams(scales, (0,) * len(scales), 0 if per_channel else None)
    inputs = (x, constant(weights, quant), constant(rng.integers(-999, 999, channels, np.int32)))
    return FullyConnected("fc", inputs, (y,), Activation.NONE, rounding=rounding)


def add(a: Tensor, b: Tensor, y: Tensor, activation: Activation = Activation.NONE) -> Add:
    return Add("add", (a, b), (y,), activation)


def graph(inputs: tuple[Tensor, ...], ops: tuple[Op, ...], outputs: tuple[Tensor, ...]) -> Graph:
    made = Graph("g", inputs, outputs, ops)
    verify(made)
    return made


def kinds(made: Graph) -> list[str]:
    """The operators of a graph, in order."""
    return [op.kind for op in made.ops]


def rewritten(before: Graph, rewrite: Pass) -> Graph:
    """``rewrite(before)``, proven a valid graph with the same inputs, outputs and results."""
    after = rewrite(before)
    verify(after)
    assert after.inputs == before.inputs
    assert [face(t) for t in after.outputs] == [face(t) for t in before.outputs]
    for inputs in draw_vectors(before, VECTORS, seed=7).inputs:
        expected, found = reference.run(before, inputs), reference.run(after, inputs)
        for a, b in zip(expected, found, strict=True):
            np.testing.assert_array_equal(a, b)
    assert str(rewrite(after)) == str(after), "a second run must find nothing to do"
    return after


def face(tensor: Tensor) -> tuple[Any, ...]:
    """What a user of the model sees of an output."""
    return tensor.name, tensor.shape, tensor.dtype, tensor.quant


def assert_untouched(before: Graph, rewrite: Pass) -> None:
    """``rewrite`` must leave ``before`` alone."""
    assert rewritten(before, rewrite) is before
