"""PRELU: x, or alpha times x where that is negative, int8; alpha broadcasts."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Activation, Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.binary import (
    Binary,
    Int8Array,
    binary_call,
    few_loops,
    geometry_of,
    int8_operands,
    one_variable_kernel,
    reference_of,
)
from tinygen.quant import multiply_by_quantized_multiplier, quantize_multiplier


@dataclass(frozen=True, slots=True, eq=False)
class Prelu(Binary):
    """y = a for a >= 0, else a * b; there is no fused activation."""

    kind: ClassVar[str] = "PRELU"


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
    return Prelu(node.name, node.present, node.outputs, Activation.NONE)


def multipliers(op: Prelu) -> tuple[tuple[int, int], tuple[int, int]]:
    """(multiplier, shift) of values, and of their products with alpha.

    Source: ``CalculatePreluParams``: doubles.
    """
    identity = op.a.scale / op.y.scale
    return quantize_multiplier(identity), quantize_multiplier(op.a.scale * op.b.scale / op.y.scale)


def scales_in_range(op: Prelu) -> str:
    """The input's scale, and its product with alpha's, are less than 2**14 times the output's.

    Beyond that the reference kernels overflow; check the ranges that the converter calibrated.
    """
    if int8_operands(op) or op.a.scale * max(1.0, op.b.scale) < 2**14 * op.y.scale:
        return ""
    return f"{op.a.scale:g} times {op.b.scale:g} against {op.y.scale:g}"


def elementwise(op: Prelu, a: Array, b: Array) -> Int8Array:
    """Source: TFLite's reference_ops::BroadcastPrelu4DSlow."""
    identity, sloped = multipliers(op)
    value = a.astype(np.int64) - op.a.zero_point
    product = value * (b.astype(np.int64) - op.b.zero_point)
    above = multiply_by_quantized_multiplier(value, *identity)
    below = multiply_by_quantized_multiplier(product, *sloped)
    total = np.where(value >= 0, above, below).astype(np.int64) + op.y.zero_point
    return np.clip(total, -128, 127).astype(np.int8)


def lower(op: Prelu) -> tuple[Call, ...]:
    """The call of ``tg_prelu_s8``."""
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


PRELU = OpDef(
    op=Prelu,
    dtypes=(DType.INT8,),
    parse=parse,
    rules=(int8_operands, scales_in_range, few_loops),
    reference=reference_of(elementwise),
    kernels=(
        one_variable_kernel(elementwise),
        Kernel("tg_prelu_s8", "tg_prelu_s8.h", "tg_prelu_s8", lower, in_place=True),
    ),
)
