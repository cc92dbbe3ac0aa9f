"""What the accumulators of convolutions and matrix products can reach, and the results from them.

Weights and bias are known when compiling, and so is what each input channel can hold; the least sum
takes the low end of what a positive weight multiplies and the high end of what a negative one does.
Requantization never decreases where its input increases, as long as nothing leaves 32 bits, so the
results lie between those of the two ends.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tinygen.interval import Interval
from tinygen.ir import Array
from tinygen.ops.convolution import Scaling, Weighted, requantized
from tinygen.quant import INT32_MAX, INT32_MIN, activation_range


def accumulated(weights: Array, offsets: Interval, bias: Array) -> Interval:
    """Bounds of bias[o] + the sum over c of weights[o, .., c] * offset, with offsets[o, c].

    ``weights`` are [out, taps, depth]; every tap's offset of (o, c) lies in the bounds
    ``offsets``, whose arrays broadcast to [out, depth]. Sums are not wrapped to 32 bits.
    """
    wide = weights.astype(np.int64)
    positive = np.maximum(wide, 0).sum(axis=1)
    negative = np.minimum(wide, 0).sum(axis=1)
    low = positive * offsets.low + negative * offsets.high
    high = positive * offsets.high + negative * offsets.low
    return Interval(bias + low.sum(axis=1), bias + high.sum(axis=1))


def offsets_of(x: Interval, zero_point: int, *, padded: bool) -> Interval:
    """Bounds of x - zero_point; what is outside a padded image counts as 0."""
    known = x.including(zero_point) if padded else x
    return Interval(known.low - zero_point, known.high - zero_point)


def fixed_point_bounds(op: Weighted, accumulators: Interval, scaling: Scaling) -> Interval:
    """Bounds of the results of accumulators that are scaled in fixed point, rounding twice."""
    left = np.maximum(scaling.shift.astype(np.int64), 0)
    bounded = accumulators.clipped(-(1 << 32), 1 << 32)  # so that 64 bits hold them shifted
    widest = (bounded.low << left, bounded.high << left)
    return result_bounds(op, accumulators, widest, lambda ends: requantized(op, ends, scaling))


def result_bounds(
    op: Weighted,
    accumulators: Interval,
    widest: tuple[Array, Array],
    results: Callable[[Array], Array],
) -> Interval:
    """Bounds from ``results``, a function of int32 accumulators that grows with them.

    ``widest`` are the ends of the values on the way to the result. Where these or the accumulators
    near the ends of int32, only the clamp limits.
    """
    room = 256  # for the output's zero point and for rounding
    least = np.minimum(accumulators.low, widest[0])
    most = np.maximum(accumulators.high, widest[1])
    fits = (least >= INT32_MIN + room) & (most <= INT32_MAX - room)
    first = results(np.where(fits, accumulators.low, 0).astype(np.int32)).astype(np.int64)
    last = results(np.where(fits, accumulators.high, 0).astype(np.int32)).astype(np.int64)
    low, high = sorted(activation_range(op.activation, op.y))
    return Interval(np.where(fits, first, low), np.where(fits, last, high))


def per_output(x: Interval, groups: int, outputs: int) -> Interval:
    """The bounds [outputs, depth] that the outputs of a grouped convolution see."""
    group: npt.NDArray[np.int64] = np.arange(outputs) * groups // outputs
    return Interval(x.low.reshape(groups, -1)[group], x.high.reshape(groups, -1)[group])
