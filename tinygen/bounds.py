"""Interval analysis: what every 8-bit tensor of a graph can hold, whatever the inputs are.

Inputs can hold all that their type can; each operator's own ``bounds`` take it from there, with the
exact requantization and the actual weights.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from tinygen.interval import Interval
from tinygen.ir import DType, Graph, Tensor
from tinygen.ops import definition_of
from tinygen.ops.base import BoundsOf, any_value, channels_of
from tinygen.quant import dtype_range

BYTES = (DType.INT8, DType.UINT8)


def reader(known: Mapping[Tensor, Interval]) -> BoundsOf:
    """The bounds of a tensor among ``known``, or of a constant."""
    return lambda tensor: Interval.of(tensor.values) if tensor.is_constant else known[tensor]


@lru_cache(maxsize=1)  # most passes change nothing: the next asks for the same graph
def value_bounds(graph: Graph) -> Mapping[Tensor, Interval]:
    """Bounds of the inputs and of every operator's results, as far as they have 8 bits."""
    known: dict[Tensor, Interval] = {}
    bounds_of = reader(known)
    for tensor in graph.sources:
        if tensor.dtype in BYTES:
            known[tensor] = Interval.uniform(*dtype_range(tensor.dtype), channels_of(tensor))
    for op in graph.ops:
        for tensor in op.outputs[1:]:
            if tensor.dtype in BYTES:
                known[tensor] = Interval.uniform(*dtype_range(tensor.dtype), channels_of(tensor))
        if op.y.dtype not in BYTES:
            continue
        exact = all(tensor in known for tensor in op.activations)
        rule = definition_of(op).bounds if exact else any_value
        known[op.y] = rule(op, bounds_of)
    return MappingProxyType(known)
