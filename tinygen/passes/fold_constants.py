"""Operators that read only constants, or only shapes, give the same result on every run: compute it
now.

Exact, because the operator's own reference computes it, and kernels are proven equal to that.
"""

from collections.abc import Iterator
from dataclasses import replace

from tinygen.errors import UnsupportedError
from tinygen.ir import Graph, Op, Tensor, with_tensors
from tinygen.ops import definition_of
from tinygen.ops.control import Control, graphs_within
from tinygen.passes.rewrite import with_ops

# More than the flash of a microcontroller, and little enough for the references' wider sums.
LARGEST_CONSTANT_BYTES = 16 << 20
MOST_MACS = 1 << 28


def fold_constants(graph: Graph) -> Graph:
    """Replace the results of such operators by constants; chains fold in one go.

    Raises UnsupportedError for results that no board could hold, or that take long to compute.
    """
    folded_bytes = folded_macs = 0
    known: dict[Tensor, Tensor] = {}
    kept: list[Op] = []
    for original in graph.ops:
        op = with_tensors(original, known)
        definition = definition_of(op)
        if definition.shape_only or (op.inputs and not op.activations and ends(op)):
            folded_bytes += sum(tensor.nbytes for tensor in op.outputs)
            folded_macs += definition.macs(op)
            _check_size(op, folded_bytes, folded_macs)
            values = () if definition.shape_only else tuple(t.values for t in op.inputs)
            results = definition.reference(op, values)
            for tensor, data in zip(op.outputs, results, strict=True):
                known[tensor] = replace(tensor, data=data)
        else:
            kept.append(op)
    return with_ops(graph, kept, known) if known else graph


def ends(op: Op) -> bool:
    """Whether ``op`` holds no loop: one of constants may be without end."""
    if not isinstance(op, Control):
        return True
    return not op.is_loop and all(ends(inner) for graph in op.graphs for inner in graph.ops)


def check_inner_constants(graph: Graph) -> None:
    """Check that what is folded in the graphs within ``graph`` is little enough all together.

    Raises UnsupportedError.
    """
    folded_bytes = folded_macs = 0
    for inner in graphs_within(graph):
        for op in _constant_ops(inner):
            folded_bytes += sum(tensor.nbytes for tensor in op.outputs)
            folded_macs += definition_of(op).macs(op)
            _check_size(op, folded_bytes, folded_macs)


def _constant_ops(graph: Graph) -> Iterator[Op]:
    """The operators of ``graph`` that ``fold_constants`` computes."""
    known: set[Tensor] = set()
    for op in graph.ops:
        constant = op.inputs and known.issuperset(op.activations) and ends(op)
        if constant or definition_of(op).shape_only:
            known.update(op.outputs)
            yield op


def _check_size(op: Op, folded_bytes: int, folded_macs: int) -> None:
    """Refuse constants that a few bytes of the file would blow up to gigabytes, or to hours."""
    remedy = "compute it outside of the model, or make it smaller"
    if folded_bytes > LARGEST_CONSTANT_BYTES:
        raise UnsupportedError(
            f"{op.kind} '{op.name}' makes constants of {folded_bytes:,} bytes, with what is before "
            f"it; tinygen folds up to {LARGEST_CONSTANT_BYTES:,}",
            remedy,
        )
    if folded_macs > MOST_MACS:
        raise UnsupportedError(
            f"{op.kind} '{op.name}' makes a constant by {folded_macs:,} multiply-accumulates, with "
            f"what is before it; tinygen computes up to {MOST_MACS:,}",
            remedy,
        )
