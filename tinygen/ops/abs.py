"""ABS: the absolute value, int8."""

from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.elementwise import Elementwise, elementwise
from tinygen.ops.lut import every_value
from tinygen.ops.unary import ratio_of_scales, scale_in_range
from tinygen.quant import multiply_by_quantized_multiplier, quantize_multiplier


class Abs(Elementwise):
    """y = |x|."""

    __slots__ = ()
    kind: ClassVar[str] = "ABS"


def table(op: Abs) -> Array:
    """int8 results by the input's byte read as unsigned.

    Source: TFLite Micro's ``AbsEvalQuantized``.
    """
    values = np.abs(every_value(DType.INT8) - op.x.zero_point)
    if op.x.scale != op.y.scale:
        multiplier = quantize_multiplier(ratio_of_scales(op, op.numerics))
        scaled = multiply_by_quantized_multiplier(values, *multiplier)
        values = scaled.astype(np.int64)
    return np.asarray(np.clip(values + op.y.zero_point, -128, 127), np.int8)


ABS = elementwise(Abs, table, (scale_in_range,))
