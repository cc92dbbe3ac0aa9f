"""Operators that read only constants, or only shapes, give the same result on every run: compute it
now.

Exact, because the operator's own reference computes it, and kernels are proven equal to that.
"""

from dataclasses import replace

from tinygen.errors import UnsupportedError
from tinygen.ir import Graph, Op, Tensor, with_tensors
from tinygen.ops import definition_of
from tinygen.ops.while_loop import While
from tinygen.passes.rewrite import with_ops

# More than the flash of any microcontroller.
LARGEST_CONSTANT_BYTES = 64 << 20


def fold_constants(graph: Graph) -> Graph:
    """Replace the results of such operators by constants; chains fold in one go.

    Raises UnsupportedError for a result that no board could hold.
    """
    known: dict[Tensor, Tensor] = {}
    kept: list[Op] = []
    for original in graph.ops:
        op = with_tensors(original, known)
        definition = definition_of(op)
        # A loop of constants may be one without end.
        foldable = op.inputs and not op.activations and not isinstance(op, While)
        if definition.shape_only or foldable:
            _check_size(op)
            values = () if definition.shape_only else tuple(t.values for t in op.inputs)
            results = definition.reference(op, values)
            for tensor, data in zip(op.outputs, results, strict=True):
                known[tensor] = replace(tensor, data=data)
        else:
            kept.append(op)
    return with_ops(graph, kept, known) if known else graph


def _check_size(op: Op) -> None:
    """Refuse a constant that a few bytes of the file would blow up to gigabytes."""
    size = sum(tensor.nbytes for tensor in op.outputs)
    if size > LARGEST_CONSTANT_BYTES:
        raise UnsupportedError(
            f"{op.kind} '{op.name}' makes a constant of {size:,} bytes; tinygen folds up to "
            f"{LARGEST_CONSTANT_BYTES:,}",
            "compute it outside of the model, or make it smaller",
        )
