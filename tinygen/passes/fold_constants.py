"""Operators that read only constants give the same result on every run: compute it now.

Exact, because the operator's own reference computes it, and kernels are proven equal to that.
"""

from dataclasses import replace

from tinygen.ir import Graph, Op, Tensor
from tinygen.ops import definition_of
from tinygen.passes.rewrite import with_ops, with_tensors


def fold_constants(graph: Graph) -> Graph:
    """Replace the results of such operators by constants; chains fold in one go."""
    known: dict[Tensor, Tensor] = {}
    kept: list[Op] = []
    for original in graph.ops:
        op = with_tensors(original, known)
        if op.inputs and not op.activations:
            results = definition_of(op).reference(op, tuple(t.values for t in op.inputs))
            for tensor, data in zip(op.outputs, results, strict=True):
                known[tensor] = replace(tensor, data=data)
        else:
            kept.append(op)
    return with_ops(graph, kept, known) if known else graph
