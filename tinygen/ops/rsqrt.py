"""RSQRT: 1 / sqrt(x), int8."""

import math
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import describe
from tinygen.ops.elementwise import Elementwise, elementwise
from tinygen.ops.fixedpoint import inverse_square_root
from tinygen.ops.lut import every_value
from tinygen.quant import multiply_by_quantized_multiplier, quantize_multiplier

_SHIFT = 20  # keeps the square root's fraction


class Rsqrt(Elementwise):
    """y = 1 / sqrt(x), the largest value for 0.

    The reference kernels stop at negative values; here they count as 0.
    """

    __slots__ = ()
    kind: ClassVar[str] = "RSQRT"


def multiplier_of(op: Rsqrt) -> tuple[int, int]:
    """(multiplier, shift) from 1 / sqrt of the quantized value to the output.

    Source: ``SetRsqrtOutputMultiplier``: the denominator is a float32.
    """
    root = np.sqrt(np.float32(op.x.scale)) * np.float32(op.y.scale)
    return quantize_multiplier(1.0 / float(root))


def scales(op: Rsqrt) -> str:
    """The root of the input's scale times the output's scale is 2**-10 to 2**10.

    Beyond that the reference kernels overflow; check the ranges that the converter calibrated.
    """
    if any(t.quant is None or t.quant.per_channel for t in (op.x, op.y)):
        return ""  # another rule's finding
    fine = abs(math.log2(op.x.scale) / 2 + math.log2(op.y.scale)) <= 10
    return "" if fine else f"{describe(op.x)} to {describe(op.y)}"


def table(op: Rsqrt) -> Array:
    """int8 results by the input's byte read as unsigned.

    Source: TFLite Micro's ``RsqrtEvalQuantized``.
    """
    values = every_value(DType.INT8) - op.x.zero_point
    multiplier, shift = multiplier_of(op)
    results = []
    for value in values.tolist():
        if value <= 0:
            results.append(127)
            continue
        root, right = inverse_square_root(value)
        data = multiply_by_quantized_multiplier(np.array(1), root, _SHIFT - right)
        scaled = multiply_by_quantized_multiplier(data, multiplier, shift - _SHIFT)
        results.append(min(max(int(scaled) + op.y.zero_point, -128), 127))
    return np.array(results, np.int8)


RSQRT = elementwise(Rsqrt, table, (scales,))
