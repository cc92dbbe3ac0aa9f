"""Spare room: what a step may use of an arena that others need larger."""

import random
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import pytest

from tinygen.ir import DType, Graph, Op, Tensor
from tinygen.memory import Memory, allocate
from tinygen.ops.base import Call, Kernel
from tinygen.plan import check_plan
from tinygen.spare import spend_spare
from tinygen.step import Step


@dataclass(frozen=True, slots=True, eq=False)
class Fake(Op):
    kind: ClassVar[str] = "FAKE"


def calls(op: Op, scratch_bytes: int) -> tuple[Call, ...]:
    return (Call((), (), op.activations, op.outputs, scratch_bytes),)


def elastic(least: int, unit: int) -> Kernel[Any]:
    """A row whose scratch is a multiple of ``unit``, and ``least`` if nothing is known."""
    return Kernel(
        "tg_fake",
        "tg_fake.h",
        "tg_fake",
        lambda op: calls(op, least),
        lower_within=lambda op, room: calls(op, max(least, room // unit * unit)),
    )


def fixed(scratch_bytes: int) -> Kernel[Any]:
    return Kernel("tg_fake", "tg_fake.h", "tg_fake", lambda op: calls(op, scratch_bytes))


def chain(sizes: list[int], rows: list[Kernel[Any]]) -> tuple[tuple[Step, ...], Memory]:
    """Steps one after the other, with tensors of ``sizes`` between them."""
    tensors = [Tensor(f"t{i}", (size,), DType.INT8) for i, size in enumerate(sizes)]
    ops = [Fake(f"op{i}", (x,), (y,)) for i, (x, y) in enumerate(pairwise(tensors))]
    steps = tuple(Step(op, row, row.lower(op)) for op, row in zip(ops, rows, strict=True))
    graph = Graph("g", (tensors[0],), (tensors[-1],), tuple(ops))
    return steps, allocate(graph, steps)


def scratch_of(steps: tuple[Step, ...]) -> list[int]:
    return [step.scratch_bytes for step in steps]


def test_a_step_takes_what_a_busier_one_needs_anyway() -> None:
    steps, memory = chain([100, 100, 200], [elastic(8, 8), fixed(0)])
    found, wider = spend_spare(steps, memory)
    assert memory.arena_bytes == wider.arena_bytes == 300
    assert scratch_of(found) == [96, 0]
    assert wider.tensors == memory.tensors


def test_the_busiest_step_takes_no_more() -> None:
    steps, memory = chain([50, 200, 10], [elastic(24, 8), fixed(0)])
    assert scratch_of(spend_spare(steps, memory)[0]) == [24, 0]


def test_rows_that_want_no_more_keep_their_calls() -> None:
    steps, memory = chain([16, 16, 400], [fixed(12), fixed(0)])
    assert spend_spare(steps, memory) == (steps, memory)


@pytest.mark.parametrize("seed", range(20))
def test_nothing_alive_shares_a_byte_and_the_arena_stays(seed: int) -> None:
    rng = random.Random(seed)
    sizes = [rng.randrange(1, 300) for _ in range(9)]
    rows = [
        rng.choice([fixed(0), fixed(rng.randrange(60)), elastic(rng.randrange(1, 60), 4)])
        for _ in sizes[1:]
    ]
    steps, memory = chain(sizes, rows)
    found, wider = spend_spare(steps, memory)
    check_plan(wider.plan)
    assert wider.arena_bytes == memory.arena_bytes
    assert all(new >= old for new, old in zip(scratch_of(found), scratch_of(steps), strict=True))
    planned = [b.size for b in wider.plan.buffers if b.name.startswith("scratch of")]
    assert planned == [size for size in scratch_of(found) if size]
