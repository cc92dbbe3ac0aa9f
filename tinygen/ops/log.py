"""LOG: the natural logarithm, float32, int8 and int16."""

from typing import ClassVar

import numpy as np

from tinygen.ir import Array
from tinygen.ops.base import describe
from tinygen.ops.elementwise import Elementwise, curve, elementwise, reading, tabled
from tinygen.ops.interpolated import Floats, TableOf, curve_s16, table_of
from tinygen.ops.sigmoid import float_table
from tinygen.quant import dtype_range


class Log(Elementwise):
    """y = log(x); the integers are LiteRT's, as TFLite Micro knows float32 only."""

    __slots__ = ()
    kind: ClassVar[str] = "LOG"


def results_in_range(op: Log) -> str:
    """The output's scale is more than 2**-15.

    Beyond that the reference kernel overflows; check the ranges that the converter calibrated.
    """
    return "" if op.y.scale > 2.0**-15 else describe(op.y)


def quantized(op: Log, x: Floats) -> Floats:
    """The function, the output's least value where it is not defined."""
    least = np.float32(dtype_range(op.y.dtype)[0] - op.y.zero_point) * np.float32(op.y.scale)
    return np.where(x > 0, np.log(np.where(x > 0, x, 1)), least)


def table(op: Log) -> Array:
    """int8 results by the input's byte read as unsigned. Source: LiteRT's ``LogLUTPrepare``."""
    return float_table(op.x, op.y, lambda x: quantized(op, x))


def wide_table(op: Log) -> TableOf:
    """The values between which int16 is interpolated."""
    return table_of(op, lambda x: quantized(op, x))


LOG = elementwise(
    Log,
    reading(Log),
    tabled(table, results_in_range),
    curve_s16(wide_table),
    curve("tg_log_f32", np.log),
)
