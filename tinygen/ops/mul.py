"""MUL: elementwise product with broadcasting, int8."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.binary import (
    Binary,
    Int8Array,
    corner_bounds,
    few_loops,
    geometry_of,
    int8_operands,
    one_variable_kernel,
    parse_binary,
    reference_of,
    rescaling_call,
)
from tinygen.ops.convolution import fused_clamp
from tinygen.quant import (
    activation_range,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)


@dataclass(frozen=True, slots=True, eq=False)
class Mul(Binary):
    """y = act(a * b)."""

    kind: ClassVar[str] = "MUL"


def parse(node: Node) -> Mul:
    """Read the node. Raises ModelError where the shapes do not broadcast."""
    import tflite

    return parse_binary(node, Mul, tflite.MulOptions)


def multiplier_of(op: Mul) -> tuple[int, int]:
    """(multiplier, shift) of the product. Source: ``CalculateOpDataMul``: doubles."""
    return quantize_multiplier(op.a.scale * op.b.scale / op.y.scale)


def elementwise(op: Mul, a: Array, b: Array) -> Int8Array:
    """Source: TFLite's reference_integer_ops ``MulElementwise``."""
    product = (a.astype(np.int64) - op.a.zero_point) * (b.astype(np.int64) - op.b.zero_point)
    scaled = multiply_by_quantized_multiplier(product, *multiplier_of(op)).astype(np.int64)
    return np.clip(scaled + op.y.zero_point, *activation_range(op.activation, op.y)).astype(np.int8)


def scales_in_range(op: Mul) -> str:
    """The product of the inputs' scales is less than 2**14 times the output's.

    Beyond that the reference kernels overflow; check the ranges that the converter calibrated.
    """
    if int8_operands(op) or op.a.scale * op.b.scale < 2**14 * op.y.scale:
        return ""
    return f"{op.a.scale:g} times {op.b.scale:g} against {op.y.scale:g}"


def lower(op: Mul) -> tuple[Call, ...]:
    """The call of ``tg_mul_s8``."""
    x, w = (op.b, op.a) if geometry_of(op).swapped else (op.a, op.b)
    params = (("x_zero_point", x.zero_point), ("w_zero_point", w.zero_point))
    return (rescaling_call(op, params, *multiplier_of(op)),)


MUL = OpDef(
    op=Mul,
    parse=parse,
    rules=(int8_operands, fused_clamp, scales_in_range, few_loops),
    reference=reference_of(elementwise),
    kernels=(
        one_variable_kernel(elementwise),
        Kernel("tg_mul_s8", "tg_mul_s8.h", "tg_mul_s8", lower, in_place=True),
    ),
    bounds=corner_bounds(elementwise),
)
