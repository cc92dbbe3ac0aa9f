"""CONV_2D and FULLY_CONNECTED as one: each output channel a weighted sum of all input channels."""

from dataclasses import replace
from typing import TypeGuard

import numpy as np

from tinygen.interval import Integers
from tinygen.ir import Array, DType, Op, QuantParams, Tensor
from tinygen.ops.base import channels_of
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.conv2d_lowering import is_inside
from tinygen.ops.convolution import WeightedOp, bias_values
from tinygen.ops.fully_connected import FullyConnected

Mixing = Conv2D | FullyConnected


def columns_of(op: Mixing) -> Integers | None:
    """Weights as [out, taps, input channels], minus their zero point.

    None where an input channel has no columns of its own: in a grouped convolution, or where a row
    of the matrix product is not a whole number of pixels.
    """
    weights = op.weights.values.astype(np.int64)
    channels = channels_of(op.x)
    if isinstance(op, Conv2D):
        return weights.reshape(len(weights), -1, channels) if op.groups == 1 else None
    if weights.shape[1] % channels:
        return None
    return (weights - op.weights_zero_point).reshape(len(weights), -1, channels)


def is_padded(op: Mixing) -> bool:
    """Whether some output element sees elements outside of the input, which count as zeros."""
    return isinstance(op, Conv2D) and not is_inside(op.x, op.y, op.window)


def bias_of(op: Mixing) -> Integers:
    """The bias of each output channel, or zeros."""
    return bias_values(op, op.weights.shape[0]).astype(np.int64)


def with_columns(op: Mixing, columns: Integers) -> Mixing:
    """``op`` with other weights, as ``columns_of`` gives them, for as many input channels."""
    zero = op.weights_zero_point if isinstance(op, FullyConnected) else 0
    per_pixel = columns.shape[2] if isinstance(op, Conv2D) else columns[0].size
    shape = (*op.weights.shape[:-1], per_pixel)
    data = np.ascontiguousarray((columns + zero).reshape(shape), np.int8)
    weights = replace(op.weights, shape=shape, data=data)
    return replace(op, inputs=(op.x, weights, *op.inputs[2:]))


def with_bias(op: Mixing, bias: Integers) -> Mixing:
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


def is_mixing(op: Op) -> TypeGuard[Mixing]:
    """Whether ``op`` is one of the two, on an activation."""
    return isinstance(op, Mixing) and not op.x.is_constant
