"""TANH, int8, int16 and float32."""

from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType, Numerics
from tinygen.ops import fixedpoint, sigmoid_wide
from tinygen.ops.elementwise import (
    Elementwise,
    Typed,
    curve,
    elementwise,
    reading,
    tabled,
)
from tinygen.ops.sigmoid import fixed_point_table, float_table, input_scale, standard_output

OUTPUT_BITS = 7


class Tanh(Elementwise):
    """y = tanh(x).

    TFLite Micro computes it in fixed point, LiteRT's reference kernel in float; both
    compute int16 and float32 alike.
    """

    __slots__ = ()
    kind: ClassVar[str] = "TANH"


def output_range(op: Tanh) -> str:
    """The output's scale is 1/128 and its zero point 0; for int16 they are 1/32768 and 0.

    The reference kernels know no other; convert the model anew.
    """
    if op.y.dtype is DType.INT16:
        return standard_output(op.y, sigmoid_wide.OUTPUT_SCALE, 0)
    return standard_output(op.y, 1 / 128, 0)


def table(op: Tanh) -> Array:
    """int8 results by the input's byte read as unsigned."""
    if op.numerics is Numerics.LITERT:
        return float_table(op.x, op.y, np.tanh)
    return fixed_point_table(op.x, op.y, fixedpoint.tanh, OUTPUT_BITS)


TANH = elementwise(
    Tanh,
    reading(Tanh),
    tabled(table, output_range, input_scale),
    Typed(
        DType.INT16,
        sigmoid_wide.tanh,
        (sigmoid_wide.wide_kernel("tg_tanh_s16", sigmoid_wide.TANH_DOUBLINGS),),
        (output_range, sigmoid_wide.step_in_range),
    ),
    curve("tg_tanh_f32", np.tanh),
)
