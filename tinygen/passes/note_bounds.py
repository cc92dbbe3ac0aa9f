"""Kernels that know what a tensor can hold can prove more of their arithmetic.

Exact, because nothing but what is known about tensors changes.
"""

from dataclasses import replace

import numpy as np

from tinygen.bounds import value_bounds
from tinygen.interval import Interval
from tinygen.ir import Graph, Tensor
from tinygen.passes.rewrite import with_ops
from tinygen.quant import dtype_range


def note_bounds(graph: Graph) -> Graph:
    """Write the bounds of every operator's result into its tensor, where they say anything."""
    known = value_bounds(graph)
    by = {
        op.y: replace(op.y, bounds=news)
        for op in graph.ops
        if not alike(op.y.bounds, news := telling(op.y, known.get(op.y)))
    }
    return with_ops(graph, graph.ops, by) if by else graph


def telling(tensor: Tensor, found: Interval | None) -> Interval | None:
    """``found``, unless that is all that the type can hold."""
    if found is None:
        return None
    low, high = dtype_range(tensor.dtype)
    return None if (found.low == low).all() and (found.high == high).all() else found


def alike(a: Interval | None, b: Interval | None) -> bool:
    """Whether both say the same."""
    if a is None or b is None:
        return a is b
    return np.array_equal(a.low, b.low) and np.array_equal(a.high, b.high)
