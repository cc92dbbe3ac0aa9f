"""LEAKY_RELU: x, or a part of it where it is negative, int8, int16 or float32."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node
from tinygen.ops.elementwise import Elementwise, Floats, Typed, elementwise, real, tabled
from tinygen.ops.lut import every_value
from tinygen.ops.unary import check_unary, largest_ratio, ratio_of_scales, scale_in_range
from tinygen.quant import dtype_range, multiply_by_quantized_multiplier, quantize_multiplier


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
    """Alpha times the input's scale is less than 2**22 times the output's, or 2**14 from int16.

    Beyond that the reference kernels overflow.
    """
    if op.x.quant is None or op.y.quant is None:
        return ""  # another rule's finding
    slope = ratio_of_scales(op, op.numerics, op.alpha)
    return "" if abs(slope) < largest_ratio(op.x.dtype) else f"alpha of {op.alpha:g}"


@dataclass(frozen=True, slots=True)
class Factors:
    """(multiplier, shift) of values from zero up, and of those below but for their sign."""

    above: tuple[int, int]
    below: tuple[int, int]
    sign: int


def factors(op: LeakyRelu) -> Factors:
    """A negative slope is taken as a positive one, and the result's sign changed."""
    ratio, slope = (ratio_of_scales(op, op.numerics, factor) for factor in (1.0, op.alpha))
    sign = -1 if slope < 0 else 1
    return Factors(quantize_multiplier(ratio), quantize_multiplier(abs(slope)), sign)


def results(op: LeakyRelu, x: Array) -> Array:
    """What becomes of values of either type. Source: TFLite's reference_ops::QuantizeLeakyRelu."""
    values, by = x.astype(np.int64) - op.x.zero_point, factors(op)
    above = multiply_by_quantized_multiplier(values, *by.above)
    below = multiply_by_quantized_multiplier(values, *by.below)
    scaled = np.where(values >= 0, above, by.sign * below.astype(np.int64))
    limited = np.clip(scaled + op.y.zero_point, *dtype_range(op.y.dtype))
    return np.asarray(limited, op.y.dtype.numpy)


def table(op: LeakyRelu) -> Array:
    """int8 results by the input's byte read as unsigned."""
    return results(op, every_value(DType.INT8))


def lower(op: LeakyRelu) -> tuple[Call, ...]:
    """The call of ``tg_leaky_relu_s16``."""
    by = factors(op)
    params = (
        ("multiplier", by.above[0]),
        ("shift", by.above[1]),
        ("alpha_multiplier", by.below[0]),
        ("alpha_shift", by.below[1]),
        ("alpha_sign", by.sign),
    )
    return (Call((("size", op.x.elements),), params, (op.x,), (op.y,)),)


def float_leaky_relu(op: LeakyRelu, x: Floats) -> Array:
    """float32 results."""
    return np.where(x > 0, x, x * np.float32(op.alpha))


NAME = "tg_leaky_relu_s16"
ROW: Kernel[LeakyRelu] = Kernel(NAME, f"{NAME}.h", NAME, lower, in_place=True)
LEAKY_RELU = elementwise(
    LeakyRelu,
    parse,
    tabled(table, scale_in_range, slope_in_range),
    Typed(DType.INT16, results, (ROW,), (scale_in_range, slope_in_range)),
    real("tg_leaky_relu_f32", float_leaky_relu, alpha=lambda op: op.alpha),
)
