"""RSQRT: 1 / sqrt(x), int8, int16 and float32."""

import math
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType, Numerics
from tinygen.ops.base import Call, Kernel, describe
from tinygen.ops.elementwise import (
    ROUNDED,
    Elementwise,
    Floats,
    Typed,
    elementwise,
    reading,
    real,
    tabled,
)
from tinygen.ops.fixedpoint import inverse_square_root
from tinygen.ops.interpolated import TableOf, curve_s16, table_of
from tinygen.ops.lut import every_value
from tinygen.quant import dtype_range, multiply_by_quantized_multiplier, quantize_multiplier

_SHIFT = 20  # keeps the square root's fraction


class Rsqrt(Elementwise):
    """y = 1 / sqrt(x), the largest value for 0.

    The reference kernels stop at negative integers; here they count as 0. TFLite Micro takes int16
    as int8, in fixed point; LiteRT interpolates a table.
    """

    __slots__ = ()
    kind: ClassVar[str] = "RSQRT"


def multiplier_of(op: Rsqrt) -> tuple[int, int]:
    """(multiplier, shift) from 1 / sqrt of the quantized value to the output.

    Source: ``SetRsqrtOutputMultiplier``: the denominator is a float32, but of late a double in
    TFLite Micro.
    """
    if op.numerics is Numerics.TFLM:
        return quantize_multiplier(1.0 / (math.sqrt(op.x.scale) * op.y.scale))
    root = np.sqrt(np.float32(op.x.scale)) * np.float32(op.y.scale)
    return quantize_multiplier(1.0 / float(root))


def scales(op: Rsqrt) -> str:
    """The root of the input's scale times the output's is 2**-10 to 2**10; with int16 from 2**-28.

    Beyond that the reference kernels overflow; check the ranges that the converter calibrated.
    """
    least = -28 if op.x.dtype is DType.INT16 else -10
    fine = least <= math.log2(op.x.scale) / 2 + math.log2(op.y.scale) <= 10
    return "" if fine else f"{describe(op.x)} to {describe(op.y)}"


def fixed(op: Rsqrt, x: Array) -> Array:
    """Source: TFLite Micro's ``RsqrtEvalQuantized``."""
    multiplier, shift = multiplier_of(op)
    low, high = dtype_range(op.y.dtype)
    values, places = np.unique(x.astype(np.int64) - op.x.zero_point, return_inverse=True)
    results = []
    for value in values.tolist():
        if value <= 0:
            results.append(high)
            continue
        root, right = inverse_square_root(value)
        data = multiply_by_quantized_multiplier(np.array(1), root, _SHIFT - right)
        scaled = multiply_by_quantized_multiplier(data, multiplier, shift - _SHIFT)
        results.append(min(max(int(scaled) + op.y.zero_point, low), high))
    return np.array(results, op.y.dtype.numpy)[places].reshape(x.shape)


def table(op: Rsqrt) -> Array:
    """int8 results by the input's byte read as unsigned."""
    return fixed(op, every_value(DType.INT8))


def lined(op: Rsqrt, x: Floats) -> Floats:
    """What LiteRT's table of int16 holds, the largest value where that is not defined."""
    largest = np.float32(2**15 - 1) * np.float32(op.y.scale)
    root = np.sqrt(np.where(x > 0, x, 1)).astype(np.float32)
    return np.where(x > 0, np.float32(1) / root, largest)


def wide_table(op: Rsqrt) -> TableOf:
    """The values between which LiteRT interpolates."""
    return table_of(op, lambda x: lined(op, x))


def is_lined(op: Rsqrt) -> bool:
    """Whether a table is interpolated."""
    return op.numerics is Numerics.LITERT


def lower(op: Rsqrt) -> tuple[Call, ...]:
    """The call of ``tg_rsqrt_s16``."""
    multiplier, shift = multiplier_of(op)
    params = (("multiplier", multiplier), ("shift", shift))
    return (Call((("size", op.x.elements),), params, (op.x,), (op.y,)),)


FIXED: Kernel[Rsqrt] = Kernel(
    "tg_rsqrt_s16",
    "tg_root_s16.h",
    "tg_rsqrt_s16",
    lower,
    fits=lambda op: not is_lined(op),
    in_place=True,
)
LINED = curve_s16(wide_table, fits=is_lined)
WIDE = Typed(
    DType.INT16,
    lambda op, x: LINED.reference(op, x) if is_lined(op) else fixed(op, x),
    (FIXED, *LINED.kernels),
    (scales,),
)
RSQRT = elementwise(
    Rsqrt,
    reading(Rsqrt),
    tabled(table, scales),
    WIDE,
    real("tg_rsqrt_f32", lambda op, x: np.float32(1) / np.sqrt(x), ROUNDED),
)
