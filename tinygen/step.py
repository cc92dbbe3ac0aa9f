"""What the planner and the emitter see of an operator: the kernel that computes it, and its calls.

An operator that runs graphs of its own, as IF does, has a block for each: steps that work in memory
which lies in the operator's scratch.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tinygen.ir import Graph, Op
from tinygen.ops.base import Call, Kernel

if TYPE_CHECKING:
    from tinygen.memory import Memory


@dataclass(frozen=True, slots=True)
class Block:
    """A graph inside an operator, ready to run; ``memory`` counts from the block's first byte."""

    graph: Graph
    steps: "tuple[Step, ...]"
    memory: "Memory"


@dataclass(frozen=True, slots=True)
class Step:
    """An operator with its decision taken; ``kernel`` is None for a view, which has no code."""

    op: Op
    kernel: Kernel[Any] | None
    calls: tuple[Call, ...]
    blocks: tuple[Block, ...] = ()

    @property
    def scratch_bytes(self) -> int:
        """Bytes that the step's calls, or its blocks, need for themselves, one after the other."""
        calls = max((call.scratch_bytes for call in self.calls), default=0)
        return max(calls, *(block.memory.arena_bytes for block in self.blocks), 0)

    @property
    def scratch_alignment(self) -> int:
        """What the scratch's first byte is aligned to: words, for blocks as any arena."""
        return ARENA_ALIGNMENT if self.blocks else WORD


# Kernels load int8 by the word where that is faster.
WORD = 4
ARENA_ALIGNMENT = 8


def with_inner(steps: Iterable[Step]) -> Iterator[Step]:
    """Every step and those of its blocks; what a block holds comes before its own step."""
    for step in steps:
        for block in step.blocks:
            yield from with_inner(block.steps)
        yield step
