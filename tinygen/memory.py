"""From steps to buffers and back: which tensor lives where in the arena.

Views and in-place results share their operand's buffer; scratch lives for one step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tinygen.ir import Graph, Tensor
from tinygen.plan import Buffer, Plan, check_plan, plan_buffers
from tinygen.select import Step


@dataclass(frozen=True, slots=True)
class Memory:
    """Byte offsets into the arena.

    ``scratch`` has one offset per step, 0 where the step needs none. ``live_bound_bytes`` is the
    most bytes of tensors alive at one step, each tensor apart: what a plan without sharing and
    without scratch cannot go below.
    """

    tensors: dict[Tensor, int]
    scratch: tuple[int, ...]
    plan: Plan
    live_bound_bytes: int

    @property
    def arena_bytes(self) -> int:
        """Size of the arena."""
        return self.plan.arena_bytes


def allocate(graph: Graph, steps: Sequence[Step]) -> Memory:
    """Plan the arena of ``graph`` executed as ``steps``.

    Inputs are written before the first step; outputs are read after the last.
    """
    first: dict[Tensor, int] = {t: -1 for t in graph.inputs}
    last: dict[Tensor, int] = {t: -1 for t in graph.inputs}
    home: dict[Tensor, Tensor] = {t: t for t in graph.inputs}
    for index, step in enumerate(steps):
        for tensor in step.op.activations:
            last[home[tensor]] = index
        for tensor in step.op.outputs:
            source = step.op.x if step.kernel is None else tensor
            home[tensor] = home.get(source, tensor)
            first.setdefault(home[tensor], index)
            last[home[tensor]] = index
    for tensor in graph.outputs:
        if tensor in home:
            last[home[tensor]] = len(steps)
    owners = list(first)
    buffers = [Buffer(t.name, t.nbytes, first[t], last[t]) for t in owners]
    buffers += [Buffer(f"scratch of {s.op.name}", s.scratch_bytes, i, i)
                for i, s in enumerate(steps) if s.scratch_bytes]
    plan = plan_buffers(buffers)
    check_plan(plan)
    placed = dict(zip(owners, plan.offsets, strict=False))
    scratch_offsets = iter(plan.offsets[len(owners):])
    scratch = tuple(next(scratch_offsets) if s.scratch_bytes else 0 for s in steps)
    return Memory({t: placed[h] for t, h in home.items()}, scratch, plan, plan.lower_bound_bytes)
