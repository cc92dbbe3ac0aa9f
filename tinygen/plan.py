"""Arena offsets for every buffer that is alive at the same time.

The planner sees buffers only: neither operators nor C. Finding the smallest arena is NP-hard, but
the lifetimes of a network's tensors are so short that a brief search reaches the lower bound, where
it stops.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

# A search that has not reached the lower bound ends after this many buffers placed: about 0.3 s.
# The budget counts work, not time, so that every machine finds the same plan.
PLACEMENTS = 60_000

# Climbing from one order ends after this many moves in a row without a smaller arena.
PATIENCE = 100


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
    """Find offsets that make the arena as small as a short search can; the same on every run.

    An order of the buffers is a plan: place one after the other, each at the lowest offset that
    is free while it lives. So the search is over orders::

        best = the smallest arena among a few fixed orders (largest first, busiest first, ...)
        repeat until best is at the lower bound or the budget is spent:
            current = the next best fixed order; after all of them, a shuffled one
            repeat until PATIENCE moves in a row have not made current's arena smaller:
                top = one of the buffers that end where the arena ends
                move top, or a buffer alive with it, before another one alive with it
                keep the new order unless its arena is larger
            best = the smaller of best and current
    """
    search = _Search(buffers)
    best = min(search.layouts(), key=lambda layout: layout.arena_bytes)
    return Plan(tuple(buffers), best.offsets, best.arena_bytes, search.bound)


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """The most bytes alive at one step: no plan without overlap can do with less.

    Each buffer alive but the topmost also fills the gap up to the next aligned byte.
    """
    return max((pressure(b.first, buffers) for b in buffers), default=0)


def pressure(step: int, buffers: Sequence[Buffer]) -> int:
    """The fewest bytes that hold all that is alive at ``step``."""
    alive = [b for b in buffers if b.first <= step <= b.last and b.size]
    if not alive:
        return 0
    alignment = min(b.alignment for b in alive)
    gaps = [-b.size % alignment for b in alive]
    return sum(b.size for b in alive) + sum(gaps) - max(gaps)


def check_plan(plan: Plan) -> None:
    """Check, the naive way, that nothing alive shares a byte. Raises AssertionError."""
    for i, (a, start) in enumerate(zip(plan.buffers, plan.offsets, strict=True)):
        if start < 0 or start % a.alignment or start + a.size > plan.arena_bytes:
            raise AssertionError(f"'{a.name}' is misplaced at {start}")
        for b, other in zip(plan.buffers[:i], plan.offsets[:i], strict=True):
            if a.overlaps(b) and max(start, other) < min(start + a.size, other + b.size):
                raise AssertionError(f"'{a.name}' and '{b.name}' share bytes while both live")


@dataclass(frozen=True, slots=True)
class _Layout:
    """The offsets that follow from one order of placement."""

    order: tuple[int, ...]
    offsets: tuple[int, ...]
    arena_bytes: int


class _Search:
    """The buffers, prepared for many placements, and the budget that is left."""

    def __init__(self, buffers: Sequence[Buffer]) -> None:
        self.buffers = buffers
        self.bound = lower_bound(buffers)
        # An empty buffer is in nobody's way: it is never placed, and stays at offset 0.
        self.solid = tuple(i for i, b in enumerate(buffers) if b.size)
        self.alive_with = [
            tuple(j for j in self.solid if j != i and b.size and b.overlaps(buffers[j]))
            for i, b in enumerate(buffers)
        ]
        self.budget = PLACEMENTS
        self.random = random.Random(0)

    def layouts(self) -> Iterator[_Layout]:
        """What the fixed orders give, then what climbing finds; ends at the lower bound."""
        starts = []
        for key in self._orders():
            layout = self._placed(tuple(sorted(self.solid, key=key)))
            yield layout
            if layout.arena_bytes <= self.bound:
                return
            starts.append(layout)
        starts.sort(key=lambda layout: layout.arena_bytes)
        while self.budget > 0:
            layout = self._climbed(starts.pop(0) if starts else self._placed(self._shuffled()))
            yield layout
            if layout.arena_bytes <= self.bound:
                return

    def _orders(self) -> tuple[Callable[[int], tuple[int, ...]], ...]:
        """The keys that sort buffers into the fixed orders; the index breaks ties."""
        buffers = self.buffers
        pressures = {b.first: pressure(b.first, buffers) for b in buffers}
        busiest = [
            max(p for step, p in pressures.items() if b.first <= step <= b.last) for b in buffers
        ]
        steps = [b.last - b.first + 1 for b in buffers]
        return (
            lambda i: (-buffers[i].size, i),
            lambda i: (-busiest[i], -buffers[i].size, i),
            lambda i: (-busiest[i], -steps[i], i),
            lambda i: (-steps[i], -buffers[i].size, i),
            lambda i: (-steps[i] * buffers[i].size, i),
            lambda i: (buffers[i].first, -buffers[i].last, i),
            lambda i: (-buffers[i].last, buffers[i].first, i),
        )

    def _placed(self, order: tuple[int, ...], limit: int | None = None) -> _Layout:
        """Place each buffer at its lowest free offset; stop once one ends above ``limit``."""
        starts = [0] * len(self.buffers)
        ends = [0] * len(self.buffers)  # 0 until the buffer is placed
        arena = 0
        for index in order:
            buffer = self.buffers[index]
            size, alignment, offset = buffer.size, buffer.alignment, 0
            taken = [(starts[j], ends[j]) for j in self.alive_with[index] if ends[j]]
            for start, end in sorted(taken):
                if offset + size <= start:
                    break
                if end > offset:
                    offset = -(-end // alignment) * alignment
            starts[index], ends[index] = offset, offset + size
            arena = max(arena, offset + size)
            self.budget -= 1
            if limit is not None and arena > limit:
                break
        return _Layout(order, tuple(starts), arena)

    def _climbed(self, current: _Layout) -> _Layout:
        """Move buffers within the order until that no longer helps."""
        failures = 0
        while current.arena_bytes > self.bound and failures < PATIENCE and self.budget > 0:
            moved = self._placed(self._neighbour(current), current.arena_bytes)
            failures = 0 if moved.arena_bytes < current.arena_bytes else failures + 1
            if moved.arena_bytes <= current.arena_bytes:
                current = moved
        return current

    def _neighbour(self, layout: _Layout) -> tuple[int, ...]:
        """The order with one buffer that may be to blame for the arena's size moved."""
        ends = ((i, layout.offsets[i] + self.buffers[i].size) for i in layout.order)
        top = self._pick([i for i, end in ends if end == layout.arena_bytes])
        group = (top, *self.alive_with[top])
        moved, before = self._pick(group), self._pick(group)
        order = [i for i in layout.order if i != moved]
        order.insert(0 if before == moved else order.index(before), moved)
        return tuple(order)

    def _shuffled(self) -> tuple[int, ...]:
        keys = {i: self.random.random() for i in self.solid}
        return tuple(sorted(self.solid, key=keys.__getitem__))

    def _pick(self, items: Sequence[int]) -> int:
        # random() is the one generator whose sequence Python promises not to change.
        return items[int(self.random.random() * len(items))]
