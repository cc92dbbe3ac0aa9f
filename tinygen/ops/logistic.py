"""LOGISTIC: 1 / (1 + exp(-x)), int8, int16 and float32."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array, DType, Numerics
from tinygen.ops import fixedpoint, sigmoid_wide
from tinygen.ops.elementwise import Elementwise, Floats, Typed, elementwise, reading, real, tabled
from tinygen.ops.sigmoid import fixed_point_table, float_table, input_scale, standard_output
from tinygen.ops.tolerance import CURVE

OUTPUT_BITS = 8


class Logistic(Elementwise):
    """y = 1 / (1 + exp(-x)).

    TFLite Micro computes it in fixed point, LiteRT's reference kernel in float; both
    compute int16 and float32 alike.
    """

    __slots__ = ()
    kind: ClassVar[str] = "LOGISTIC"


def output_range(op: Logistic) -> str:
    """The output's scale is 1/256 and its zero point -128; for int16 they are 1/32768 and 0.

    The reference kernels know no other; convert the model anew.
    """
    if op.y.dtype is DType.INT16:
        return standard_output(op.y, sigmoid_wide.OUTPUT_SCALE, 0)
    return standard_output(op.y, 1 / 256, -128)


def float_logistic(x: npt.NDArray[np.float64]) -> Array:
    """1 / (1 + exp(-x)), each step rounded to float32."""
    with np.errstate(over="ignore"):
        exponential = np.exp(-x).astype(np.float32)
    return np.asarray(np.float32(1) / (np.float32(1) + exponential))


def table(op: Logistic) -> Array:
    """int8 results by the input's byte read as unsigned."""
    if op.numerics is Numerics.LITERT:
        return float_table(op.x, op.y, float_logistic)
    return fixed_point_table(op.x, op.y, fixedpoint.logistic, OUTPUT_BITS)


def float_values(op: Logistic, x: Floats) -> Array:
    """float32 results: exp(x) below -9, and 1 above 16.6. Source: reference_ops::Logistic."""
    del op
    found = np.where(x < -9, np.exp(x.astype(np.float64)), float_logistic(x.astype(np.float64)))
    return np.where(x > np.float32(16.619047164916992188), np.float32(1), found)


LOGISTIC = elementwise(
    Logistic,
    reading(Logistic),
    tabled(table, output_range, input_scale),
    Typed(
        DType.INT16,
        sigmoid_wide.logistic,
        (sigmoid_wide.wide_kernel("tg_logistic_s16", sigmoid_wide.LOGISTIC_DOUBLINGS),),
        (output_range, sigmoid_wide.step_in_range),
    ),
    real("tg_logistic_f32", float_values, CURVE),
)
