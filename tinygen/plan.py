"""Arena offsets for every buffer that is alive at the same time.

The planner sees buffers only: neither operators nor C.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Buffer:
    """``size`` bytes that must stay intact from step ``first`` to step ``last``, both included."""

    name: str
    size: int
    first: int
    last: int
    alignment: int = 4

    def overlaps(self, other: "Buffer") -> bool:
        """Whether both are alive at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, slots=True)
class Plan:
    """One offset for each buffer, and how good the whole is, in bytes."""

    buffers: tuple[Buffer, ...]
    offsets: tuple[int, ...]
    arena_bytes: int
    lower_bound_bytes: int


def plan_buffers(buffers: Sequence[Buffer]) -> Plan:
    """Place the largest first, each at the lowest offset that is free while it lives."""
    offsets = [0] * len(buffers)
    placed: list[int] = []
    for index in sorted(range(len(buffers)), key=lambda i: (-buffers[i].size, i)):
        buffer, offset = buffers[index], 0
        for other in sorted((i for i in placed if buffers[i].overlaps(buffer)), key=lambda i: offsets[i]):
            if offset + buffer.size <= offsets[other]:
                break
            end = offsets[other] + buffers[other].size
            offset = max(offset, -(-end // buffer.alignment) * buffer.alignment)
        offsets[index] = offset
        placed.append(index)
    arena = max((o + b.size for o, b in zip(offsets, buffers, strict=True)), default=0)
    return Plan(tuple(buffers), tuple(offsets), arena, lower_bound(buffers))


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """The most bytes alive at one step: no plan without overlap can do with less."""
    steps = {b.first for b in buffers}
    return max((sum(b.size for b in buffers if b.first <= s <= b.last) for s in steps), default=0)


def check_plan(plan: Plan) -> None:
    """Check, the naive way, that nothing alive shares a byte. Raises AssertionError."""
    for i, (a, start) in enumerate(zip(plan.buffers, plan.offsets, strict=True)):
        if start % a.alignment or start + a.size > plan.arena_bytes:
            raise AssertionError(f"'{a.name}' is misplaced at {start}")
        for b, other in zip(plan.buffers[:i], plan.offsets[:i], strict=True):
            if a.overlaps(b) and start < other + b.size and other < start + a.size:
                raise AssertionError(f"'{a.name}' and '{b.name}' share bytes while both live")
