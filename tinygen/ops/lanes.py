"""Requantization and weights for Helium's kernels: ``tg_lanes_mve.h``, ``tg_block_2x4_mve.h``."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tinygen.ops.convolution import Fields, Scaling, Weighted, wrap_int32
from tinygen.ops.twist import ScalingOf, convolution_scaling, sums_of
from tinygen.quant import activation_range, multiply_by_quantized_multiplier
from tinygen.requant_proof import Range

Int64s = npt.NDArray[np.int64]

LANES = 4  # int32 of a vector
VECTOR = 16  # int8 of a vector
_LIMIT = 2**31 - 1
_TOP = 24  # the highest byte of 32 bits begins here
_DEAD_SHIFT = 8  # of channels whose output is one value: any that leaves room for it
_REMEMBERED = 8  # a row's ``fits`` and its lowering ask for the same operator, one after the other


def _as_they_are(values: Int64s) -> Int64s:
    return values


@dataclass(frozen=True, slots=True, eq=False)
class LaneRequantization:
    """The formula of ``tg_lanes_mve.h``, one entry per channel; ``left`` is 24 - n."""

    multiplier: Int64s
    constant: Int64s
    left: Int64s
    has_step: bool


def lane_requantization(
    scaling: Scaling, zero_point: int, limits: tuple[int, int], reach: Range
) -> LaneRequantization | None:
    """The formula's constants, if with them it is the reference for all accumulators in ``reach``.

    The formula's two roundings are the reference's, so all that needs a proof is that nothing
    wraps, that no channel shifts to the left, and that where the output ends at the zero point the
    correction of negative values makes no difference. Without a second shift (n = 0) there is
    nothing to correct, which has no form beside channels with one. A channel whose output is one
    value has a multiplier of zero.
    """
    ends = np.stack([reach.low, reach.high])
    wide = np.abs(ends) << np.maximum(scaling.shift, 0).astype(np.int64)
    exact = (wide <= _LIMIT).all(axis=0)  # nothing wraps, so that the reference is monotone
    scaled = multiply_by_quantized_multiplier(
        wrap_int32(ends), scaling.multiplier, scaling.shift
    ).astype(np.int64)
    low, high = np.clip(scaled + zero_point, *limits)
    flushed = scaling.multiplier == 0
    dead = flushed | (exact & (low == high))

    n = np.where(dead, _DEAD_SHIFT, -scaling.shift.astype(np.int64))
    if not (flushed | exact & (n >= 0)).all():
        return None
    multiplier = np.where(dead, 0, scaling.multiplier).astype(np.int64)
    half = np.where(dead, 0, (np.int64(1) << n) >> 1)
    constant: Int64s = np.asarray((np.where(dead, low, zero_point) << n) + half, np.int64)
    within = np.where(dead, 0, ends)
    products = multiply_by_quantized_multiplier(within, multiplier, np.zeros_like(n))
    has_step = bool((~dead & (limits[0] < zero_point) & (products[0] < 0)).any())
    sums = products.astype(np.int64) + constant
    fits = (np.abs(sums) < _LIMIT).all() and (np.abs(constant) <= _LIMIT).all()
    if not fits or (has_step and (n == 0).any()):
        return None
    return LaneRequantization(multiplier, constant, _TOP - n, has_step)


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """A layer's weights [channels, depth] and what takes its sums to int8, by channels.

    ``bias`` has the input's zero point folded in.
    """

    weights: Int64s
    bias: Int64s
    requantization: LaneRequantization
    limits: tuple[int, int]

    def fields(self) -> Fields:
        """The fields of a shape that tell how a kernel's output is made."""
        return (
            ("has_step", int(self.requantization.has_step)),
            ("output_min", self.limits[0]),
            ("output_max", self.limits[1]),
        )

    def constants(self, order: Callable[[Int64s], Int64s] = _as_they_are) -> npt.NDArray[np.int32]:
        """For each four channels four biases, multipliers, constants and left shifts.

        ``order`` puts what is by channels into the order in which the lanes take them.
        """
        found = self.requantization
        bias = wrap_int32(self.bias).astype(np.int64)
        by_channel = (bias, found.multiplier, found.constant, found.left)
        columns = np.stack([order(column) for column in by_channel])
        columns = np.pad(columns, ((0, 0), (0, -columns.shape[1] % LANES)))
        fours = columns.reshape(len(columns), -1, LANES).transpose(1, 0, 2)
        return np.ascontiguousarray(fours, np.int32)


@lru_cache(maxsize=_REMEMBERED)
def lanes_of(
    op: Weighted, scaling_of_op: ScalingOf = convolution_scaling, channel_axis: int = 0
) -> Lanes | None:
    """The layer with the requantization of ``tg_lanes_mve.h``; None if that is not the reference's.

    ``channel_axis`` is the weights' axis of output channels.
    """
    weights, bias, reach = sums_of(op, channel_axis)
    limits = activation_range(op.activation, op.y)
    found = lane_requantization(scaling_of_op(op), op.y.zero_point, limits, reach)
    return Lanes(weights, bias, found, limits) if found else None


def pack_blocks(layer: Lanes) -> npt.NDArray[np.int8]:
    """The weights in the order in which ``tg_block_2x4_mve.h`` reads them."""
    channels, depth = layer.weights.shape
    weights = np.pad(layer.weights, ((0, -channels % LANES), (0, 0)))
    fours = weights.reshape(-1, LANES, depth)
    steps = [fours[:, :, k : k + VECTOR] for k in range(0, depth, VECTOR)]
    groups = np.concatenate([step.reshape(len(fours), -1) for step in steps], axis=1)
    beyond = np.zeros(VECTOR - 1, np.int64)
    return np.concatenate([groups.reshape(-1), beyond]).astype(np.int8)
