"""The row for int16 activations with int8 weights: any geometry and groups, matrix products too."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, only_for
from tinygen.ops.conv2d_lowering import Convolution, dilation_fields, window_fields
from tinygen.ops.convolution import (
    Fields,
    Params,
    Scaling,
    Weighted,
    bias_values,
    is_narrow,
    real_multipliers,
    scaling_of,
)
from tinygen.quant import activation_range, reduced_multiplier

C = TypeVar("C", bound=Convolution)


def wide_row(grouped: Callable[[C], tuple[Array, int]]) -> Kernel[C]:
    """The row; ``grouped`` gives the weights as [out_c, kernel_h, kernel_w, in_c / groups], and
    the groups."""

    def lower(op: C) -> tuple[Call, ...]:
        weights, groups = grouped(op)
        geometry = (*window_fields(op.x, op.y, op.window), *dilation_fields(op.window))
        scaling = scaling_of(real_multipliers(op), len(weights))
        return (wide_call(op, geometry, weights, groups, scaling),)

    (row,) = only_for(
        DType.INT16, Kernel("tg_conv2d_s16", "tg_conv2d_s16.h", "tg_conv2d_s16", lower)
    )
    return row


def wide_call(
    op: Weighted, geometry: Fields, weights: Array, groups: int, scaling: Scaling
) -> Call:
    """The call of ``tg_conv2d_s16`` for ``weights`` [out_c, ...] and a given geometry."""
    shape = (
        *geometry,
        ("in_c", groups * weights.shape[-1]),
        ("out_c", len(weights)),
        ("groups", groups),
        ("narrow", int(is_narrow(op))),
    )
    params = (("weights", weights.reshape(len(weights), -1)), *wide_output(op, scaling))
    return Call(shape, params, (op.x,), (op.y,))


def wide_output(op: Weighted, scaling: Scaling) -> Params:
    """What ``tg_wide.h`` asks for to make int16 of sums."""
    low, high = activation_range(op.activation, op.y)
    if is_narrow(op):
        multiplier, shift = scaling.multiplier, scaling.shift
    else:
        multiplier = reduced_multiplier(scaling.multiplier).astype(np.int32)
        shift = (15 - scaling.shift).astype(np.int8)
    return (
        ("bias", bias_values(op, len(multiplier))),
        ("multiplier", multiplier),
        ("shift", shift),
        ("output_min", low),
        ("output_max", high),
    )
