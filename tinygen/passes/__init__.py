"""Graph rewrites, one file each; every one keeps all outputs bit-identical for every input.

A pass takes a graph that ``verify`` accepts and returns one; the model's inputs and outputs keep
their order, names and types, and its states theirs. Passes run in the order of ``PIPELINE``, round
after round, until none finds anything to do; ``settle_states`` ends the work.
"""

from collections.abc import Callable
from dataclasses import replace

from tinygen.ir import Graph, Op, verify
from tinygen.ops.control import Control
from tinygen.passes.drop_dead_ops import drop_dead_ops
from tinygen.passes.drop_identities import drop_identities
from tinygen.passes.drop_idle_clamps import drop_idle_clamps
from tinygen.passes.drop_unread_channels import drop_unread_channels
from tinygen.passes.fold_constant_channels import fold_constant_channels
from tinygen.passes.fold_constants import check_inner_constants, fold_constants
from tinygen.passes.fold_into_producers import fold_into_producers
from tinygen.passes.fold_into_readers import fold_into_readers
from tinygen.passes.fold_views import fold_views
from tinygen.passes.fuse_activation import fuse_activation
from tinygen.passes.fuse_lookups import fuse_lookups
from tinygen.passes.fuse_pad import fuse_pad
from tinygen.passes.merge_equal_channels import merge_equal_channels
from tinygen.passes.note_bounds import note_bounds
from tinygen.passes.rewrite import with_ops
from tinygen.passes.settle_states import settle_states
from tinygen.passes.view_unchanged_bytes import view_unchanged_bytes

Pass = Callable[[Graph], Graph]

PIPELINE: tuple[Pass, ...] = (
    fold_constants,
    fold_views,
    drop_dead_ops,  # before the rest, which must see who really reads a tensor
    drop_identities,
    fuse_pad,
    fuse_activation,
    fuse_lookups,
    fold_into_producers,
    fold_into_readers,
    view_unchanged_bytes,  # what is left of them
    drop_idle_clamps,
    fold_constant_channels,
    merge_equal_channels,
    drop_unread_channels,  # after what makes weights zero
    note_bounds,
)


def run_pipeline(
    graph: Graph, observe: Callable[[str, Graph], None] = lambda name, graph: None
) -> Graph:
    """Apply every pass of ``PIPELINE``, checking the graph's invariants after each.

    ``observe`` sees the graph after each pass of each round; the last round changes nothing.
    """
    verify(graph)
    check_inner_constants(graph)
    graph = with_ops(graph, [_simplified_inside(op) for op in graph.ops])
    before = None
    while graph is not before:
        before = graph
        for rewrite in PIPELINE:
            graph = rewrite(graph)
            verify(graph)
            observe(rewrite.__name__, graph)
    graph = settle_states(graph)
    verify(graph)
    observe(settle_states.__name__, graph)
    return graph


def _simplified_inside(op: Op) -> Op:
    """``op`` with the graphs that it runs simplified."""
    if not isinstance(op, Control):
        return op
    return replace(op, graphs=tuple(map(run_pipeline, op.graphs)))
