"""Choose kernels whose scratch leaves the arena about as small as the model's tensors allow."""

from collections.abc import Sequence
from typing import Any

from tinygen.ir import Graph, Op
from tinygen.memory import live_bytes
from tinygen.ops import definition_of
from tinygen.ops.base import Kernel
from tinygen.select import Choice
from tinygen.step import Step

# How far scratch may take the arena beyond the live tensors: one part in so many of them, or so
# many bytes, which is less than most kernels' variables take of the stack.
PARTS = 64
FEW_BYTES = 256


def scratch_room(graph: Graph) -> dict[Op, int]:
    """The bytes of scratch that each operator may have; most have far more than they need.

    Only the steps at which the most is alive are short of room.
    """
    kernels = [definition_of(op).kernels for op in graph.ops]
    steps = [
        Step(op, rows[-1] if rows else None, ())
        for op, rows in zip(graph.ops, kernels, strict=True)
    ]
    live = live_bytes(graph, steps)
    bound = max(live, default=0)
    limit = bound + max(bound // PARTS, FEW_BYTES)
    return {op: limit - alive for op, alive in zip(graph.ops, live, strict=True)}


def frugal(graph: Graph) -> Choice:
    """The first row whose scratch has room; where none has, the one with the least."""
    room = scratch_room(graph)

    def choose(op: Op, rows: Sequence[Kernel[Any]]) -> Kernel[Any]:
        fitting = (row for row in rows if scratch_bytes(row, op) <= room[op])
        return next(fitting, None) or min(rows, key=lambda row: scratch_bytes(row, op))

    return choose


def scratch_bytes(row: Kernel[Any], op: Op) -> int:
    """The scratch of ``op`` by ``row``."""
    return Step(op, row, row.lower(op)).scratch_bytes
