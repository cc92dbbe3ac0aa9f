"""From steps to buffers and back: which tensor lives where in the arena.

Views and in-place results share their operand's buffer; scratch lives for one step. A state has a
buffer that nothing else shares, from before the first step to after the last: what is there after
one invocation is there before the next. Constants are not in the arena.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinygen.ir import Graph, Tensor
from tinygen.plan import Buffer, Plan, check_plan, plan_buffers
from tinygen.step import WORD, Step


@dataclass(frozen=True, slots=True)
class Peak:
    """The step that needs the most of the arena, and what for, in bytes.

    ``step`` indexes the steps; -1 is before the first, when the inputs have been written, and
    ``len(steps)`` is after the last. ``held`` is what only other steps read. A result in place of
    an input counts as that input.
    """

    step: int
    inputs: int = 0
    outputs: int = 0
    scratch: int = 0
    held: int = 0

    @property
    def total(self) -> int:
        """All bytes alive at the step."""
        return self.inputs + self.outputs + self.scratch + self.held

    def describe(self, steps: Sequence[Step]) -> str:
        """One line for errors and reports; ``steps`` are those that were allocated."""
        if self.step < 0:
            where = "before the first layer"
        elif self.step >= len(steps):
            where = "after the last layer"
        else:
            layer = sum(step.kernel is not None for step in steps[: self.step])
            op = steps[self.step].op
            # TensorFlow joins the names of what it fused with semicolons; the first says enough.
            where = f"at layer {layer} ({op.kind} '{op.name.split(';')[0]}')"
        uses = (
            (self.inputs, "in"),
            (self.outputs, "out"),
            (self.scratch, "scratch"),
            (self.held, "held for later"),
        )
        return f"peak {where}: " + (" + ".join(f"{n:,} {use}" for n, use in uses if n) or "0")


@dataclass(frozen=True, slots=True)
class Memory:
    """Byte offsets into the arena, whose first byte must be aligned to 8.

    ``scratch`` has one offset per step, 0 where the step needs none. ``live_bound_bytes`` is the
    most bytes of tensors alive at one step, a view not being a tensor of its own: what a plan
    without in-place results cannot go below, even if it needs no scratch.
    """

    tensors: dict[Tensor, int]
    scratch: tuple[int, ...]
    plan: Plan
    live_bound_bytes: int
    peak: Peak

    @property
    def arena_bytes(self) -> int:
        """Size of the arena."""
        return self.plan.arena_bytes


def live_bytes(graph: Graph, steps: Sequence[Step]) -> tuple[int, ...]:
    """Bytes of tensors that are alive at each step; a view is not a tensor of its own."""
    uses = _uses(_lives(graph, steps), steps, scratch=False)
    return tuple(peak.total for peak in uses if 0 <= peak.step < len(steps))


@dataclass(slots=True, eq=False)
class _Life:
    """A buffer in the making: the steps from ``first`` to ``last`` need its bytes."""

    name: str
    size: int
    alignment: int
    first: int
    last: int


def allocate(graph: Graph, steps: Sequence[Step]) -> Memory:
    """Plan the arena of ``graph`` executed as ``steps``.

    All inputs are written before the first step; all outputs are read after the last. The states
    are settled.
    """
    lives = _lives(graph, steps)
    live_bound = max((peak.total for peak in _uses(lives, steps, scratch=False)), default=0)
    _share_in_place(lives, steps)
    owners = _distinct(lives.values())
    busy = [index for index, step in enumerate(steps) if step.scratch_bytes]
    plan = plan_buffers(
        [
            *(Buffer(o.name, o.size, o.first, o.last, o.alignment) for o in owners),
            *(_scratch(steps[i], i) for i in busy),
        ]
    )
    check_plan(plan)
    offsets = dict(zip(owners, plan.offsets, strict=False))
    scratch = dict(zip(busy, plan.offsets[len(owners) :], strict=True))
    return Memory(
        tensors={tensor: offsets[life] for tensor, life in lives.items()},
        scratch=tuple(scratch.get(i, 0) for i in range(len(steps))),
        plan=plan,
        live_bound_bytes=live_bound,
        peak=max(
            _uses(lives, steps, scratch=True),
            key=lambda peak: (peak.total, 0 <= peak.step < len(steps)),
        ),
    )


def _lives(graph: Graph, steps: Sequence[Step]) -> dict[Tensor, _Life]:
    """The life of every tensor in the arena; a view has that of the tensor it shows.

    Inputs that nobody reads and results that nobody reads are written all the same.
    """
    lives = {t: _life(t, -1) for t in graph.sources}
    for index, step in enumerate(steps):
        op = step.op
        for tensor in op.activations:
            lives[tensor].last = index
        for tensor in op.outputs:
            if step.kernel is None:
                if op.x.is_constant or tensor.nbytes != op.x.nbytes:
                    raise AssertionError(f"{op.kind} '{op.name}' is no view of an activation")
                lives[tensor] = lives[op.x]
            else:
                lives[tensor] = _life(tensor, index)
    for tensor in graph.outputs:
        if not tensor.is_constant:
            lives[tensor].last = len(steps)
    for state in graph.states:
        _keep(lives, lives[state.before], lives[state.after])
        lives[state.before].last = len(steps)
    return lives


def _keep(lives: dict[Tensor, _Life], before: _Life, after: _Life) -> None:
    """Make one buffer of what a state was and what it becomes, as ``settle_states`` has made sure
    that it can be."""
    if before is not after:
        lives.update({t: before for t, life in lives.items() if life is after})


def _scratch(step: Step, index: int) -> Buffer:
    name = f"scratch of {step.op.name}"
    return Buffer(name, step.scratch_bytes, index, index, step.scratch_alignment)


def _life(tensor: Tensor, first: int) -> _Life:
    alignment = max(WORD, tensor.dtype.size)
    return _Life(tensor.name, tensor.nbytes, alignment, first, first)


def _share_in_place(lives: dict[Tensor, _Life], steps: Sequence[Step]) -> None:
    """Let results take over the buffers of operands that die, where the kernel allows it."""
    for index, step in enumerate(steps):
        # A second call could still need what the first has overwritten.
        if step.kernel is None or not step.kernel.in_place or len(step.calls) != 1:
            continue
        operands, y = step.calls[0].operands, step.calls[0].results[0]
        x, others = operands[0], operands[1:]
        if x.is_constant or (x.nbytes, x.dtype.size) != (y.nbytes, y.dtype.size):
            continue
        old, new = lives[x], lives[y]
        read_again = old.last > index or any(lives.get(t) is old for t in others)
        kept = new.first < index  # a state's buffer, which has its place
        if not read_again and not kept:
            old.last = new.last
            lives.update({t: old for t, life in lives.items() if life is new})


def _uses(lives: dict[Tensor, _Life], steps: Sequence[Step], *, scratch: bool) -> list[Peak]:
    """What is alive before the first step, at each step, and after the last."""
    owners = _distinct(lives.values())
    found = []
    for index in range(-1, len(steps) + 1):
        step = steps[index] if 0 <= index < len(steps) else None
        read = _distinct(lives[t] for t in step.op.activations) if step else ()
        written = _distinct(lives[t] for t in step.op.outputs) if step else ()
        total = sum(o.size for o in owners if o.first <= index <= o.last)
        inputs = sum(life.size for life in read)
        outputs = sum(life.size for life in written if life not in read)
        own = step.scratch_bytes if step and scratch else 0
        found.append(Peak(index, inputs, outputs, own, total - inputs - outputs))
    return found


def _distinct(lives: Iterable[_Life]) -> tuple[_Life, ...]:
    """Each life once, in order of first mention."""
    return tuple(dict.fromkeys(lives))
