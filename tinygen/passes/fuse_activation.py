"""An activation of its own is one more pass over a tensor; as the fused activation of the operator
before it, it is free.

Exact: both only limit values to a range, one after the other, so together they limit them to the
intersection. What RELU and its kin do to int8 is read off their references, for all 256 values; the
fused activation is one whose range, computed as the reference does, is that intersection. With
float32 the operator before leaves nothing infinite, with or without an activation, so that RELU has
an upper limit as well; NaN passes through both.
"""

from dataclasses import replace

import numpy as np

from tinygen.ir import Activation, DType, Graph, Op, Tensor
from tinygen.ops.add import Add
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D
from tinygen.ops.div import Div
from tinygen.ops.floating import CLAMPS as FLOAT_CLAMPS
from tinygen.ops.fully_connected import FullyConnected
from tinygen.ops.mul import Mul
from tinygen.ops.pool2d import AveragePool2D, MaxPool2D
from tinygen.ops.relu import Clamp
from tinygen.ops.sub import Sub
from tinygen.passes.rewrite import (
    read_only_by,
    results_by_value,
    same_type,
    values_of,
    with_ops,
)
from tinygen.quant import activation_range

# Operators whose last act is to limit their results to the fused activation's range.
CLAMPING = (
    Add,
    AveragePool2D,
    Conv2D,
    DepthwiseConv2D,
    Div,
    FullyConnected,
    MaxPool2D,
    Mul,
    Sub,
)

CLAMPS = (Activation.NONE, Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1)


def fuse_activation(graph: Graph) -> Graph:
    """Give each RELU, RELU6 and RELU_N1_TO_1 to the operator that makes its input, if that can."""
    for op in graph.ops:
        producer = graph.producer(op.x) if op.inputs else None
        if producer is None or not read_only_by(graph, op.x, op):
            continue
        if (fused := fused_with(producer, op)) is not None:
            rest = (other for other in graph.ops if other is not op)
            graph = with_ops(graph, [fused if other is producer else other for other in rest])
    return graph


def fused_with(producer: Op, op: Op) -> Op | None:
    """``producer`` with the activation ``op`` fused and making its result; None if it cannot."""
    if not isinstance(producer, CLAMPING) or not same_type(op.x, op.y):
        return None
    limits = clamp_of(op)
    if limits is None or producer.activation not in CLAMPS:
        return None
    low, high = range_of(producer.activation, producer.y)
    both = max(low, limits[0]), min(high, limits[1])
    for activation in CLAMPS:
        if range_of(activation, op.y) == both and low <= high and both[0] <= both[1]:
            return replace(producer, outputs=op.outputs, activation=activation)
    return None


def range_of(activation: Activation, y: Tensor) -> tuple[float, float]:
    """The range of a fused activation on output ``y``, as stored."""
    is_float = y.dtype is DType.FLOAT32
    return FLOAT_CLAMPS[activation] if is_float else activation_range(activation, y)


def clamp_of(op: Op) -> tuple[float, float] | None:
    """The range to which ``op`` limits its input, finite; None if it does anything else."""
    if not isinstance(op, Clamp):
        return None
    if op.y.dtype is DType.FLOAT32:
        least, most = FLOAT_CLAMPS[Activation.NONE]
        return max(op.limits[0], least), min(op.limits[1], most)
    results = results_by_value(op)
    if results is None:
        return None
    low, high = int(results.min()), int(results.max())
    return (low, high) if np.array_equal(results, values_of(op.x.dtype).clip(low, high)) else None
