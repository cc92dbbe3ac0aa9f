"""Training leaves channels that are one value for every input. What a convolution or a matrix
product makes of them is a constant too, and belongs in its bias.

Exact, because the accumulator adds the same numbers, some of them in advance: the bounds of the
channel, computed with the exact requantization, are one value c, and each of its weights adds
(c - zero point) times itself. Where the window hangs over the border, elements outside count as
zeros, so there only a channel of c = zero point is taken, which adds nothing anywhere. A bias that
would leave 32 bits is not made.
"""

import numpy as np

from tinygen.bounds import value_bounds
from tinygen.interval import Integers, Interval
from tinygen.ir import Graph, Op
from tinygen.passes.mixing import (
    Mixing,
    bias_of,
    columns_of,
    fits_int32,
    is_mixing,
    is_padded,
    with_bias,
    with_columns,
)
from tinygen.passes.rewrite import with_ops


def fold_constant_channels(graph: Graph) -> Graph:
    """Move what constant channels add into the biases, and make their weights zero."""
    known = value_bounds(graph)
    ops: list[Op] = []
    for op in graph.ops:
        if is_mixing(op) and op.x in known:
            ops.append(folded(op, known[op.x]))
        else:
            ops.append(op)
    return graph if ops == list(graph.ops) else with_ops(graph, ops)


def folded(op: Mixing, x: Interval) -> Mixing:
    """``op`` without the weights of the input channels that are constant."""
    columns = columns_of(op)
    if columns is None:
        return op
    offsets = x.low - op.x.zero_point
    ready = x.constant & columns.any(axis=(0, 1))
    if is_padded(op):
        ready &= offsets == 0
    bias, done = bias_of(op), []
    for channel in np.flatnonzero(ready):
        total = bias + columns[:, :, channel].sum(axis=1) * offsets[channel]
        if fits_int32(total):
            bias = total
            done.append(channel)
    if not done:
        return op
    columns = without(columns, done)
    same_bias = np.array_equal(bias, bias_of(op))
    return with_columns(op if same_bias else with_bias(op, bias), columns)


def without(columns: Integers, channels: list[np.intp]) -> Integers:
    """The columns with zeros for ``channels``."""
    rest = columns.copy()
    rest[:, :, channels] = 0
    return rest
