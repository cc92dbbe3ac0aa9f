"""DEQUANTIZE: int8, uint8 or int16 to float32; constants of float16 and of several scales, too."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType, Op, QuantParams
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe
from tinygen.ops.unary import check_unary

TYPES = (DType.INT8, DType.UINT8, DType.INT16)


@dataclass(frozen=True, slots=True, eq=False)
class Dequantize(Op):
    """y = scale * (x - zero point)."""

    kind: ClassVar[str] = "DEQUANTIZE"


def parse(node: Node) -> Dequantize:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return Dequantize(node.name, node.present, node.outputs)


def types(op: Dequantize) -> str:
    """The input is int8, uint8 or int16 with one scale, the output float32.

    A constant may have several scales, or be float16.
    Convert the model with full integer post-training quantization (int8).
    """
    if is_short(op):
        return "" if op.y.dtype is DType.FLOAT32 else describe(op.y)
    if op.x.dtype not in TYPES or op.x.quant is None:
        return describe(op.x)
    if op.x.quant.per_channel and not op.x.is_constant:
        return describe(op.x)
    return "" if op.y.dtype is DType.FLOAT32 else describe(op.y)


def is_short(op: Dequantize) -> bool:
    """Whether the input is a constant of float16, which the front end gives as float32."""
    return op.x.dtype is DType.FLOAT32 and op.x.is_constant


def reference(op: Dequantize, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::Dequantize: the product in double, then rounded to float32.

    24 bits of scale times at most 17 of difference is exact in double, so one product in float32,
    which rounds the same exact value once, gives the same bits. Every float16 is a float32.
    """
    if is_short(op):
        return (values[0],)
    if op.x.quant is not None and op.x.quant.per_channel:
        return (by_channel(op.x.quant, values[0]),)
    offsets = values[0].astype(np.int32) - op.x.zero_point
    return ((np.float64(op.x.scale) * offsets).astype(np.float32),)


def by_channel(quant: QuantParams, values: Array) -> Array:
    """What ``values`` mean, whose scales run along an axis."""
    along = [1] * values.ndim
    along[quant.axis or 0] = -1
    scale, zero = (np.array(p).reshape(along) for p in (quant.scale, quant.zero_point))
    return np.asarray((values.astype(np.int64) - zero) * scale, np.float32)


def lower(op: Dequantize) -> tuple[Call, ...]:
    """The call of the kernel for the input's type."""
    params = (("scale", op.x.scale), ("zero_point", op.x.zero_point))
    return (Call((("size", op.x.elements),), params, (op.x,), (op.y,)),)


def _row(suffix: str, dtype: DType) -> Kernel[Dequantize]:
    return Kernel(
        f"tg_dequantize_{suffix}_f32",
        "tg_dequantize_f32.h",
        "tg_dequantize_f32",
        lower,
        fits=lambda op: op.x.dtype is dtype,
    )


DEQUANTIZE = OpDef(
    op=Dequantize,
    dtypes=TYPES,
    parse=parse,
    rules=(types,),
    reference=reference,
    kernels=(_row("s8", DType.INT8), _row("u8", DType.UINT8), _row("s16", DType.INT16)),
)
