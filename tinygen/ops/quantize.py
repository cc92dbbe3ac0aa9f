"""QUANTIZE: float32 to 8 or 16 bits, and from one integer quantization to another."""

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

TABLED = {
    (DType.INT8, DType.INT8),
    (DType.INT8, DType.UINT8),
    (DType.UINT8, DType.INT8),
    (DType.UINT8, DType.UINT8),
}
COMPUTED = {
    (DType.INT8, DType.INT16),
    (DType.INT8, DType.INT32),
    (DType.INT16, DType.INT8),
    (DType.INT16, DType.INT16),
    (DType.INT16, DType.INT32),
    (DType.INT32, DType.INT8),
    (DType.INT32, DType.INT16),
    (DType.UINT8, DType.INT16),
}
FROM_FLOAT = {(DType.FLOAT32, y) for y in (DType.INT8, DType.INT16, DType.UINT8)}
TYPES = FROM_FLOAT | TABLED | COMPUTED
LIMIT = 1 << 17  # of quotients


@dataclass(frozen=True, slots=True, eq=False)
class Quantize(Op):
    """y = round(real value of x / scale) + zero point."""

    kind: ClassVar[str] = "QUANTIZE"


def parse(node: Node) -> Quantize:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return Quantize(node.name, node.present, node.outputs)


def types(op: Quantize) -> str:
    """Types are float32 to int8, int16 or uint8, or two of int8, int16, int32, uint8, per tensor.

    There is no kernel from int32 to int32 or uint8, from uint8 to int32, and from int16 to uint8;
    the zero points of int32 are 0.
    Convert the model with full integer post-training quantization (int8).
    """
    if (op.x.dtype, op.y.dtype) not in TYPES:
        return f"{describe(op.x)} to {describe(op.y)}"
    for tensor in (op.x, op.y):
        if tensor.dtype is not DType.FLOAT32 and (tensor.quant is None or tensor.quant.per_channel):
            return describe(tensor)
        if tensor.dtype is DType.INT32 and tensor.zero_point:
            return describe(tensor)
    return ""


def is_computed(op: Quantize) -> bool:
    """Whether an input or an output has more than 256 values."""
    return (op.x.dtype, op.y.dtype) in COMPUTED


def from_float(op: Quantize) -> bool:
    """Whether the input is float32."""
    return op.x.dtype is DType.FLOAT32


def multiplier_of(op: Quantize) -> tuple[int, int]:
    """(multiplier, shift) of the ratio of scales."""
    return quantize_multiplier(op.x.scale / op.y.scale)


def requantized(op: Quantize, x: Array) -> Array:
    """What becomes of values of any type. Source: TFLite's reference_ops::Requantize."""
    offsets = x.astype(np.int64) - op.x.zero_point
    scaled = multiply_by_quantized_multiplier(offsets, *multiplier_of(op))
    total = scaled.astype(np.int64) + op.y.zero_point
    return np.clip(total, *dtype_range(op.y.dtype)).astype(op.y.dtype.numpy)


def table(op: Quantize) -> Array:
    """Results by the 8-bit input's byte read as unsigned."""
    return requantized(op, every_value(op.x.dtype))


def reference(op: Quantize, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::AffineQuantize: a float32 division, halves away from zero.

    Quotients beyond int32 saturate, and NaN becomes the zero point: what Arm's conversion does.
    C++ leaves both undefined.
    """
    if is_computed(op):
        return (requantized(op, values[0]),)
    if not from_float(op):
        return (lookup(table(op), values[0]),)
    with np.errstate(all="ignore"):
        quotient = values[0] / np.float32(op.y.scale)
    # Beyond these bounds every zero point saturates; float64 holds what follows exactly.
    bounded = np.clip(np.nan_to_num(quotient, nan=0.0), -LIMIT, LIMIT).astype(np.float64)
    rounded = np.copysign(np.floor(np.abs(bounded) + 0.5), bounded)
    return (np.clip(rounded + op.y.zero_point, *dtype_range(op.y.dtype)).astype(op.y.dtype.numpy),)


def lower(op: Quantize) -> tuple[Call, ...]:
    """The call of the kernel for the output's type."""
    params = (("scale", op.y.scale), ("zero_point", op.y.zero_point))
    return (Call((("size", op.x.elements),), params, (op.x,), (op.y,)),)


def float_row(name: str, y: DType) -> Kernel[Quantize]:
    """The row from float32 to ``y``."""

    def fits(op: Quantize) -> bool:
        return (op.x.dtype, op.y.dtype) == (DType.FLOAT32, y)

    return Kernel(name, "tg_quantize_f32.h", "tg_quantize_f32", lower, fits=fits)


def requantize_row(x: DType, y: DType) -> Kernel[Quantize]:
    """The row from ``x`` to ``y``."""
    return Kernel(
        f"tg_requantize_{x.value}_{y.value}",
        "tg_requantize.h",
        "tg_requantize",
        lower_requantize,
        fits=lambda op: (op.x.dtype, op.y.dtype) == (x, y),
        in_place=x is y,
    )


def lower_requantize(op: Quantize) -> tuple[Call, ...]:
    """The call of one of ``tg_requantize.h``'s functions."""
    multiplier, shift = multiplier_of(op)
    params = (
        ("input_zero_point", op.x.zero_point),
        ("multiplier", multiplier),
        ("shift", shift),
        ("output_zero_point", op.y.zero_point),
    )
    return (Call((("size", op.x.elements),), params, (op.x,), (op.y,)),)


QUANTIZE = OpDef(
    op=Quantize,
    dtypes=tuple(t for t in DType if any(x is t for x, _ in TYPES)),
    parse=parse,
    rules=(types, scale_in_range),
    reference=reference,
    kernels=(
        float_row("tg_quantize_f32_s8", DType.INT8),
        float_row("tg_quantize_f32_s16", DType.INT16),
        float_row("tg_quantize_f32_u8", DType.UINT8),
        lut_kernel(table, fits=lambda op: (op.x.dtype, op.y.dtype) in TABLED),
        *(requantize_row(x, y) for x, y in sorted(COMPUTED, key=str)),
    ),
    bounds=bounds_of_table(table),
)
