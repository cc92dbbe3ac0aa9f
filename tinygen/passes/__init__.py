"""Graph rewrites, one file each; every one keeps all outputs bit-identical for every input.

A pass takes a graph that ``verify`` accepts and returns one; the model's inputs and outputs keep
their order, names and types. Passes run in the order of ``PIPELINE``.
"""

from collections.abc import Callable

from tinygen.ir import Graph, verify
from tinygen.passes.drop_dead_ops import drop_dead_ops
from tinygen.passes.drop_identities import drop_identities
from tinygen.passes.fold_constants import fold_constants
from tinygen.passes.fold_views import fold_views
from tinygen.passes.fuse_activation import fuse_activation
from tinygen.passes.fuse_pad import fuse_pad

Pass = Callable[[Graph], Graph]

PIPELINE: tuple[Pass, ...] = (
    fold_constants,
    fold_views,
    drop_dead_ops,  # before the rest, which must see who really reads a tensor
    drop_identities,
    fuse_pad,
    fuse_activation,
)


def run_pipeline(
    graph: Graph, observe: Callable[[str, Graph], None] = lambda name, graph: None
) -> Graph:
    """Apply every pass of ``PIPELINE``, checking the graph's invariants after each."""
    verify(graph)
    for rewrite in PIPELINE:
        graph = rewrite(graph)
        verify(graph)
        observe(rewrite.__name__, graph)
    return graph
