"""Layers with a proven short requantization, as ``tg_short_requant.h`` takes them."""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tinygen.ops.convolution import Fields, Weighted
from tinygen.ops.twist import ScalingOf, sums_of
from tinygen.quant import activation_range
from tinygen.requant_proof import Requantization, Staircase, prove, settled, staircase
from tinygen.requant_split import SplitRequantization, prove_split

Int64s = npt.NDArray[np.int64]

_MOST_LEFT = 12  # more precision than any proof has needed
_REMEMBERED = 16  # a row's ``fits`` and its lowering ask for the same operator, one after the other


class Form(IntEnum):
    """The forms of ``tg_short_requant.h``, under its numbers."""

    HIGH_WORD = 0
    SPLIT = 1


@dataclass(frozen=True, slots=True, eq=False)
class ShortLayer:
    """A layer's weights [channels, depth], the sums' starts and the requantization, by channels.

    ``start`` is what a channel's sum of x * weights begins with, for activations as they are. No
    sum on the way passes 32 bits if all x fit int8, terms not yet added counting as 0.
    """

    weights: Int64s
    start: Int64s
    left: int
    requantization: Requantization
    split: SplitRequantization | None
    limits: tuple[int, int]

    def fields(self) -> Fields:
        """The fields of a shape that ``TG_SHORT_OUTPUT_FIELDS`` declares."""
        found = self.requantization
        return (
            ("form", int(Form.SPLIT if self.split else Form.HIGH_WORD)),
            ("left", self.left),
            ("shift", int(found.shift[0]) if found.is_uniform else 0),
            ("has_step", int(found.step is not None)),
            ("output_min", self.limits[0]),
            ("output_max", self.limits[1]),
        )

    def constants(self) -> npt.NDArray[np.int32]:
        """[channels, n]: the words of each channel, in the order that the header gives."""
        found, split = self.requantization, self.split
        columns = [found.multiplier, found.constant]
        if split:
            columns.append(split.top)
        if found.step is not None:
            columns += [found.step, split.zero] if split else [found.step]
        if not found.is_uniform:
            columns.append(found.shift)
        return np.stack(columns, axis=1).astype(np.int32)


@lru_cache(maxsize=_REMEMBERED)
def short_layer(
    op: Weighted, form: Form, scaling_of_op: ScalingOf, channel_axis: int = 0
) -> ShortLayer | None:
    """The layer with the cheapest requantization of ``form`` that is proven; None if none is.

    ``channel_axis`` is the weights' axis of output channels.
    """
    weights, start, reach = sums_of(op, channel_axis)
    scaling = scaling_of_op(op)
    multiplier, shift = scaling.multiplier.astype(np.int64), scaling.shift.astype(np.int64)
    limits = activation_range(op.activation, op.y)
    stairs = staircase(multiplier, shift, op.y.zero_point, limits, reach)
    if stairs is None:
        return None
    if form is Form.SPLIT:
        split = next(prove_split(stairs, multiplier, shift, limits), None)
        if split is None:
            return None
        start = _unless_idle(start - split.base, split.constants)
        return ShortLayer(weights, start, 0, split.constants, split, limits)
    left = _room(stairs, multiplier)
    found = next(prove(stairs, multiplier, shift, left), None) if left >= 0 else None
    if found is None:
        return None
    return ShortLayer(weights, _unless_idle(start, found), left, found, None, limits)


def _unless_idle(start: Int64s, found: Requantization) -> Int64s:
    """The starts, or 0 where sums are multiplied by zero, lest one passes 32 bits on the way."""
    return np.where(found.multiplier > 0, start, 0)


def _room(stairs: Staircase, multiplier: Int64s) -> int:
    """How far all accumulators that matter can be shifted to the left; negative if not at all."""
    reach = settled(stairs, multiplier)[0].reach
    return min(_MOST_LEFT, 30 - int(np.maximum(-reach.low, reach.high).max()).bit_length())
