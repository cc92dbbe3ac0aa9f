"""Chains of RESHAPE, SQUEEZE and EXPAND_DIMS only matter by their ends: reading the first operand
directly frees the shapes between, and shows where a chain comes back to the shape it started from.

Exact, because a view has the bytes of its operand, whatever the shapes and quantizations are.
"""

from tinygen.ir import Graph, Op, Tensor
from tinygen.ops import definition_of
from tinygen.ops.reshape import Reshape
from tinygen.passes.rewrite import with_ops


def fold_views(graph: Graph) -> Graph:
    """Let each view of a view show what that one shows."""
    shown: dict[Tensor, Tensor] = {}
    ops: list[Op] = []
    for op in graph.ops:
        folded = op
        if definition_of(op).is_view:
            shown[op.y] = shown.get(op.x, op.x)
            if shown[op.y] is not op.x:
                folded = Reshape(op.name, (shown[op.y],), op.outputs)
        ops.append(folded)
    return graph if ops == list(graph.ops) else with_ops(graph, ops)
