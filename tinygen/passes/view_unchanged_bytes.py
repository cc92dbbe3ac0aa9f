"""An operator may change what bytes mean and yet no byte: QUANTIZE between scales that differ in
their last digits, a RELU6 that copies into another scale. A view does that for nothing.

Exact, because the operator's reference maps each value that its input's channel can hold to itself,
and a view has the bytes of its operand, whatever the quantizations are.
"""

from collections.abc import Mapping

from tinygen.bounds import value_bounds
from tinygen.interval import Interval
from tinygen.ir import Graph, Op, Tensor
from tinygen.ops import definition_of
from tinygen.ops.reshape import Reshape
from tinygen.passes.rewrite import results_by_channel, values_of, with_ops


def view_unchanged_bytes(graph: Graph) -> Graph:
    """Replace each such operator by a RESHAPE to the shape that is there."""
    known = value_bounds(graph)
    ops: list[Op] = [
        Reshape(op.name, op.activations[:1], op.outputs) if leaves_bytes(op, known) else op
        for op in graph.ops
    ]
    return graph if ops == list(graph.ops) else with_ops(graph, ops)


def leaves_bytes(op: Op, known: Mapping[Tensor, Interval]) -> bool:
    """Whether ``op`` computes, and yet returns all values within ``known`` as they are."""
    if definition_of(op).is_view or not op.activations:
        return False
    x = op.activations[0]
    if x not in known or x.dtype is not op.y.dtype:
        return False
    results, values = results_by_channel(op), values_of(x.dtype)
    if results is None:
        return False
    occurring = (values >= known[x].low[:, None]) & (values <= known[x].high[:, None])
    return bool((results == values)[occurring].all())
