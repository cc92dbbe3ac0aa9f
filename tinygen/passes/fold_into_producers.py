"""An elementwise operator behind a convolution, a matrix product or a sum is one more rounding of
values that were just rounded: where both roundings together are one, the first can do it alone.

Exact, because both are staircases: of each channel's accumulators the compiler knows which can
occur, and for each result the first that gives it, by the references' arithmetic. The operator is
folded only where a multiplier, a shift and a bias are found that have every step in the same place,
in every channel. A channel that gives one value for all accumulators loses its weights. Behind ADD,
SUB and MUL all pairs of inputs are compared instead. Nobody else reads what is between.

What fits: clamps, copies to another zero point, constants that are whole numbers of steps, signs.
What does not, mostly: other factors, as values that were rounded to a grid and then to another are
not spaced evenly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinygen.bounds import reader, value_bounds
from tinygen.interval import Integers, Interval
from tinygen.ir import Activation, DType, Graph, Op, Tensor
from tinygen.ops import conv2d, definition_of, depthwise_conv2d, fully_connected
from tinygen.ops.base import BoundsOf, channels_of
from tinygen.ops.binary import Binary
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.convolution import scaling_of
from tinygen.ops.depthwise_conv2d import DepthwiseConv2D
from tinygen.ops.fully_connected import FullyConnected, is_matmul
from tinygen.passes.fuse_activation import CLAMPS
from tinygen.passes.mixing import (
    Sum,
    bias_of,
    factors_of,
    fits_int32,
    fits_weights,
    rows_of,
    with_bias,
    with_factors,
    with_rows,
)
from tinygen.passes.rewrite import read_only_by, results_by_channel, with_ops
from tinygen.passes.step_fit import NEVER, Fit, Wanted, fitted
from tinygen.quant import activation_range
from tinygen.requant_proof import Range, Staircase, staircase

INT8_MIN = -128


def fold_into_producers(graph: Graph) -> Graph:
    """Let the operator before make the result of each such operator, if it can."""
    bounds_of = reader(value_bounds(graph))
    for op in graph.ops:
        producer = graph.producer(op.activations[0]) if op.activations else None
        if producer is None or not read_only_by(graph, producer.y, op):
            continue
        if (folded := folded_with(producer, op, bounds_of)) is not None:
            rest = (other for other in graph.ops if other is not op)
            graph = with_ops(graph, [folded if other is producer else other for other in rest])
    return graph


def folded_with(producer: Op, op: Op, bounds_of: BoundsOf) -> Op | None:
    """``producer`` making the result of ``op``; None if no parameters do."""
    if not producer.y.dtype is op.y.dtype is DType.INT8:
        return None
    if not isinstance(producer, Sum | Binary) or producer.activation not in CLAMPS:
        return None
    if (results := results_by_channel(op)) is None:
        return None
    if isinstance(producer, Binary):
        aims = (replace(producer, outputs=op.outputs, activation=a) for a in CLAMPS)
        sound = (aim for aim in aims if not definition_of(aim).violations(aim))
        return next((a for a in sound if equal_for_all(producer, a, results, bounds_of)), None)
    if isinstance(producer, FullyConnected) and not is_matmul(producer):
        return None
    source = Source.of(producer, bounds_of)
    if source is None:
        return None
    found = (source.with_tail(op.y, results, activation) for activation in CLAMPS)
    return next((made for made in found if made is not None), None)


def equal_for_all(producer: Binary, aim: Binary, results: Integers, bounds_of: BoundsOf) -> bool:
    """Whether ``aim`` is ``results`` of ``producer`` for all pairs of inputs that can occur."""
    if (results != results[0]).any():
        return False
    spans = (bounds_of(t).hull(1) for t in producer.inputs)
    a, b = (np.arange(span.low[0], span.high[0] + 1, dtype=np.int8) for span in spans)
    shapes = (len(a), 1), (1, len(b))

    def made(op: Binary) -> Integers:
        inputs = tuple(replace(t, shape=s) for t, s in zip(op.inputs, shapes, strict=True))
        y = replace(op.y, shape=(len(a), len(b)))
        pairs = replace(op, inputs=inputs, outputs=(y,))
        (found,) = definition_of(op).reference(pairs, (a[:, None], b[None, :]))
        return found.astype(np.int64)

    return np.array_equal(results[0][made(producer) - INT8_MIN], made(aim))


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A convolution or a matrix product, and the staircase of each of its channels."""

    op: Sum
    reach: Range
    stairs: Staircase
    limits: tuple[int, int]

    @classmethod
    def of(cls, op: Sum, bounds_of: BoundsOf) -> "Source | None":
        """None where an accumulator may come near the ends of 32 bits."""
        found, limits = accumulators_of(op, bounds_of), activation_range(op.activation, op.y)
        reach = Range(found.low, found.high)
        stairs = stairs_of(op, reach)
        return None if stairs is None else cls(op, reach, stairs, limits)

    def with_tail(self, y: Tensor, results: Integers, activation: Activation) -> Sum | None:
        """The operator that makes ``results`` [channels, 256] of what this one makes, as ``y``."""
        aim = replace(self.op, outputs=(y,), activation=activation)
        limits, factors = activation_range(activation, y), factors_of(self.op)
        tails: list[Tail] = []
        for channel, likely in enumerate(factors):
            tail = self._tail(channel, results[channel], limits, y.zero_point, likely)
            if tail is None:
                return None
            tails.append(tail)
        signs = np.array([tail.sign for tail in tails])
        addends = np.array([tail.fit.addend for tail in tails])
        rows, bias = rows_of(aim) * signs[:, None], bias_of(aim) * signs + addends
        if not (fits_weights(aim, rows) or (signs == 1).all()) or not fits_int32(bias):
            return None
        scaled = [math.ldexp(tail.fit.multiplier, tail.fit.shift - 31) for tail in tails]
        made = with_factors(with_bias(with_rows(aim, rows), bias), scaled)
        return made if made is not None and proven(made, tails) else None

    def _tail(
        self, channel: int, results: Integers, limits: tuple[int, int], zero: int, likely: float
    ) -> "Tail | None":
        """What makes ``results`` of one channel's staircase."""
        low, high = int(self.reach.low[channel]), int(self.reach.high[channel])
        first = self.stairs.first[channel]
        least, most = np.searchsorted(first, (low, high), "right")
        made = results[self.limits[0] - INT8_MIN :][least : most + 1]
        if made.min() < limits[0] or made.max() > limits[1]:
            return None
        values = np.arange(limits[0] + 1, limits[1] + 1)
        inner = first[least:most]
        if (made == made[0]).all():
            level = np.where(values <= made[0], -NEVER, NEVER)
            fit = Fit(1 << 30, -7, (int(made[0]) - zero) << 8)
            return Tail(0, Wanted(values, level, 0, 0), fit)
        sign = 1 if made[-1] > made[0] else -1
        if sign < 0:
            made, inner, (low, high) = made[::-1], 1 - inner[::-1], (-high, -low)
        if (np.diff(made) < 0).any():
            return None
        edges = np.array([-NEVER, *inner, NEVER])
        wanted = Wanted(values, edges[np.searchsorted(made, values)], low, high)
        found = fitted(wanted, zero, likely)
        return None if found is None else Tail(sign, wanted, found)


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """One channel: the factor of its weights and bias, the steps that it must have, and how."""

    sign: int
    wanted: Wanted
    fit: Fit


def proven(op: Sum, tails: Sequence[Tail]) -> bool:
    """Whether every step of ``op`` is where it must be."""
    low = np.array([tail.wanted.low for tail in tails])
    high = np.array([tail.wanted.high for tail in tails])
    addends = np.array([tail.fit.addend for tail in tails])
    stairs = stairs_of(op, Range(low + addends, high + addends))
    if stairs is None:
        return False
    wanted = np.stack([tail.wanted.first for tail in tails])
    ends = low[:, None], high[:, None] + 1
    return np.array_equal(np.clip(stairs.first - addends[:, None], *ends), np.clip(wanted, *ends))


def stairs_of(op: Sum, reach: Range) -> Staircase | None:
    """The steps of ``op`` with accumulators within ``reach``; None near the ends of 32 bits."""
    scaling = scaling_of(factors_of(op), channels_of(op.y))
    multiplier, shift = scaling.multiplier.astype(np.int64), scaling.shift.astype(np.int64)
    limits = activation_range(op.activation, op.y)
    if limits[0] > limits[1]:
        return None
    return staircase(multiplier, shift, op.y.zero_point, limits, reach)


def accumulators_of(op: Sum, bounds_of: BoundsOf) -> Interval:
    """The bounds of the accumulators, which depend on the kind."""
    if isinstance(op, Conv2D):
        return conv2d.accumulators(op, bounds_of)
    if isinstance(op, DepthwiseConv2D):
        return depthwise_conv2d.accumulators(op, bounds_of)
    return fully_connected.accumulators(op, bounds_of)
