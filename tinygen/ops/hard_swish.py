"""HARD_SWISH: x * min(max(x + 3, 0), 6) / 6, float32, and int8 in 16-bit fixed point."""

import math
from typing import ClassVar

import numpy as np

from tinygen.interval import Integers
from tinygen.ir import Array, DType
from tinygen.ops.base import describe
from tinygen.ops.elementwise import ROUNDED, Elementwise, Floats, elementwise, reading, real, tabled
from tinygen.ops.lut import every_value
from tinygen.quant import quantize_multiplier, rounding_divide_by_pot

_HIGH_BITS = 7  # an input value fits 16 bits with so many more
_THREE = np.float32(3.0) / np.float32(32768.0)  # the scale on which 3 is as large as 16 bits can be


class HardSwish(Elementwise):
    """y = x * min(max(x + 3, 0), 6) / 6."""

    __slots__ = ()
    kind: ClassVar[str] = "HARD_SWISH"


def multipliers(op: HardSwish) -> tuple[tuple[int, int], tuple[int, int]]:
    """(16-bit multiplier, shift) to the output's scale, and to that of the factor from 0 to 1.

    Source: ``HardSwishPrepare``: quotients of float32, multipliers rounded from 32 to 16 bits.
    """
    fine = np.float32(op.x.scale) * np.float32(2.0**-_HIGH_BITS)
    ratios = float(fine / np.float32(op.y.scale)), float(fine / _THREE)
    (output, output_shift), (factor, factor_shift) = map(quantize_multiplier, ratios)
    return (_short(output), output_shift), (_short(factor), factor_shift)


def _short(multiplier: int) -> int:
    return min((multiplier + (1 << 15)) >> 16, 2**15 - 1)


def scales(op: HardSwish) -> str:
    """The input's scale is 2**-20 to 2**20, and 2**-8 to 64 times the output's.

    Beyond that the reference kernels overflow; check the ranges that the converter calibrated.
    """
    if any(t.quant is None or t.quant.per_channel for t in (op.x, op.y)):
        return ""  # another rule's finding
    ratio = math.log2(op.x.scale) - math.log2(op.y.scale)
    fine = 2.0**-20 <= op.x.scale <= 2.0**20 and -8 <= ratio <= 6
    return "" if fine else f"{describe(op.x)} to {describe(op.y)}"


def table(op: HardSwish) -> Array:
    """int8 results by the input's byte read as unsigned.

    Source: TFLite's reference_ops::HardSwish. The factor is (x + 3) / 6, from 0 to 1: x on a scale
    where 3 saturates 16 bits, moved up by half the range. A left shift but its last bit comes
    before the multiplication, so that only the last can saturate to any effect.
    """
    (output, output_shift), (relu, relu_shift) = multipliers(op)
    fine = (every_value(DType.INT8) - op.x.zero_point) << _HIGH_BITS
    preshift = _high_product(fine, output)
    factor = _saturated(fine << max(relu_shift - 1, 0))
    factor = _high_product(factor, relu)
    factor = _saturated(factor << 1) if relu_shift > 0 else factor
    factor = rounding_divide_by_pot(factor, max(-relu_shift, 0)).astype(np.int64)
    factor = (factor + 2**15) >> 1
    # This product is rounded towards zero, the others to the nearest.
    product = factor * preshift
    product = np.sign(product) * (np.abs(product) >> 15)
    results = rounding_divide_by_pot(product, -output_shift) + op.y.zero_point
    return np.clip(results, -128, 127).astype(np.int8)


def _saturated(x: Integers) -> Integers:
    return np.clip(x, -(2**15), 2**15 - 1)


def _high_product(a: Integers, b: int) -> Integers:
    """gemmlowp's SaturatingRoundingDoublingHighMul on 16 bits, for b >= 0."""
    # Adding half and truncating, or its mirror image below zero.
    product = a * b
    nudged = product + np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    return np.asarray(np.sign(nudged) * (np.abs(nudged) >> 15), np.int64)


def float_hard_swish(op: HardSwish, x: Floats) -> Array:
    """float32 results, in the reference's order of operations."""
    del op
    factor = np.fmin(np.fmax(x + np.float32(3), np.float32(0)), np.float32(6))
    return np.asarray(x * factor / np.float32(6))


HARD_SWISH = elementwise(
    HardSwish,
    reading(HardSwish),
    tabled(table, scales),
    real("tg_hard_swish_f32", float_hard_swish, ROUNDED),
)
