"""Choose a kernel for every operator: the one place where the instruction set decides."""

from collections.abc import Callable, Sequence
from typing import Any

from tinygen.ir import Graph, Op
from tinygen.isa import Isa
from tinygen.memory import allocate
from tinygen.ops import definition_of
from tinygen.ops.base import Kernel
from tinygen.ops.control import Control
from tinygen.optimize import Optimize
from tinygen.step import Block, Step

Choice = Callable[[Op, Sequence[Kernel[Any]]], Kernel[Any]]


def best(op: Op, rows: Sequence[Kernel[Any]]) -> Kernel[Any]:
    """The first row: tables list the best first."""
    return rows[0]


def select(
    graph: Graph, isa: Isa, choose: Choice = best, optimize: Optimize = Optimize.SPEED
) -> tuple[Step, ...]:
    """Give each operator one of the rows that the target can run and that fit."""
    return tuple(_step(op, isa, choose, optimize) for op in graph.ops)


def candidates(op: Op, isa: Isa, optimize: Optimize = Optimize.SPEED) -> tuple[Kernel[Any], ...]:
    """Every row that may compute ``op`` on a core with ``isa``, best first."""
    fitting = [row for row in definition_of(op).kernels if row.needs in isa and row.fits(op)]
    if optimize is Optimize.SIZE:
        plain = (row for row in fitting if not row.packs)
        return tuple(sorted(plain, key=lambda row: not row.compresses))
    fitting.sort(key=lambda row: row.compresses)
    if optimize is Optimize.BALANCED:
        short = {row.function for row in fitting if row.short}
        return tuple(
            row for row in fitting if not row.bulky and (row.short or row.function not in short)
        )
    return tuple(fitting)


def _step(op: Op, isa: Isa, choose: Choice, optimize: Optimize) -> Step:
    if definition_of(op).is_view:
        return Step(op, None, ())
    kernel = choose(op, candidates(op, isa, optimize))
    return Step(op, kernel, kernel.lower(op), blocks_of(op, isa, optimize))


def blocks_of(op: Op, isa: Isa, optimize: Optimize) -> tuple[Block, ...]:
    """The graphs inside ``op`` with the first row for each of their operators, and their memory."""
    if not isinstance(op, Control):
        return ()
    found = []
    for graph in op.graphs:
        steps = select(graph, isa, best, optimize)
        found.append(Block(graph, steps, allocate(graph, steps)))
    return tuple(found)
