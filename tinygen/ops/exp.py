"""EXP: the exponential function, int8, int16 and float32."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array
from tinygen.ops.base import describe
from tinygen.ops.elementwise import Elementwise, curve, elementwise, reading, tabled
from tinygen.ops.interpolated import TableOf, curve_s16, table_of
from tinygen.ops.sigmoid import float_table
from tinygen.quant import dtype_range


class Exp(Elementwise):
    """y = exp(x); the integers are LiteRT's, as TFLite Micro knows float32 only."""

    __slots__ = ()
    kind: ClassVar[str] = "EXP"


def float_exp(x: npt.NDArray[np.float64]) -> Array:
    """The function, rounded to float32."""
    return np.exp(x).astype(np.float32)


def results_in_range(op: Exp) -> str:
    """The largest result is less than 2**22 times the output's scale.

    Beyond that the reference kernel overflows; check the ranges that the converter calibrated.
    """
    largest = op.x.scale * (dtype_range(op.x.dtype)[1] - op.x.zero_point)
    return "" if largest < 15 + np.log(op.y.scale) else f"{describe(op.x)} to {describe(op.y)}"


def table(op: Exp) -> Array:
    """int8 results by the input's byte read as unsigned. Source: LiteRT's LUTPopulate."""
    return float_table(op.x, op.y, float_exp)


def wide_table(op: Exp) -> TableOf:
    """The values between which int16 is interpolated."""
    return table_of(op, np.exp)


EXP = elementwise(
    Exp,
    reading(Exp),
    tabled(table, results_in_range),
    curve_s16(wide_table, results_in_range),
    curve("tg_exp_f32", np.exp),
)
