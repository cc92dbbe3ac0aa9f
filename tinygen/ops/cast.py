"""CAST: stored values in another type."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe
from tinygen.ops.strided import Walk, copy_call
from tinygen.ops.unary import check_unary
from tinygen.quant import dtype_range

SHORT = {
    DType.INT8: "s8",
    DType.UINT8: "u8",
    DType.INT16: "s16",
    DType.INT32: "s32",
    DType.INT64: "s64",
    DType.UINT32: "u32",
    DType.FLOAT32: "f32",
    DType.BOOL: "bool",
}
TARGETS = tuple(SHORT)


@dataclass(frozen=True, slots=True, eq=False)
class Cast(Op):
    """y = x in the type of y; integers that it does not hold wrap, scales count for nothing."""

    kind: ClassVar[str] = "CAST"


def parse(node: Node) -> Cast:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return Cast(node.name, node.present, node.outputs)


def types(op: Cast) -> str:
    """Both are int8, int16, int32, uint32, int64, uint8, float32 or bool.

    tinygen knows no other; convert the model anew.
    """
    return (op.x.dtype not in SHORT and describe(op.x)) or (
        describe(op.y) if op.y.dtype not in TARGETS else ""
    )


def reference(op: Cast, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: ``copyCast``: C's conversions; from and to int64 and uint8, and to bool, LiteRT's.

    C leaves floats that the integer type does not hold undefined; here they saturate, and what is
    no number becomes 0.
    """
    (x,) = values
    if op.y.dtype is DType.BOOL:
        return (np.asarray(x != 0),)
    if op.x.dtype is DType.FLOAT32 and op.y.dtype is DType.INT64:
        return (saturated_int64(x),)
    if op.x.dtype is DType.FLOAT32 and op.y.dtype is not DType.FLOAT32:
        whole = np.trunc(np.nan_to_num(x.astype(np.float64), posinf=np.inf, neginf=-np.inf))
        x = np.clip(whole, *dtype_range(op.y.dtype)).astype(np.int64)
    return (x.astype(op.y.dtype.numpy),)


def saturated_int64(x: Array) -> Array:
    """Floats without their fractions; the greatest int64 is no double."""
    inside = np.abs(x) < 2.0**63
    limits = np.where(x > 0, 2**63 - 1, np.where(x < 0, -(2**63), 0))
    return np.where(inside, np.where(inside, x, 0).astype(np.int64), limits)


def lower(op: Cast) -> tuple[Call, ...]:
    """The call of the kernel for the two types."""
    return (Call((("size", op.x.elements),), (("unused", 0),), (op.x,), (op.y,)),)


def _row(x: DType, y: DType) -> Kernel[Cast]:
    return Kernel(
        f"tg_cast_{SHORT[x]}_{SHORT[y]}",
        "tg_cast.h",
        "tg_cast",
        lower,
        fits=lambda op: (op.x.dtype, op.y.dtype) == (x, y),
    )


CAST = OpDef(
    op=Cast,
    dtypes=tuple(SHORT),
    parse=parse,
    rules=(types,),
    reference=reference,
    kernels=(
        *(_row(x, y) for x in SHORT for y in TARGETS if x is not y),
        Kernel(
            "tg_strided_copy",
            "tg_strided_copy.h",
            "tg_strided_copy",
            lambda op: (copy_call(Walk(0, (op.x.elements,), (1,)), op.x, op.y),),
            fits=lambda op: op.x.dtype is op.y.dtype,
        ),
    ),
)
