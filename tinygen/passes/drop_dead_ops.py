"""Operators whose results nobody reads cost time and memory for nothing.

Exact, because what is dropped has no way to an output or to what the next invocation
reads: operators have no other effect.
"""

from tinygen.ir import Graph, Op
from tinygen.passes.rewrite import with_ops


def drop_dead_ops(graph: Graph) -> Graph:
    """Keep the operators that lead to an output or a state of the graph."""
    needed = set(graph.results)
    kept: list[Op] = []
    for op in reversed(graph.ops):
        if needed.intersection(op.outputs):
            needed.update(op.inputs)
            kept.append(op)
    return with_ops(graph, kept[::-1]) if len(kept) < len(graph.ops) else graph
