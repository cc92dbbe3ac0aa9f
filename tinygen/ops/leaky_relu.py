"""LEAKY_RELU: x, or a part of it where it is negative, int8."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, DType
from tinygen.ops.base import Node
from tinygen.ops.elementwise import Elementwise, elementwise
from tinygen.ops.lut import every_value
from tinygen.ops.unary import check_unary, ratio_of_scales, scale_in_range
from tinygen.quant import multiply_by_quantized_multiplier, quantize_multiplier


@dataclass(frozen=True, slots=True, eq=False)
class LeakyRelu(Elementwise):
    """y = x for x >= 0, else alpha * x; ``alpha`` is a float32."""

    kind: ClassVar[str] = "LEAKY_RELU"

    alpha: float = 0.0


def parse(node: Node) -> LeakyRelu:
    """Read the node. Raises ModelError where shapes differ, or alpha is no number."""
    import tflite

    check_unary(node)
    alpha = float(node.options(tflite.LeakyReluOptions).Alpha())
    if not np.isfinite(alpha):
        raise ModelError(f"LEAKY_RELU '{node.name}': alpha is {alpha}")
    return LeakyRelu(node.name, node.present, node.outputs, node.numerics, alpha)


def slope_in_range(op: LeakyRelu) -> str:
    """Alpha times the input's scale is less than 2**22 times the output's.

    Beyond that the reference kernels overflow.
    """
    if op.x.quant is None or op.y.quant is None:
        return ""  # another rule's finding
    slope = ratio_of_scales(op, op.numerics, op.alpha)
    return "" if abs(slope) < 2**22 else f"alpha of {op.alpha:g}"


def table(op: LeakyRelu) -> Array:
    """int8 results by the input's byte read as unsigned.

    Source: TFLite's reference_ops::QuantizeLeakyRelu: a negative slope is taken as a positive one,
    and the result's sign changed.
    """
    values = every_value(DType.INT8) - op.x.zero_point
    ratio, slope = (ratio_of_scales(op, op.numerics, factor) for factor in (1.0, op.alpha))
    above = multiply_by_quantized_multiplier(values, *quantize_multiplier(ratio))
    below = multiply_by_quantized_multiplier(values, *quantize_multiplier(abs(slope)))
    sign = -1 if slope < 0 else 1
    results = np.where(values >= 0, above, sign * below.astype(np.int64)) + op.y.zero_point
    return np.asarray(np.clip(results, -128, 127), np.int8)


LEAKY_RELU = elementwise(LeakyRelu, table, (scale_in_range, slope_in_range), parse)
