"""PRELU: x, or alpha times x where that is negative, int8, int16 or float32; alpha broadcasts.

With int16 alpha is int8: TFLite Micro takes no other, and LiteRT takes int16 for int8.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Activation, Array, DType, Numerics
from tinygen.ops.base import Call, Kernel, Node, OpDef, Rule, describe, is_integer
from tinygen.ops.binary import (
    Binary,
    binary_call,
    few_loops,
    geometry_of,
    one_variable_kernel,
    reference_of,
)
from tinygen.ops.plain import Plain, operands
from tinygen.quant import dtype_range, multiply_by_quantized_multiplier, quantize_multiplier


@dataclass(frozen=True, slots=True, eq=False)
class Prelu(Binary):
    """y = a for a >= 0, else a * b; there is no fused activation."""

    kind: ClassVar[str] = "PRELU"

    numerics: Numerics = Numerics.TFLM


def parse(node: Node) -> Prelu:
    """Read the node. Raises ModelError where alpha does not broadcast to the input's shape."""
    node.arity(2)
    x, alpha = node.present
    node.makes(x.shape)
    missing = len(x.shape) - len(alpha.shape)
    fits = missing >= 0 and all(
        a in (1, n) for a, n in zip(alpha.shape, x.shape[missing:], strict=True)
    )
    if not fits:
        raise ModelError(f"PRELU '{node.name}': {alpha.shape} does not broadcast to {x.shape}")
    return Prelu(node.name, node.present, node.outputs, Activation.NONE, node.numerics)


def quantized_operands(op: Prelu) -> str:
    """Input and output are int8 or int16, and alpha int8; each has one scale."""
    for tensor in (op.a, op.b, op.y):
        expected = DType.INT8 if tensor is op.b else op.y.dtype
        if tensor.dtype is not expected or not is_integer(tensor):
            return describe(tensor)
    return ""


def multipliers(op: Prelu) -> tuple[tuple[int, int], tuple[int, int]]:
    """(multiplier, shift) of values, and of their products with alpha.

    Source: ``CalculatePreluParams`` takes the ratios in double, LiteRT's PRELU in float32, which
    tells with int16.
    """
    if op.numerics is Numerics.LITERT:
        a, b, y = (np.float32(tensor.scale) for tensor in (op.a, op.b, op.y))
        return quantize_multiplier(float(a / y)), quantize_multiplier(float(a * b / y))
    identity = op.a.scale / op.y.scale
    return quantize_multiplier(identity), quantize_multiplier(op.a.scale * op.b.scale / op.y.scale)


def scales_in_range(op: Prelu) -> str:
    """The input's scale, and its product with alpha's, are less than 2**14 times the output's.

    With int16 the product is less than 2**6 times. Beyond that the reference kernels overflow;
    check the ranges that the converter calibrated.
    """
    if PLAIN.takes(op):
        return ""
    largest = 2.0**6 if op.y.dtype is DType.INT16 else 2.0**14
    fits = op.a.scale < 2.0**14 * op.y.scale and op.a.scale * op.b.scale < largest * op.y.scale
    return "" if fits else f"{op.a.scale:g} times {op.b.scale:g} against {op.y.scale:g}"


def elementwise(op: Prelu, a: Array, b: Array) -> Array:
    """Source: TFLite's reference_ops::BroadcastPrelu4DSlow."""
    identity, sloped = multipliers(op)
    value = a.astype(np.int64) - op.a.zero_point
    product = value * (b.astype(np.int64) - op.b.zero_point)
    above = multiply_by_quantized_multiplier(value, *identity)
    below = multiply_by_quantized_multiplier(product, *sloped)
    total = np.where(value >= 0, above, below).astype(np.int64) + op.y.zero_point
    return np.clip(total, *dtype_range(op.y.dtype)).astype(op.y.dtype.numpy)


def lower(op: Prelu) -> tuple[Call, ...]:
    """The call of a kernel of ``tg_prelu.h``."""
    (identity, identity_shift), (sloped, sloped_shift) = multipliers(op)
    params = (
        ("a_zero_point", op.a.zero_point),
        ("b_zero_point", op.b.zero_point),
        ("multiplier", identity),
        ("shift", identity_shift),
        ("alpha_multiplier", sloped),
        ("alpha_shift", sloped_shift),
        ("output_zero_point", op.y.zero_point),
        ("swapped", int(geometry_of(op).swapped)),
    )
    return (binary_call(op, params),)


def _row(function: str, x: DType, w: DType) -> Kernel[Prelu]:
    """The row for kernel operands of these types, which may be swapped."""

    def fits(op: Prelu) -> bool:
        found = (op.a.dtype, op.b.dtype)
        return (found[::-1] if geometry_of(op).swapped else found) == (x, w)

    in_place = x is DType.INT16 or w is x  # x and y are of one type
    return Kernel(function, "tg_prelu.h", "tg_prelu", lower, fits=fits, in_place=in_place)


PLAIN: Plain[Prelu] = Plain("prelu", (DType.FLOAT32,), lambda a, b: np.where(a >= 0, a, a * b))
OPERANDS: Rule[Prelu] = operands(
    PLAIN.dtypes,
    quantized_operands,
    "int8 or int16 (alpha int8) with one scale each",
)

PRELU = OpDef(
    op=Prelu,
    dtypes=(DType.INT8, DType.INT16, *PLAIN.dtypes),
    parse=parse,
    rules=(OPERANDS, scales_in_range, few_loops),
    reference=reference_of(PLAIN.or_else(elementwise)),
    kernels=(
        one_variable_kernel(elementwise),
        _row("tg_prelu_s8", DType.INT8, DType.INT8),
        _row("tg_prelu_s16", DType.INT16, DType.INT8),
        _row("tg_prelu_swapped_s16", DType.INT8, DType.INT16),
        *PLAIN.kernels,
    ),
)
