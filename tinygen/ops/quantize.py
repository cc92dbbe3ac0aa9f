"""QUANTIZE: float32 to int8, and from one 8-bit quantization to another."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe
from tinygen.ops.lut import bounds_of_table, every_value, lookup, lut_kernel
from tinygen.ops.unary import check_unary, scale_in_range
from tinygen.quant import (
    dtype_range,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)

TYPES = {
    (DType.FLOAT32, DType.INT8),
    (DType.INT8, DType.INT8),
    (DType.INT8, DType.UINT8),
    (DType.UINT8, DType.INT8),
}


@dataclass(frozen=True, slots=True, eq=False)
class Quantize(Op):
    """y = round(real value of x / scale) + zero point."""

    kind: ClassVar[str] = "QUANTIZE"


def parse(node: Node) -> Quantize:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return Quantize(node.name, node.present, node.outputs)


def types(op: Quantize) -> str:
    """Types are float32 to int8, int8 to int8, int8 to uint8, or uint8 to int8, per tensor.

    Convert the model with full integer post-training quantization (int8).
    """
    if (op.x.dtype, op.y.dtype) not in TYPES:
        return f"{describe(op.x)} to {describe(op.y)}"
    for tensor in (op.x, op.y):
        if tensor.dtype is not DType.FLOAT32 and (tensor.quant is None or tensor.quant.per_channel):
            return describe(tensor)
    return ""


def from_float(op: Quantize) -> bool:
    """Whether the input is float32."""
    return op.x.dtype is DType.FLOAT32


def table(op: Quantize) -> Array:
    """Results by the 8-bit input's byte read as unsigned.

    Source: TFLite's reference_ops::Requantize.
    """
    offsets = every_value(op.x.dtype) - op.x.zero_point
    scaled = multiply_by_quantized_multiplier(
        offsets, *quantize_multiplier(op.x.scale / op.y.scale)
    )
    total = scaled.astype(np.int64) + op.y.zero_point
    return np.clip(total, *dtype_range(op.y.dtype)).astype(op.y.dtype.numpy)


def reference(op: Quantize, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::AffineQuantize: a float32 division, halves away from zero.

    Quotients beyond int32 saturate, and NaN becomes the zero point: what Arm's conversion does.
    C++ leaves both undefined.
    """
    if not from_float(op):
        return (lookup(table(op), values[0]),)
    with np.errstate(all="ignore"):
        quotient = values[0] / np.float32(op.y.scale)
    # Beyond these bounds every zero point saturates; float64 holds what follows exactly.
    bounded = np.clip(np.nan_to_num(quotient, nan=0.0), -1024, 1024).astype(np.float64)
    rounded = np.copysign(np.floor(np.abs(bounded) + 0.5), bounded)
    return (np.clip(rounded + op.y.zero_point, *dtype_range(op.y.dtype)).astype(np.int8),)


def lower(op: Quantize) -> tuple[Call, ...]:
    """The call of ``tg_quantize_f32_s8``."""
    params = (("scale", op.y.scale), ("zero_point", op.y.zero_point))
    return (Call((("size", op.x.elements),), params, (op.x,), (op.y,)),)


QUANTIZE = OpDef(
    op=Quantize,
    parse=parse,
    rules=(types, scale_in_range),
    reference=reference,
    kernels=(
        Kernel(
            "tg_quantize_f32_s8",
            "tg_quantize_f32_s8.h",
            "tg_quantize_f32_s8",
            lower,
            fits=from_float,
        ),
        lut_kernel(table, fits=lambda op: not from_float(op)),
    ),
    bounds=bounds_of_table(table),
)
