"""An operator that only shifts all values, or multiplies them by a whole number, needs no pass over
a tensor: a convolution or a matrix product behind it can do that with its weights and its bias. ADD
and MUL by one constant for each channel may be so, or QUANTIZE between scales of a whole ratio.

Exact, because over all that a channel can hold (its bounds) the operator's result is n * x + e,
both counted from their zero points, for whole n and e: read off its reference, value by value. A
weighted sum of that is the sum of x weighted by n times as much, and a constant: the accumulators
are the same numbers. Where the window hangs over the border, elements outside count as zeros, so
there e must be 0. Weights stay within -127..127, biases within 32 bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tinygen.bounds import value_bounds
from tinygen.interval import Integers, Interval
from tinygen.ir import DType, Graph, Op, Tensor
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D
from tinygen.passes.mixing import (
    Sum,
    bias_of,
    columns_of,
    factors_of,
    fits_int32,
    fits_weights,
    is_mixing,
    is_padded,
    rows_of,
    with_bias,
    with_factors,
    with_rows,
)
from tinygen.passes.rewrite import results_by_channel, values_of, with_ops


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """y = factor * x + offset, both counted from their zero points; one pair per channel."""

    factor: Integers
    offset: Integers

    def at(self, channels: Integers) -> "Line":
        """The lines of some channels, in their order."""
        return Line(self.factor[channels], self.offset[channels])


def fold_into_readers(graph: Graph) -> Graph:
    """Let the readers of such an operator's result read its operand."""
    known = value_bounds(graph)
    for op in reversed(graph.ops):  # of two in a row, the second first
        readers = graph.consumers(op.y)
        if not readers or op.y in graph.results or (line := line_of(op, known)) is None:
            continue
        folded = {id(reader): reading(reader, op, line) for reader in readers}
        if all(folded.values()):
            rest = (other for other in graph.ops if other is not op)
            graph = with_ops(graph, [folded.get(id(other)) or other for other in rest])
    return graph


def line_of(op: Op, known: Mapping[Tensor, Interval]) -> Line | None:
    """The line on which all results of ``op`` lie, int8 from int8; None if there is none."""
    x = op.activations[0] if op.activations else op.y
    if x not in known or not x.dtype is op.y.dtype is DType.INT8:
        return None
    results = results_by_channel(op)
    if results is None:
        return None
    values, (low, high) = values_of(x.dtype), (known[x].low, known[x].high)
    rises = np.diff(results, axis=1)
    inside = (values[:-1] >= low[:, None]) & (values[1:] <= high[:, None])
    rows, first = np.arange(len(results)), low - values[0]
    factor = np.where(known[x].constant, 1, rises[rows, np.minimum(first, 254)])
    if (inside & (rises != factor[:, None])).any():
        return None
    return Line(factor, results[rows, first] - op.y.zero_point - factor * (low - x.zero_point))


def reading(reader: Op, op: Op, line: Line) -> Sum | None:
    """``reader`` of the result of ``op`` as one of its operand; None if it cannot be."""
    if not isinstance(reader, Sum) or reader.x is not op.y:
        return None
    rows, wanted = rows_of(reader), factors_of(reader)
    if isinstance(reader, DepthwiseConv2D):
        line = line.at(np.arange(len(rows)) // reader.depth_multiplier)
        scaled, added = rows * line.factor[:, None], rows.sum(axis=1) * line.offset
    else:
        columns = columns_of(reader) if is_mixing(reader) else None
        if columns is None:
            return None
        scaled = (columns * line.factor).reshape(rows.shape)
        added = columns.sum(axis=1) @ line.offset
    bias = bias_of(reader) + added
    if (is_padded(reader) and line.offset.any()) or not fits_int32(bias):
        return None
    if (scaled != rows).any():
        if not fits_weights(reader, scaled):
            return None
        reader = with_rows(reader, scaled)
    if added.any():
        reader = with_bias(reader, bias)
    x = op.activations[0]
    shifted = replace(reader, inputs=(x, *reader.inputs[1:]))
    return with_factors(shifted, wanted)
