"""What training and pruning do to weights: channels that are dead, equal, unread or ignored."""

from dataclasses import replace

import numpy as np

from tinygen.ir import Array, Graph, Op, QuantParams, Tensor
from tinygen.ops import definition_of
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D


def damaged(graph: Graph, seed: int) -> Graph:
    """``graph`` with channels of operators with weights spoilt, as ``seed`` says.

    An operator that its rules would then refuse stays sound.
    """
    rng = np.random.default_rng(seed)
    spoilt = [_damaged(op, rng) if isinstance(op, WeightedOp) else op for op in graph.ops]
    pairs = zip(graph.ops, spoilt, strict=True)
    ops = tuple(a if definition_of(b).violations(b) else b for a, b in pairs)
    return replace(graph, ops=ops)


def _damaged(op: WeightedOp, rng: np.random.Generator) -> Op:
    axis = 3 if isinstance(op, DepthwiseConv2D) else 0
    weights = np.moveaxis(op.weights.values.copy(), axis, 0)
    quant = op.weights.quant
    assert quant is not None
    zero = quant.zero_point[0]
    scales = np.array(quant.scale)
    bias = None if op.bias is None else op.bias.values.copy()
    for channel in range(len(weights)):
        match rng.integers(0, 6):
            case 0:  # dead
                weights[channel] = zero
                if bias is not None:
                    bias[channel] = rng.choice([0, 0, 1000, -(2**30), 2**31 - 1])
            case 1:  # equal to another
                twin = int(rng.integers(0, len(weights)))
                weights[channel] = weights[twin]
                if bias is not None:
                    bias[channel] = bias[twin]
                if len(scales) > 1:
                    scales[channel] = scales[twin]
    if axis == 0:
        # The output ignores some inputs; the others are small enough to be added up.
        weights[..., rng.random(weights.shape[-1]) < 0.3] = zero
        if rng.random() < 0.5:
            weights = np.asarray(zero + (weights.astype(int) - zero) // 4, np.int8)
    data = np.ascontiguousarray(np.moveaxis(weights, 0, axis))
    spoilt = replace(
        op.weights,
        data=data,
        quant=QuantParams(tuple(scales.tolist()), quant.zero_point, quant.axis),
    )
    return replace(op, inputs=(op.x, spoilt, *_biases(op.bias, bias)))


def _biases(tensor: Tensor | None, values: Array | None) -> tuple[Tensor, ...]:
    return () if tensor is None or values is None else (replace(tensor, data=values),)
