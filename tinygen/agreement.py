"""Whether outputs agree with an oracle's: to the bit, and float32 within what is stated."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tinygen.ir import Array, DType, Graph, Op
from tinygen.ops import definition_of, hybrid
from tinygen.ops.control import Control
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.tolerance import (
    EXACT,
    FLOAT_MODEL,
    HYBRID_MODEL,
    Tolerance,
    bits_differ,
    deviating,
)

Outputs = Sequence[tuple[Array, ...]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing all outputs of all vectors has found.

    ``mismatched_bytes`` are those of values beyond the tolerance, ``within`` the values that differ
    and are not beyond it. ``largest`` is the largest absolute difference of any, ``first`` the
    first vector with a value beyond.
    """

    mismatched_bytes: int
    within: int
    largest: float
    first: int | None


def is_hybrid(op: Op) -> bool:
    """Whether int8 weights meet float32 activations."""
    return isinstance(op, WeightedOp) and hybrid.is_hybrid(op)


def operators_in(graph: Graph) -> Iterator[Op]:
    """The operators of ``graph``, and of the graphs within them."""
    for op in graph.ops:
        yield op
        for inner in op.graphs if isinstance(op, Control) else ():
            yield from operators_in(inner)


def tolerance_of(op: Op) -> Tolerance:
    """What the float32 outputs of ``op`` may lie off, given the same inputs."""
    if isinstance(op, Control):
        return _whole([inner for graph in op.graphs for inner in operators_in(graph)])
    is_float = any(t.dtype is DType.FLOAT32 for t in op.outputs)
    return definition_of(op).tolerance if is_float else EXACT


def model_tolerance(graph: Graph) -> Tolerance:
    """What the float32 outputs of ``graph`` may lie off: nothing, if no operator's may."""
    return _whole(list(operators_in(graph)))


def _whole(ops: Sequence[Op]) -> Tolerance:
    """The tolerance of a graph with ``ops``."""
    if all(tolerance_of(op).exact for op in ops):
        return EXACT
    return HYBRID_MODEL if any(is_hybrid(op) for op in ops) else FLOAT_MODEL


def compare(got: Outputs, want: Outputs, tolerance: Tolerance) -> Comparison:
    """Compare all outputs of all vectors; each output's largest value is that of all vectors."""
    bad_bytes, within, largest = 0, 0, 0.0
    first: int | None = None
    for mine, theirs in zip(zip(*got, strict=True), zip(*want, strict=True), strict=True):
        a = np.stack(mine)
        b = np.stack(theirs).reshape(a.shape)  # an interpreter can give a scalar an axis
        differ, beyond = bits_differ(a, b), deviating(a, b, tolerance)
        within += int(np.count_nonzero(differ & ~beyond))
        if not differ.any():
            continue
        with np.errstate(invalid="ignore"):
            gap = np.abs(a.astype(np.float64) - b.astype(np.float64))
        largest = max(largest, float(np.nanmax(gap[differ], initial=0.0)))
        if beyond.any():
            bad_bytes += _bytes_that_differ(a[beyond], b[beyond])
            vector = int(np.argwhere(beyond)[0][0])
            first = vector if first is None else min(first, vector)
    # JSON has no infinity.
    return Comparison(bad_bytes, within, min(largest, sys.float_info.max), first)


def _bytes_that_differ(a: Array, b: Array) -> int:
    raw_a, raw_b = (np.frombuffer(x.tobytes(), np.uint8) for x in (a, b))
    return int(np.count_nonzero(raw_a != raw_b))
