"""SQRT: the square root, float32, int8 and int16."""

from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, describe
from tinygen.ops.elementwise import (
    ROUNDED,
    Elementwise,
    Typed,
    elementwise,
    reading,
    real,
    tabled,
)
from tinygen.ops.lut import every_value
from tinygen.quant import dtype_range


class Sqrt(Elementwise):
    """y = sqrt(x); the integers are LiteRT's, as TFLite Micro knows float32 only.

    LiteRT stops at negative integers; here they count as 0.
    """

    __slots__ = ()
    kind: ClassVar[str] = "SQRT"


def results_in_range(op: Sqrt) -> str:
    """The largest result is less than 2**22 times the output's scale.

    Beyond that the reference kernel overflows; check the ranges that the converter calibrated.
    """
    most = dtype_range(op.x.dtype)[1] - op.x.zero_point
    found = (op.x.scale * most) ** 0.5 / op.y.scale
    return "" if found < 2**22 else f"{describe(op.x)} to {describe(op.y)}"


def quantized(op: Sqrt, x: Array) -> Array:
    """Source: LiteRT's ``SqrtEvalQuantized``: float32, and the quotient loses its fraction."""
    offsets = np.maximum(x.astype(np.int64) - op.x.zero_point, 0)
    root = np.sqrt(np.float32(op.x.scale) * offsets.astype(np.float32))
    results = np.trunc(root / np.float32(op.y.scale)).astype(np.int64) + op.y.zero_point
    return np.asarray(np.clip(results, *dtype_range(op.y.dtype)), op.y.dtype.numpy)


def table(op: Sqrt) -> Array:
    """int8 results by the input's byte read as unsigned."""
    return quantized(op, every_value(DType.INT8))


def lower(op: Sqrt) -> tuple[Call, ...]:
    """The call of ``tg_sqrt_s16``."""
    params = (("input_scale", op.x.scale), ("output_scale", op.y.scale))
    return (Call((("size", op.x.elements),), params, (op.x,), (op.y,)),)


ROW: Kernel[Sqrt] = Kernel("tg_sqrt_s16", "tg_root_s16.h", "tg_sqrt_s16", lower, in_place=True)
SQRT = elementwise(
    Sqrt,
    reading(Sqrt),
    tabled(table, results_in_range),
    Typed(DType.INT16, quantized, (ROW,), (results_in_range,)),
    real("tg_sqrt_f32", lambda op, x: np.sqrt(x), ROUNDED),
)
