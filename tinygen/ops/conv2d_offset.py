"""Rows for uint8 weights with a zero point: any geometry and groups, with the DSP extension too.

The weights are stored as int8, their zero point smaller by as much, so that the kernels' products
are those of int8.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array
from tinygen.isa import Isa
from tinygen.ops.base import Call, Kernel
from tinygen.ops.conv2d_lowering import Convolution, convolution_call
from tinygen.ops.convolution import Weighted, has_old_weights

C = TypeVar("C", bound=Convolution)
_HALF = 128


def as_signed(weights: Array) -> npt.NDArray[np.int8]:
    """uint8 weights as int8 of a zero point that is smaller by 128."""
    return (weights.astype(np.int16) - _HALF).astype(np.int8)


def signed_weights(op: Weighted) -> Array:
    """The weights as int8, to be counted from ``signed_zero_point``."""
    return as_signed(op.weights.values) if has_old_weights(op) else op.weights.values


def signed_zero_point(op: Weighted) -> int:
    """The zero point of ``signed_weights``."""
    return op.weights_zero_point - (_HALF if has_old_weights(op) else 0)


def offset_rows(grouped: Callable[[C], tuple[Array, int]]) -> tuple[Kernel[C], ...]:
    """The rows; ``grouped`` gives the weights as [out_c, kernel_h, kernel_w, in_c / groups], and
    the groups."""

    def lower(op: C) -> tuple[Call, ...]:
        weights, groups = grouped(op)
        rows = as_signed(weights.reshape(len(weights), -1))
        zero_point = signed_zero_point(op)
        call = convolution_call(
            op, op.window, rows, groups, 0, rows.shape[1], weights_zero_point=zero_point
        )
        return (call,)

    name = "tg_conv2d_offset_s8"
    plain: Kernel[C] = Kernel(
        name, f"{name}.h", "tg_conv2d_s8", lower, fits=has_old_weights, scratch=True
    )
    name += "_dsp"
    fast: Kernel[C] = Kernel(
        name, f"{name}.h", "tg_conv2d_s8", lower, Isa.DSP, has_old_weights, scratch=True
    )
    return fast, plain
