"""Cases of the operators with weights: geometry, weights and quantization drawn from a seed.

The multiplier from accumulator to output is what quantization comes down to, so it is drawn first,
and the output's scale follows from it.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from typing import Any, TypeVar

import numpy as np

from firmware_tests.kernels.harness import (
    ALL_ISAS,
    assert_equal,
    compile_cases,
    expected,
    graph_of,
    run_native,
)
from firmware_tests.kernels.tensors import any_scale, any_zero_point, float32, quantized
from tinygen.compile import Options
from tinygen.emit import ArenaKind
from tinygen.instances import Optimize
from tinygen.ir import Activation, DType, Op, QuantParams, Tensor
from tinygen.ops import definition_of
from tinygen.ops.base import Kernel
from tinygen.ops.conv2d_lowering import Convolution
from tinygen.ops.window import Pair, Window
from tinygen.vectors import draw_vectors

O = TypeVar("O", bound=Op)  # noqa: E741 - an operator
C = TypeVar("C", bound=Convolution)

CLAMPS = (Activation.NONE, Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1)
LEAST_SCALE = 1e-6  # TFLite refuses outputs whose quantized 6.0 leaves int32

# Shapes at run time: one instance of each kernel serves all cases, where baked shapes cost a
# quarter of a second of sanitized compilation per case.
ONE_INSTANCE = Options(optimize=Optimize.SIZE, arena=ArenaKind.CALLER)


class Range(Enum):
    """Multipliers from accumulator to output, and what the bias reaches."""

    USUAL = "usual"  # outputs spread over int8; no channel shifts left, no sum nears 2**30
    TINY = "tiny"  # down to 2**-40, below which the reference flushes to zero
    LARGE = "large"  # shifts to the left
    DEAD = "dead"  # biases up to the limits of int32, as in channels that training has killed


def weights_of(
    name: str,
    shape: Sequence[int],
    axis: int | None,
    rng: np.random.Generator,
    scale: float = 0.01,
) -> Tensor:
    """int8 weights over the full range; one scale per index of ``axis``, or one for all."""
    data = rng.integers(-128, 128, tuple(shape)).astype(np.int8)
    if axis is None:
        return quantized(name, shape, scale, 0, data)
    scales = tuple(float32(scale * rng.uniform(0.3, 1.0)) for _ in range(shape[axis]))
    quant = QuantParams(scales, (0,) * shape[axis], axis)
    return Tensor(name, tuple(shape), DType.INT8, quant, data)


def bias_of(
    name: str, channels: int, x: Tensor, weights: Tensor, span: int, rng: np.random.Generator
) -> Tensor:
    """An int32 bias in [-span, span), its scale that of the accumulator, as TFLite asks."""
    assert weights.quant is not None
    scales = tuple(float32(x.scale * s) for s in weights.quant.scale)
    axis = 0 if weights.quant.per_channel else None
    quant = QuantParams(scales, (0,) * len(scales), axis)
    data = rng.integers(-span, span, channels).astype(np.int32)
    return Tensor(name, (channels,), DType.INT32, quant, data)


def multiplier_of(kind: Range, depth: int, rng: np.random.Generator) -> float:
    """A multiplier from accumulator to output for sums of ``depth`` products."""
    usual = float(rng.uniform(0.3, 1.5)) / (60.0 * float(np.sqrt(depth)) * 74)
    if kind is Range.TINY:
        return float(2.0 ** rng.uniform(-40, -24))
    if kind is Range.LARGE:
        return float(2.0 ** rng.uniform(-3, 14))
    return usual


def weighted_tensors(
    name: str,
    kind: Range,
    shapes: tuple[Sequence[int], Sequence[int], Sequence[int]],
    depth: int,
    axis: int | None,
    has_bias: bool,
    rng: np.random.Generator,
) -> tuple[tuple[Tensor, ...], Tensor]:
    """Inputs and output of an operator with shapes (x, weights, y) that sums ``depth`` products."""
    x_shape, weight_shape, y_shape = shapes
    x = quantized(f"{name}_x", x_shape, any_scale(rng), any_zero_point(rng))
    weights = weights_of(f"{name}_w", weight_shape, axis, rng, any_scale(rng))
    assert weights.quant is not None
    real = multiplier_of(kind, depth, rng)
    y_scale = x.scale * max(weights.quant.scale) / real
    if y_scale < LEAST_SCALE:
        x = quantized(x.name, x_shape, x.scale * LEAST_SCALE / y_scale, x.zero_point)
        y_scale = LEAST_SCALE
    y = quantized(name, y_shape, y_scale, any_zero_point(rng))
    if not has_bias:
        return (x, weights), y
    span = 2**31 if kind is Range.DEAD else 40 * depth**2
    return (x, weights, bias_of(f"{name}_b", y_shape[-1], x, weights, span, rng)), y


def without_least(op: O) -> O:
    """``op`` with no weight of -128, as converters make them."""
    weights = replace(op.inputs[1], data=np.maximum(op.inputs[1].values, -127))
    return replace(op, inputs=(op.inputs[0], weights, *op.inputs[2:]))


def after_pad(op: C, top: int, left: int, bottom: int = 0, right: int = 0) -> C:
    """``op``, which has no padding, as if that much of its input had been a PAD's."""
    n, height, width, channels = op.x.shape
    shape = (n, height - top - bottom, width - left - right, channels)
    inputs = (replace(op.x, shape=shape), *op.inputs[1:])
    return replace(op, inputs=inputs, window=replace(op.window, pad=(top, left)))


def scales_apart(op: O) -> O:
    """``op`` with scales of which one is 2**12 times another: no shift serves all channels."""
    quant = op.inputs[1].quant
    assert quant is not None
    scales = tuple(float32(s * 2.0 ** (12 - 6 * (i % 3))) for i, s in enumerate(quant.scale))
    weights = replace(op.inputs[1], quant=replace(quant, scale=scales))
    return replace(op, inputs=(op.inputs[0], weights, *op.inputs[2:]))


def window_for(
    size: Pair, kernel: Pair, stride: Pair, dilation: Pair, same: bool
) -> tuple[Window, Pair]:
    """The window of a padding scheme over an image of ``size``, and the output's size."""
    out, pads = [], []
    for axis in (0, 1):
        effective = (kernel[axis] - 1) * dilation[axis] + 1
        span = size[axis] if same else size[axis] - effective + 1
        out.append(-(-span // stride[axis]))
        pads.append(max(0, (out[axis] - 1) * stride[axis] + effective - size[axis]) // 2)
    return Window(kernel, stride, dilation, (pads[0], pads[1])), (out[0], out[1])


def drawn_window(rng: np.random.Generator, dilated: bool = True) -> tuple[Pair, Window, Pair]:
    """Image size, window and output size: strides beyond the kernel, dilation, single pixels."""
    while True:
        size = (int(rng.integers(1, 12)), int(rng.integers(1, 12)))
        kernel = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
        stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        dilation = (int(rng.integers(1, 4)), int(rng.integers(1, 4))) if dilated else (1, 1)
        if rng.integers(2):
            dilation = (1, 1)
        same = bool(rng.integers(2))
        reach = tuple((k - 1) * d for k, d in zip(kernel, dilation, strict=True))
        if same or (reach[0] < size[0] and reach[1] < size[1]):
            window, out = window_for(size, kernel, stride, dilation, same)
            return size, window, out


def is_of_int8(row: Kernel[Any]) -> bool:
    """Whether a row is for int8 throughout, not for other types or what stands for them."""
    others = ("_s16", "_f32", "_hybrid", "_offset_", "_up", "_s4")
    return not any(part in row.function for part in others)


def check_row(
    ops: Sequence[Op], function: str, seed: int = 0, options: Options = ONE_INSTANCE
) -> None:
    """The row ``function`` gives the reference's bytes for every operator that it can compute.

    Its ``fits`` is not asked, for rows that are limited by what is worth while only.
    """

    def forced(op: Op, rows: Sequence[Kernel[Any]]) -> Kernel[Any]:
        return next(row for row in definition_of(op).kernels if row.function == function)

    graph = graph_of(ops)
    inputs = draw_vectors(graph, 7, seed).inputs
    program = compile_cases(graph, ALL_ISAS, options, forced)
    assert_equal(program.graph, inputs, run_native(program, inputs), expected(graph, inputs))
