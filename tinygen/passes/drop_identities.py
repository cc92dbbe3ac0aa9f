"""Converters leave operators behind that change nothing: a RESHAPE to the shape that is there, a
QUANTIZE between equal types, a RELU where the zero point is the smallest value.

Exact, because input and output have one shape, type and quantization, so that readers take their
bytes alike, and the bytes are equal: a view's always are, and an elementwise operator is dropped
only if its reference maps each value that its input can hold to itself.
"""

import numpy as np

from tinygen.bounds import value_bounds
from tinygen.interval import Interval
from tinygen.ir import Graph, Op
from tinygen.ops import definition_of
from tinygen.ops.lookup import Lookup
from tinygen.ops.quantize import Quantize
from tinygen.ops.relu import Relu, Relu6, ReluN1To1
from tinygen.passes.rewrite import results_by_value, same_type, values_of, without_identity

ELEMENTWISE = (Lookup, Quantize, Relu, Relu6, ReluN1To1)


def drop_identities(graph: Graph) -> Graph:
    """Let the readers of such a result read the operator's input."""
    known = value_bounds(graph)
    position = 0
    while position < len(graph.ops):
        op = graph.ops[position]
        rest = without_identity(graph, op) if is_identity(op, known.get(op.x)) else graph
        position += len(rest.ops) == len(graph.ops)
        graph = rest
    return graph


def is_identity(op: Op, x: Interval | None) -> bool:
    """Whether ``op`` is known to return its input, value for value and type for type.

    ``x`` are the bounds of the input, if it has 8 bits.
    """
    if len(op.activations) != 1 or not same_type(op.x, op.y):
        return False
    if definition_of(op).is_view:
        return True
    if x is None or not isinstance(op, ELEMENTWISE):
        return False
    results, values = results_by_value(op), values_of(op.x.dtype)
    occurring = (values >= x.low.min()) & (values <= x.high.max())
    return results is not None and np.array_equal(results[occurring], values[occurring])
