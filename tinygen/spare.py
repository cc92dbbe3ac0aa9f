"""Scratch that costs no RAM: what the arena has left while a step runs.

The arena is as large as its busiest step needs it. Kernels that rearrange their input by bands are
the faster the higher the bands; in all other steps they can have what lies idle then.
"""

from collections.abc import Sequence
from dataclasses import replace

from tinygen.memory import Memory
from tinygen.plan import Plan, check_plan
from tinygen.step import Step


def spend_spare(steps: Sequence[Step], memory: Memory) -> tuple[tuple[Step, ...], Memory]:
    """Lower the steps that more scratch makes faster again, with all that is free beside them.

    Neither the arena nor the place of any tensor changes.
    """
    busy = [index for index, step in enumerate(steps) if step.scratch_bytes]
    first = len(memory.plan.buffers) - len(busy)
    found, plan, scratch = list(steps), memory.plan, list(memory.scratch)
    for own, index in enumerate(busy, first):
        step = steps[index]
        if step.kernel is None or step.kernel.lower_within is None:
            continue
        offset, room = _widest_gap(plan, own)
        wider = replace(step, calls=step.kernel.lower_within(step.op, room))
        if step.scratch_bytes < wider.scratch_bytes <= room:
            found[index], scratch[index] = wider, offset
            plan = _with_buffer(plan, own, wider.scratch_bytes, offset)
    check_plan(plan)
    return tuple(found), replace(memory, plan=plan, scratch=tuple(scratch))


def _widest_gap(plan: Plan, own: int) -> tuple[int, int]:
    """Offset and bytes of the most that buffer number ``own`` could have where it is alive."""
    buffer = plan.buffers[own]
    taken = sorted(
        (offset, offset + other.size)
        for i, (other, offset) in enumerate(zip(plan.buffers, plan.offsets, strict=True))
        if i != own and other.overlaps(buffer)
    )
    gaps, end = [], 0
    for start, stop in (*taken, (plan.arena_bytes, plan.arena_bytes)):
        aligned = -(-end // buffer.alignment) * buffer.alignment
        gaps.append((start - aligned, aligned))
        end = max(end, stop)
    size, offset = max(gaps, key=lambda gap: (gap[0], -gap[1]))
    return offset, size


def _with_buffer(plan: Plan, index: int, size: int, offset: int) -> Plan:
    buffers, offsets = list(plan.buffers), list(plan.offsets)
    buffers[index], offsets[index] = replace(buffers[index], size=size), offset
    return replace(plan, buffers=tuple(buffers), offsets=tuple(offsets))
