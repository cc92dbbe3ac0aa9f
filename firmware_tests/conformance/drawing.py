"""One-operator graphs by operator, type, numerics and seed."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from firmware_tests.conformance import (
    controlling,
    converting,
    curving,
    moving,
    pairing,
    reducing,
    streaming,
    weighing,
)
from firmware_tests.conformance.bench import Bench
from firmware_tests.conformance.retyped import retyped
from firmware_tests.kernels.harness import graph_of
from firmware_tests.models.random_ops import DRAWS
from firmware_tests.models.scene import Illegal
from tinygen.ir import DType, Graph, Numerics, Op
from tinygen.ops import OPS, definition_of

Draw = Callable[[Bench], Any]

ALL_DRAWS: tuple[Draw, ...] = (
    *(draw for draw, _ in DRAWS),
    *controlling.DRAWS,
    *converting.DRAWS,
    *curving.DRAWS,
    *moving.DRAWS,
    *pairing.DRAWS,
    *reducing.DRAWS,
    *streaming.DRAWS,
    *weighing.DRAWS,
)
PROBES = 40  # times that a draw is tried to see which operators it makes
PATIENCE = 2000
MOST_ELEMENTS = 4096
LEAST_SCALE, LARGEST_SCALE = 2.0**-27, 2.0**20  # beyond them the front end may refuse a file
DIVISIONS = ("DIV", "FLOOR_DIV", "FLOOR_MOD")  # by 0 the references stop, so divisors stay constant
CONSTANT = ("BROADCAST_ARGS", "RANGE")  # of constants alone, so nothing of them is left to run
FREED = 0.3  # how many operators get constants of theirs as inputs, where the rules allow it


class NoDrawError(Exception):
    """Nothing draws an operator of this type: ``firmware_tests/conformance`` needs a draw."""


def declared() -> tuple[tuple[str, DType], ...]:
    """Every operator of the table with each of its types."""
    return tuple((d.op.kind, dtype) for d in OPS for dtype in d.dtypes)


def pairs() -> tuple[tuple[str, DType], ...]:
    """Those that there is firmware of."""
    return tuple(pair for pair in declared() if pair[0] not in CONSTANT)


@cache
def is_drawn(kind: str, dtype: DType, numerics: Numerics) -> bool:
    """Whether the rules let anything through: some operators exist for one reference only."""
    try:
        drawn(kind, dtype, numerics, 0)
    except NoDrawError:
        return False
    return True


def drawn(
    kind: str, dtype: DType, numerics: Numerics, seed: int, patience: int = PATIENCE
) -> Graph:
    """The graph of one operator that these four say. Raises NoDrawError where none is found."""
    place = (list(DType).index(dtype), list(Numerics).index(numerics), seed)
    rng = np.random.default_rng((*kind.encode(), *place))
    # What is drawn for one reference alone is computed alike for the other.
    scenes = sorted(Numerics, key=lambda n: n is not numerics)
    scene = next((n for n in scenes if _draws_of(kind, n)), numerics)
    draws = _draws_of(kind, scene)
    for _ in range(patience if draws else 0):
        draw = draws[int(rng.integers(len(draws)))]
        for op in _operators(draw, Bench(rng, scene, dtype=dtype)):
            if op.kind != kind:
                continue
            if scene is not numerics:
                op = _with(op, numerics)  # noqa: PLW2901
            if (found := _legal(op, dtype, numerics, rng)) is not None:
                return replace(graph_of([found]), name=f"{kind.lower()}_{dtype.value}_{seed}")
    raise NoDrawError(f"no draw makes {kind} of {dtype.value} under {numerics.value}")


def _with(op: Op, numerics: Numerics) -> Op:
    """``op`` for ``numerics``, where it knows any."""
    return replace(op, numerics=numerics) if "numerics" in op.attributes() else op  # type: ignore[call-arg]


def _legal(op: Op, dtype: DType, numerics: Numerics, rng: np.random.Generator) -> Op | None:
    """``op`` on ``dtype`` if the table takes it, and if it computes anything."""
    definition = definition_of(op)
    if definition.subject(op).dtype is DType.INT8:
        op = retyped(op, dtype, numerics, rng)
    if rng.random() < FREED and op.kind not in DIVISIONS:
        free = _freed(op, dtype)
        op = op if definition.violations(free) else free
    fits = definition.subject(op).dtype is dtype and any(not t.is_constant for t in op.inputs)
    small = max(t.elements for t in (*op.inputs, *op.outputs)) <= MOST_ELEMENTS
    scales = [s for t in (*op.inputs, *op.outputs) if t.quant for s in t.quant.scale]
    sane = all(LEAST_SCALE < s < LARGEST_SCALE for s in scales)
    return op if fits and small and sane and not definition.violations(op) else None


def _freed(op: Op, dtype: DType) -> Op:
    """``op`` with its constants of ``dtype`` as inputs; integers without scale often steer."""
    if dtype in (DType.INT32, DType.INT64):
        return op
    inputs = tuple(replace(t, data=None) if t.dtype is dtype else t for t in op.inputs)
    return replace(op, inputs=inputs)


def _operators(draw: Draw, bench: Bench) -> Iterator[Op]:
    """What ``draw`` adds, and what it tried to; the last first."""
    with suppress(Illegal):
        draw(bench)
    yield from reversed(bench.tried)


@cache
def _draws_of(kind: str, numerics: Numerics) -> tuple[Draw, ...]:
    return tuple(draw for draw in ALL_DRAWS if kind in _kinds(draw, numerics))


@cache
def _kinds(draw: Draw, numerics: Numerics) -> frozenset[str]:
    """The operators that ``draw`` is seen to make."""
    found = set()
    for seed in range(PROBES):
        bench = Bench(np.random.default_rng(seed), numerics)
        found |= {op.kind for op in _operators(draw, bench)}
    return frozenset(found)
