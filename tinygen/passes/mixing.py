"""CONV_2D and FULLY_CONNECTED as one: each output channel a weighted sum of all input channels.

And how such operators, and depthwise convolutions with them, get other constants.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeGuard, TypeVar

import numpy as np

from tinygen.interval import Integers
from tinygen.ir import Array, DType, Op, QuantParams, Tensor
from tinygen.ops.base import channels_of
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.conv2d_lowering import Convolution, is_inside
from tinygen.ops.convolution import WeightedOp, bias_values, real_multipliers
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D
from tinygen.ops.floating import is_float
from tinygen.ops.fully_connected import FullyConnected, Rounding, reals
from tinygen.quant import INT32_MAX, INT32_MIN, dtype_range, quantize_multiplier

Mixing = Conv2D | FullyConnected
Sum = Conv2D | DepthwiseConv2D | FullyConnected
S = TypeVar("S", bound=Sum)

_LARGEST_WEIGHT = 127  # kernels may negate weights


def columns_of(op: Mixing) -> Integers | None:
    """Weights as [out, taps, input channels], minus their zero point.

    None where an input channel has no columns of its own: in a grouped convolution, or where a row
    of the matrix product is not a whole number of pixels.
    """
    weights = op.effective_weights
    channels = channels_of(op.x)
    if isinstance(op, Conv2D):
        return weights.reshape(len(weights), -1, channels) if op.groups == 1 else None
    if weights.shape[1] % channels:
        return None
    return weights.reshape(len(weights), -1, channels)


def is_padded(op: Sum) -> bool:
    """Whether some output element sees elements outside of the input, which count as zeros."""
    return isinstance(op, Convolution) and not is_inside(op.x, op.y, op.window)


def bias_of(op: Sum) -> Integers:
    """The bias of each output channel, or zeros."""
    return bias_values(op, channels_of(op.y)).astype(np.int64)


def with_columns(op: Mixing, columns: Integers) -> Mixing:
    """``op`` with other weights, as ``columns_of`` gives them, for as many input channels."""
    per_pixel = columns.shape[2] if isinstance(op, Conv2D) else columns[0].size
    shape = (*op.weights.shape[:-1], per_pixel)
    stored = (columns + op.weights_zero_point).reshape(shape)
    data = np.ascontiguousarray(stored, op.weights.dtype.numpy)
    weights = replace(op.weights, shape=shape, data=data)
    return replace(op, inputs=(op.x, weights, *op.inputs[2:]))


def fits_weights(op: Sum, weights: Integers) -> bool:
    """Whether ``op`` can have these weights, which are counted from its zero point."""
    low, high = dtype_range(op.weights.dtype)
    stored = weights + op.weights_zero_point
    largest = _LARGEST_WEIGHT if op.weights.dtype is DType.INT8 else high
    small = np.abs(weights).max(initial=0) <= largest
    return bool(small and stored.min(initial=0) >= low and stored.max(initial=0) <= high)


def fits_int32(values: Integers) -> bool:
    """Whether 32 bits hold all ``values``."""
    return bool(values.min() >= INT32_MIN and values.max() <= INT32_MAX)


def rows_of(op: Sum) -> Integers:
    """Weights as [out, all that is weighted for one], minus their zero point."""
    axis = 3 if isinstance(op, DepthwiseConv2D) else 0
    weights = np.moveaxis(op.effective_weights, axis, 0)
    return weights.reshape(len(weights), -1)


def with_rows(op: S, rows: Integers) -> S:
    """``op`` with other weights, as ``rows_of`` gives them."""
    shape = op.weights.shape
    if isinstance(op, DepthwiseConv2D):
        own = np.moveaxis(rows.reshape(shape[3], *shape[:3]), 0, 3)
    else:
        own = rows.reshape(shape)
    stored = np.ascontiguousarray(own + op.weights_zero_point, op.weights.dtype.numpy)
    weights = replace(op.weights, data=stored)
    return replace(op, inputs=(op.x, weights, *op.inputs[2:]))


def with_bias(op: S, bias: Integers) -> S:
    """``op`` with another bias."""
    data = bias.astype(np.int32)
    known = op.bias
    made = Tensor(f"{op.name}/bias", data.shape, DType.INT32) if known is None else known
    return replace(op, inputs=(*op.inputs[:2], replace(made, data=data)))


def with_outputs(op: WeightedOp, axis: int, kept: Array) -> WeightedOp:
    """``op`` with the weights and biases of some output channels, which are along ``axis``."""

    def some(tensor: Tensor, along: int) -> Tensor:
        data = np.ascontiguousarray(np.compress(kept, tensor.values, axis=along))
        quant = tensor.quant
        if quant is not None and quant.per_channel and len(quant.scale) == len(kept):
            quant = QuantParams(
                tuple(np.array(quant.scale)[kept].tolist()),
                tuple(np.array(quant.zero_point)[kept].tolist()),
                quant.axis,
            )
        return replace(tensor, shape=data.shape, quant=quant, data=data)

    weights = some(op.weights, axis)
    bias = () if op.bias is None else (some(op.bias, 0),)
    return replace(op, inputs=(op.x, weights, *bias))


def factors_of(op: Sum) -> list[float]:
    """The real factor from accumulator to result of each output channel."""
    found = reals(op) if isinstance(op, FullyConnected) else real_multipliers(op)
    return list(found) * (channels_of(op.y) // len(found))


def with_factors(op: S, wanted: Sequence[float]) -> S | None:
    """``op`` with weight scales that give it these factors, one for each output channel.

    None where no scale gives the same arithmetic: in fixed point, factors count as equal if their
    multipliers and shifts are.
    """
    once = isinstance(op, FullyConnected) and op.rounding is Rounding.ONCE

    def alike(found: Sequence[float]) -> bool:
        pairs = zip(found, wanted, strict=True)
        near = ((a, b) for a, b in pairs if a != b)
        return all(not once and math.isfinite(a) and _fixed(a) == _fixed(b) for a, b in near)

    if alike(factors_of(op)):
        return op
    quant = op.weights.quant
    assert quant is not None
    if op.weights.dtype is not DType.INT8 or (any(quant.zero_point) and len(wanted) > 1):
        return None  # weights of one zero point have one scale
    scales = tuple(_scale(op, factor) for factor in wanted)
    axis = 3 if isinstance(op, DepthwiseConv2D) else 0
    quant = QuantParams(scales, quant.zero_point[:1] * len(scales), axis)
    made = replace(op, inputs=(op.x, replace(op.weights, quant=quant), *op.inputs[2:]))
    return made if alike(factors_of(made)) else None


def _fixed(factor: float) -> tuple[int, int]:
    return quantize_multiplier(factor)


def _scale(op: Sum, factor: float) -> float:
    """The weights' scale that gives ``factor`` in double precision, if one is near by."""
    scale = factor * op.y.scale / op.x.scale
    above, below = math.nextafter(scale, math.inf), math.nextafter(scale, 0)
    near = (s for s in (scale, above, below) if op.x.scale * s / op.y.scale == factor)
    return next(near, scale)


def is_mixing(op: Op) -> TypeGuard[Mixing]:
    """Whether ``op`` is one of the two, on an activation of integers."""
    return isinstance(op, Mixing) and not op.x.is_constant and not is_float(op)
