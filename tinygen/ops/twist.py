"""Weights packed for ``tg_twist.h``'s arithmetic, and the constants around them.

A kernel by that arithmetic adds up 256 * s for the reference's accumulator s, with activations of
which the even ones are stored plus 128. Everything that no activation changes is in the sum's
start; the requantization comes from ``tinygen.requant_proof``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array
from tinygen.ops.convolution import (
    Fields,
    Scaling,
    Weighted,
    bias_values,
    real_multipliers,
    scaling_of,
)
from tinygen.quant import activation_range
from tinygen.requant_proof import FACTOR, Range, Requantization, prove, staircase

Int64s = npt.NDArray[np.int64]
ScalingOf = Callable[[Any], Scaling]  # of the operator's own class

WORD = 4
_REMEMBERED = 8  # a row's ``fits`` and its lowering ask for the same operator, one after the other


@dataclass(frozen=True, slots=True, eq=False)
class Twisted:
    """A layer's weights [channels, depth], starts and requantization, by channels.

    ``start`` is 256 * (bias - input zero point * sum of weights), for activations as they are.
    """

    weights: Int64s
    start: Int64s
    requantization: Requantization
    limits: tuple[int, int]

    @property
    def shift(self) -> int:
        """The shift of all channels, or 0 where they have their own."""
        return int(self.requantization.shift[0]) if self.requantization.is_uniform else 0

    def fields(self) -> Fields:
        """The fields of a shape that tell how a kernel's output is made."""
        return (
            ("shift", self.shift),
            ("has_step", int(self.requantization.step is not None)),
            ("output_min", self.limits[0]),
            ("output_max", self.limits[1]),
        )

    def constants(self) -> Int64s:
        """[channels, n]: multiplier, constant, and, where there are such, step and shift."""
        found = self.requantization
        columns = [found.multiplier, found.constant]
        if found.step is not None:
            columns.append(found.step)
        if not found.is_uniform:
            columns.append(found.shift)
        return np.stack(columns, axis=1)


def convolution_scaling(op: Weighted) -> Scaling:
    """The fixed-point scaling of both convolutions."""
    return scaling_of(real_multipliers(op), op.y.shape[-1])


def sums_of(op: Weighted, channel_axis: int) -> tuple[Int64s, Int64s, Range]:
    """The weights [channels, depth], bias - input zero point * sum of weights, and what a channel's
    sum of x * weights and that can be for int8 x. ``channel_axis`` is the weights' axis of output
    channels.
    """
    values = op.weights.values.astype(np.int64)
    channels = values.shape[channel_axis]
    weights = np.moveaxis(values, channel_axis, 0).reshape(channels, -1)
    constant = bias_values(op, channels) - op.x.zero_point * weights.sum(axis=1)
    reach = Range(
        constant + np.where(weights > 0, -128 * weights, 127 * weights).sum(axis=1),
        constant + np.where(weights > 0, 127 * weights, -128 * weights).sum(axis=1),
    )
    return weights, constant, reach


@lru_cache(maxsize=_REMEMBERED)
def twisted(
    op: Weighted, scaling_of_op: ScalingOf = convolution_scaling, channel_axis: int = 0
) -> Twisted | None:
    """The layer with the cheapest requantization that is proven; None if there is none.

    ``channel_axis`` is the weights' axis of output channels.
    """
    weights, constant, reach = sums_of(op, channel_axis)
    scaling = scaling_of_op(op)
    multiplier, shift = scaling.multiplier.astype(np.int64), scaling.shift.astype(np.int64)
    limits = activation_range(op.activation, op.y)
    stairs = staircase(multiplier, shift, op.y.zero_point, limits, reach)
    proven = prove(stairs, multiplier, shift) if stairs else ()
    return next((Twisted(weights, FACTOR * constant, found, limits) for found in proven), None)


def pairs_fit(weights: Array) -> bool:
    """Whether 256 * w0 - w1 of neighbouring weights fits 16 bits: not -128 before a positive."""
    return bool(np.abs(_twists(padded(weights))).max(initial=0) < 2**15)


def pack_pairs(layer: Twisted) -> npt.NDArray[np.int32]:
    """Channels by pairs, in the order in which ``tg_block_3x2.h`` reads them.

    A last single channel is paired with the one before.
    """
    weights = padded(layer.weights)
    channels = len(weights)
    start = layer.start - FACTOR * 128 * weights[:, 0::2].sum(axis=1)
    raw = halves(weights[:, 1::4], weights[:, 3::4])
    twists = _twists(weights)
    wide = halves(twists[:, 0::2], twists[:, 1::2])
    constants = layer.constants()
    firsts = [*range(0, channels - 1, 2), *([channels - 2] if channels % 2 else [])]
    pairs = np.array([(c, c + 1) for c in firsts])
    # [pairs, step, which, channel]
    steps = np.stack([raw[pairs], wide[pairs]], axis=1).transpose(0, 3, 1, 2)
    return as_int32(
        np.concatenate(
            [
                start[pairs],
                steps.reshape(len(pairs), -1),
                constants[pairs].reshape(len(pairs), -1),
            ],
            axis=1,
        )
    )


def pack_mixed(layer: Twisted) -> npt.NDArray[np.int32]:
    """Channels by fours, in the order in which ``tg_matmul_twist_s8_dsp.h`` reads them.

    A last group of fewer channels begins among those of the one before.
    """
    weights = padded(layer.weights)
    channels = len(weights)
    start = layer.start + FACTOR * 127 * weights[:, 1::2].sum(axis=1)
    bytes_ = (weights + np.array([128, 0, 128, 0] * (weights.shape[1] // WORD))) & 0xFF
    words = (bytes_.reshape(channels, -1, WORD) << np.array([0, 8, 16, 24])).sum(axis=2)
    firsts = [*range(0, channels - 3, 4), *([channels - 4] if channels % 4 else [])]
    fours = np.array([range(c, c + 4) for c in firsts])
    return as_int32(
        np.concatenate(
            [
                start[fours],
                words[fours].transpose(0, 2, 1).reshape(len(fours), -1),
                layer.constants()[fours].reshape(len(fours), -1),
            ],
            axis=1,
        )
    )


def as_int32(words: Int64s) -> npt.NDArray[np.int32]:
    """The words' low 32 bits: sums of what starts here wrap, and end where they fit."""
    return words.astype(np.int64).astype(np.int32)


def padded(weights: Array) -> Int64s:
    """Rows of weights with zeros behind them, to whole words."""
    padding = -weights.shape[1] % WORD
    return np.pad(weights.astype(np.int64), ((0, 0), (0, padding)))


def _twists(weights: Int64s) -> Int64s:
    return FACTOR * weights[:, 0::2] - weights[:, 1::2]


def halves(low: Int64s, high: Int64s) -> Int64s:
    """Words of two int16, ``low`` in the lower bits."""
    return (low & 0xFFFF) | (high << 16)
