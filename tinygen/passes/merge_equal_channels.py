"""Channels that always hold the same values need to be made and read once.

Exact, because two channels count as equal only if the same computation makes both, from equal
channels, and integer weights of equal values may be added up: the accumulators stay the same
numbers, at the border too. Weights are added only where every sum keeps within -127..127.
"""

import numpy as np

from tinygen.interval import Integers
from tinygen.ir import Graph, Op
from tinygen.passes.mixing import Mixing, columns_of, fits_weights, is_mixing, with_columns
from tinygen.passes.rewrite import with_ops
from tinygen.passes.value_numbers import value_numbers


def merge_equal_channels(graph: Graph) -> Graph:
    """Let convolutions and matrix products read one of several equal channels."""
    numbers = value_numbers(graph)
    ops: list[Op] = [
        merged(op, numbers[op.x]) if is_mixing(op) and op.x in numbers else op for op in graph.ops
    ]
    return graph if ops == list(graph.ops) else with_ops(graph, ops)


def merged(op: Mixing, numbers: Integers) -> Mixing:
    """``op`` with the weights of equal input channels added to those of the first of them."""
    columns = columns_of(op)
    if columns is None:
        return op
    used = columns.any(axis=(0, 1))
    firsts: dict[int, int] = {}
    sums = columns.copy()
    for channel in np.flatnonzero(used).tolist():
        first = firsts.setdefault(int(numbers[channel]), channel)
        if first == channel:
            continue
        both = sums[:, :, first] + sums[:, :, channel]
        if fits_weights(op, both):
            sums[:, :, first] = both
            sums[:, :, channel] = 0
    return op if np.array_equal(sums, columns) else with_columns(op, sums)
