"""Converters leave operators behind that change nothing: a RESHAPE to the shape that is there, a
QUANTIZE between equal types, a RELU where the zero point is the smallest value, a factor of one.

Exact, because input and output have one shape, type and quantization, so that readers take their
bytes alike, and the bytes are equal: a view's always are, and an elementwise operator is dropped
only if its reference maps each value that its input can hold to itself.
"""

from collections.abc import Mapping

import numpy as np

from tinygen.bounds import value_bounds
from tinygen.interval import Interval
from tinygen.ir import Graph, Op, Tensor
from tinygen.ops import definition_of
from tinygen.passes.rewrite import (
    maps_values,
    results_by_value,
    same_type,
    values_of,
    without_identity,
)


def drop_identities(graph: Graph) -> Graph:
    """Let the readers of such a result read the operator's input."""
    known = value_bounds(graph)
    position = 0
    while position < len(graph.ops):
        op = graph.ops[position]
        rest = without_identity(graph, op) if is_identity(op, known) else graph
        position += len(rest.ops) == len(graph.ops)
        graph = rest
    return graph


def is_identity(op: Op, known: Mapping[Tensor, Interval]) -> bool:
    """Whether ``op`` returns its input, value for value and type for type, within ``known``."""
    if len(op.activations) != 1 or not same_type(x := op.activations[0], op.y):
        return False
    if definition_of(op).is_view:
        return True
    if x not in known or not maps_values(op):
        return False
    results, values = results_by_value(op), values_of(x.dtype)
    occurring = (values >= known[x].low.min()) & (values <= known[x].high.max())
    return results is not None and np.array_equal(results[occurring], values[occurring])
