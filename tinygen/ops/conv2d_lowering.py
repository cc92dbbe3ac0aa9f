"""Kernel calls of a convolution with any geometry and groups: CONV_2D, and depthwise as one."""

import numpy as np

from tinygen.ir import Array, Tensor
from tinygen.ops.base import Call
from tinygen.ops.convolution import (
    Fields,
    Params,
    Weighted,
    accumulator_bounds,
    folded_bias,
    output_fields,
    real_multipliers,
    scaling_of,
)
from tinygen.ops.window import Window


def window_fields(x: Tensor, y: Tensor, window: Window) -> Fields:
    """The fields that every windowed kernel's shape has."""
    return (
        ("batches", x.shape[0]),
        ("in_h", x.shape[1]),
        ("in_w", x.shape[2]),
        ("out_h", y.shape[1]),
        ("out_w", y.shape[2]),
        ("kernel_h", window.kernel[0]),
        ("kernel_w", window.kernel[1]),
        ("stride_h", window.stride[0]),
        ("stride_w", window.stride[1]),
        ("pad_top", window.pad[0]),
        ("pad_left", window.pad[1]),
    )


def dilation_fields(window: Window) -> Fields:
    """The fields that a convolution's shape has beside ``window_fields``."""
    return (("dilation_h", window.dilation[0]), ("dilation_w", window.dilation[1]))


def conv2d_call(op: Weighted, window: Window, weights: Array, groups: int) -> Call:
    """The call of ``tg_conv2d_s8`` for ``weights`` [out_c, kernel_h, kernel_w, in_c / groups].

    Where the kernel hangs over the border, the scratch holds zero points for the longest run that
    two neighbouring pixels read.
    """
    rows = weights.reshape(len(weights), -1)
    bias = folded_bias(op, rows.sum(axis=1, dtype=np.int64))
    scaling = scaling_of(real_multipliers(op), len(rows))
    output_shape, output_params = output_fields(op, scaling, accumulator_bounds(bias, rows))
    zeros = (window.kernel[1] + window.stride[1]) * op.x.shape[3]
    zeros = 0 if is_inside(op.x, op.y, window) else zeros
    shape = (
        *window_fields(op.x, op.y, window),
        *dilation_fields(window),
        ("in_c", op.x.shape[3]),
        ("out_c", len(rows)),
        ("groups", groups),
        ("zeros", zeros),
        *output_shape,
    )
    params: Params = (
        ("weights", rows),
        ("bias", bias),
        ("input_zero_point", op.x.zero_point),
        *output_params,
    )
    return Call(shape, params, (op.x,), (op.y,), scratch_bytes=zeros)


def is_inside(x: Tensor, y: Tensor, window: Window) -> bool:
    """Whether no window hangs over the border."""
    ends = (
        (y.shape[1 + i] - 1) * window.stride[i]
        - window.pad[i]
        + (window.kernel[i] - 1) * window.dilation[i]
        for i in (0, 1)
    )
    return window.pad == (0, 0) and all(
        end < size for end, size in zip(ends, x.shape[1:3], strict=True)
    )
