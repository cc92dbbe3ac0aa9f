"""Rows for weights of four bits, which stay packed in flash: CONV_2D, depthwise, FULLY_CONNECTED.

A model's int4 weights are read as int8, so that all rows take them. These pack them again, and
those of any int8 layer that four bits hold. The room they save has to be worth a function.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array
from tinygen.ops.base import Call, Kernel
from tinygen.ops.conv2d_lowering import (
    Convolution,
    dilation_fields,
    sums_call,
    window_fields,
)
from tinygen.ops.convolution import (
    Fields,
    Scaling,
    Weighted,
    WeightedOp,
    for_int8,
    real_multipliers,
    scaling_of,
)

W = TypeVar("W", bound=WeightedOp)
C = TypeVar("C", bound=Convolution)
FEWEST_WEIGHTS = 512
_LOW, _HIGH = -8, 7


def fit_four_bits(op: WeightedOp) -> bool:
    """Whether there are enough weights, and all of them have four bits."""
    weights = op.weights.values
    large = weights.size >= FEWEST_WEIGHTS
    return large and int(weights.min()) >= _LOW and int(weights.max()) <= _HIGH


def packed(rows: Array) -> npt.NDArray[np.int8]:
    """Rows of weights two to a byte, the lower half first; a row begins with a byte of its own."""
    halves = np.pad(rows.astype(np.int8), ((0, 0), (0, rows.shape[1] % 2))).view(np.uint8) & 15
    return (halves[:, 0::2] | (halves[:, 1::2] << 4)).astype(np.uint8).view(np.int8)


def compressed_call(
    op: Weighted, geometry: Fields, weights: Array, groups: int, scaling: Scaling
) -> Call:
    """The call of ``tg_conv2d_s4`` for ``weights`` [out_c, ..., in_c / groups]; the scratch is a
    patch."""
    rows = weights.reshape(len(weights), -1)
    fields = (*geometry, ("in_c", groups * weights.shape[-1]), ("groups", groups))
    return sums_call(op, fields, rows, scaling, packed(rows), rows.shape[1])


def compressed_row(lower: Callable[[W], Call], fits: Callable[[W], bool]) -> Kernel[W]:
    """The row of ``tg_conv2d_s4``, for what ``fits`` beside its weights."""
    plain: Kernel[W] = Kernel(
        "tg_conv2d_s4",
        "tg_conv2d_s4.h",
        "tg_conv2d_s8",
        lambda op: (lower(op),),
        fits=lambda op: fits(op) and fit_four_bits(op),
        scratch=True,
        compresses=True,
    )
    (row,) = for_int8(plain)
    return row


def convolution_fields(op: Convolution) -> Fields:
    """The geometry that ``compressed_call`` takes."""
    return (*window_fields(op.x, op.y, op.window), *dilation_fields(op.window))


def compressed_conv2d_row(grouped: Callable[[C], tuple[Array, int]]) -> Kernel[C]:
    """The row of ``tg_conv2d_s4`` for convolutions whose weights and groups ``grouped`` gives."""

    def lower(op: C) -> Call:
        weights, groups = grouped(op)
        scaling = scaling_of(real_multipliers(op), len(weights))
        return compressed_call(op, convolution_fields(op), weights, groups, scaling)

    return compressed_row(lower, lambda op: True)


def compressed_depthwise_row(grouped: Callable[[C], tuple[Array, int]]) -> Kernel[C]:
    """The row of ``tg_depthwise_conv2d_s4``, which has the weights in the file's order."""

    def lower(op: C) -> tuple[Call, ...]:
        weights, groups = grouped(op)
        rows = weights.reshape(len(weights), -1)
        fields = (*convolution_fields(op), ("in_c", groups), ("groups", groups))
        scaling = scaling_of(real_multipliers(op), len(rows))
        return (sums_call(op, fields, rows, scaling, packed(op.weights.values.reshape(1, -1)), 0),)

    name = "tg_depthwise_conv2d_s4"
    plain: Kernel[C] = Kernel(
        name, "tg_conv2d_s4.h", "tg_conv2d_s8", lower, fits=fit_four_bits, compresses=True
    )
    (row,) = for_int8(plain)
    return row
