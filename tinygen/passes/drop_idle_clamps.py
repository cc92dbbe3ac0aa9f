"""A fused activation whose limits no value can reach only costs the comparisons.

Exact, because without the activation the operator's bounds, computed with the exact requantization
for all that its input can hold, lie within the activation's limits: it never changes a value.
"""

from dataclasses import replace

from tinygen.bounds import BYTES, reader, value_bounds
from tinygen.ir import Activation, Graph, Op
from tinygen.ops import definition_of
from tinygen.ops.base import BoundsOf
from tinygen.passes.fuse_activation import CLAMPING, CLAMPS
from tinygen.passes.rewrite import with_ops
from tinygen.quant import activation_range, dtype_range


def drop_idle_clamps(graph: Graph) -> Graph:
    """Remove fused activations that never limit anything.

    One whose limits are those of the type costs nothing, and stays for the reader.
    """
    bounds_of = reader(value_bounds(graph))
    ops = [relieved(op, bounds_of) for op in graph.ops]
    return graph if ops == list(graph.ops) else with_ops(graph, ops)


def relieved(op: Op, bounds_of: BoundsOf) -> Op:
    """``op`` without its activation, if that is idle."""
    if not isinstance(op, CLAMPING) or op.activation not in CLAMPS or op.y.dtype not in BYTES:
        return op
    limits = activation_range(op.activation, op.y)
    if limits == dtype_range(op.y.dtype):
        return op
    free = replace(op, activation=Activation.NONE)
    return free if definition_of(op).bounds(free, bounds_of).within(*limits) else op
