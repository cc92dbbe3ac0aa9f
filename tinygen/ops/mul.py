"""MUL: elementwise product with broadcasting, int8, int16, or values without a scale."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType, Numerics
from tinygen.ops.base import Call, Kernel, Node, OpDef, Rule, only_for
from tinygen.ops.binary import (
    Binary,
    binary_call,
    corner_bounds,
    few_loops,
    geometry_of,
    integer_operands,
    one_variable_kernel,
    parse_binary,
    reference_of,
    rescaling_call,
)
from tinygen.ops.convolution import fused_clamp
from tinygen.ops.plain import Plain, operands
from tinygen.quant import (
    activation_range,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)


@dataclass(frozen=True, slots=True, eq=False)
class Mul(Binary):
    """y = act(a * b)."""

    kind: ClassVar[str] = "MUL"

    numerics: Numerics = Numerics.TFLM


def parse(node: Node) -> Mul:
    """Read the node. Raises ModelError where the shapes do not broadcast."""
    import tflite

    return replace(parse_binary(node, Mul, tflite.MulOptions), numerics=node.numerics)


def multiplier_of(op: Mul) -> tuple[int, int]:
    """(multiplier, shift) of the product.

    Source: ``CalculateOpDataMul`` takes the ratio in double, LiteRT's MUL in float32, which tells
    with int16.
    """
    if op.numerics is Numerics.LITERT:
        a, b, y = (np.float32(tensor.scale) for tensor in (op.a, op.b, op.y))
        return quantize_multiplier(float(a * b / y))
    return quantize_multiplier(op.a.scale * op.b.scale / op.y.scale)


def elementwise(op: Mul, a: Array, b: Array) -> Array:
    """Source: TFLite's reference_integer_ops ``MulElementwise``."""
    product = (a.astype(np.int64) - op.a.zero_point) * (b.astype(np.int64) - op.b.zero_point)
    scaled = multiply_by_quantized_multiplier(product, *multiplier_of(op)).astype(np.int64)
    limits = activation_range(op.activation, op.y)
    return np.clip(scaled + op.y.zero_point, *limits).astype(op.y.dtype.numpy)


def scales_in_range(op: Mul) -> str:
    """The product of the inputs' scales is less than 2**14 times the output's; int16: half of it.

    Beyond that the reference kernels overflow; check the ranges that the converter calibrated.
    """
    largest = 0.5 if op.y.dtype is DType.INT16 else 2.0**14
    if integer_operands(op) or op.a.scale * op.b.scale < largest * op.y.scale:
        return ""
    return f"{op.a.scale:g} times {op.b.scale:g} against {op.y.scale:g}"


def lower(op: Mul) -> tuple[Call, ...]:
    """The call of ``tg_mul_s8``."""
    x, w = (op.b, op.a) if geometry_of(op).swapped else (op.a, op.b)
    params = (("x_zero_point", x.zero_point), ("w_zero_point", w.zero_point))
    return (rescaling_call(op, params, *multiplier_of(op)),)


def lower_wide(op: Mul) -> tuple[Call, ...]:
    """The call of ``tg_mul_s16``."""
    multiplier, shift = multiplier_of(op)
    return (binary_call(op, (("multiplier", multiplier), ("shift", shift))),)


NARROW: Kernel[Mul] = Kernel("tg_mul_s8", "tg_mul_s8.h", "tg_mul_s8", lower, in_place=True)
WIDE: Kernel[Mul] = Kernel("tg_mul_s16", "tg_mul_s16.h", "tg_mul_s16", lower_wide, in_place=True)

PLAIN: Plain[Mul] = Plain(
    "mul", (DType.FLOAT32, DType.INT32, DType.INT64), np.multiply, lambda op: op.activation
)
OPERANDS: Rule[Mul] = operands(
    PLAIN.dtypes, integer_operands, "int8 or int16 (zero points 0), each with one scale"
)

MUL = OpDef(
    op=Mul,
    dtypes=(DType.INT8, DType.INT16, *PLAIN.dtypes),
    parse=parse,
    rules=(OPERANDS, fused_clamp, scales_in_range, few_loops),
    reference=reference_of(PLAIN.or_else(elementwise)),
    kernels=(
        one_variable_kernel(elementwise),
        *only_for(DType.INT8, NARROW),
        *only_for(DType.INT16, WIDE),
        *PLAIN.kernels,
    ),
    bounds=corner_bounds(elementwise),
)
