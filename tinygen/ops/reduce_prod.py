"""REDUCE_PROD: the product over any set of axes, which LiteRT alone has."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Node, OpDef
from tinygen.ops.mean import (
    PLAIN,
    Mean,
    addable,
    few_groups,
    in_order,
    loop_fields,
    parse_reduction,
)
from tinygen.ops.reducing import value_rows
from tinygen.ops.typed import typed_rows
from tinygen.quant import dtype_range, multiply_wide, quantize_multiplier, reduced_multiplier

QUANTIZED = (DType.INT8, DType.INT16)
LARGEST_SHIFT = 7


@dataclass(frozen=True, slots=True, eq=False)
class ReduceProd(Mean):
    """y = the product of x over ``axes``, which are as those of a mean; int32 and int64 wrap."""

    kind: ClassVar[str] = "REDUCE_PROD"


def parse(node: Node) -> ReduceProd:
    """Read the node. Raises ModelError where the axes do not fit the shapes."""
    return parse_reduction(node, ReduceProd)


def multiplier_of(op: ReduceProd) -> tuple[int, int]:
    """(multiplier, shift) of each factor. Source: LiteRT's ``GetQuantProdScaling``."""
    return quantize_multiplier(op.x.scale / op.y.scale ** (1.0 / op.count))


def scales_fit(op: ReduceProd) -> str:
    """The input's scale is less than 128 times the root of the output's for so many factors.

    Beyond that the reference kernel overflows; check the ranges that the converter calibrated.
    """
    if op.x.dtype not in QUANTIZED or multiplier_of(op)[1] <= LARGEST_SHIFT:
        return ""
    return f"{op.x.scale:g} against {op.y.scale:g} for {op.count} factors"


def reference(op: ReduceProd, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::QuantizedReduceProd, and ReduceGeneric of other types."""
    factors = in_order(op, values[0])
    if op.x.dtype not in QUANTIZED:
        with np.errstate(over="ignore"):
            steps = np.cumprod(factors, axis=0, dtype=factors.dtype)
        return (steps[-1].reshape(op.y.shape),)
    first, *rest = factors.astype(np.int64) - op.x.zero_point
    for factor in (*rest, np.int64(1)):
        first = multiply_wide(first * factor, *multiplier_of(op)).astype(np.int64)
    low, high = dtype_range(op.y.dtype)
    result = np.clip(first + op.y.zero_point, low, high)
    return (result.astype(op.y.dtype.numpy).reshape(op.y.shape),)


def lower(op: ReduceProd) -> tuple[Call, ...]:
    """The call of ``tg_reduce_prod_s8`` or ``tg_reduce_prod_s16``."""
    multiplier, shift = multiplier_of(op)
    params = (
        ("zero_point", op.x.zero_point),
        ("multiplier", int(reduced_multiplier(multiplier))),
        ("shift", 15 - shift),
        ("output_zero_point", op.y.zero_point),
    )
    return (Call(loop_fields(op), params, (op.x,), (op.y,)),)


HEADER = "tg_reduce_prod.h"

REDUCE_PROD: OpDef[ReduceProd] = OpDef(
    op=ReduceProd,
    dtypes=(*QUANTIZED, *PLAIN),
    parse=parse,
    rules=(addable, scales_fit, few_groups),
    reference=reference,
    kernels=(
        *typed_rows("tg_reduce_prod", HEADER, "tg_reduce_prod", lower, QUANTIZED),
        *value_rows("prod", PLAIN),
    ),
)
