"""Operators with one input and one output of the same shape."""

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import DType, Numerics, Op
from tinygen.ops.base import Node


def check_unary(node: Node) -> None:
    """Check the operands of ``node``. Raises ModelError."""
    node.arity(1)
    shapes = [t.shape for t in (*node.present, *node.outputs)]
    if len(shapes) != 2 or shapes[0] != shapes[1]:
        raise ModelError(f"{node.kind} '{node.name}': input and output shapes differ: {shapes}")


def ratio_of_scales(op: Op, numerics: Numerics, factor: float = 1.0) -> float:
    """The input's scale times ``factor``, by the output's scale.

    TFLite Micro computes it in double, LiteRT in float32; both give the multipliers' last bits.
    """
    if numerics is Numerics.TFLM:
        return op.x.scale * factor / op.y.scale
    with np.errstate(over="ignore"):
        return float(np.float32(op.x.scale) * np.float32(factor) / np.float32(op.y.scale))


def largest_ratio(dtype: DType) -> float:
    """What ratios of scales stay below, so that values of ``dtype`` times them fit 31 bits."""
    return {DType.INT16: 2.0**14, DType.INT32: 0.5}.get(dtype, 2.0**22)


def scale_in_range(op: Op) -> str:
    """The input's scale is less than 2**22 times the output's, or 2**14 times from int16.

    Beyond that the reference kernels overflow; check the ranges that the converter calibrated.
    """
    if any(t.quant is None or t.quant.per_channel for t in (op.x, op.y)):
        return ""  # not quantized, or another rule's finding
    return (
        ""
        if op.x.scale < largest_ratio(op.x.dtype) * op.y.scale
        else f"{op.x.scale:g} against {op.y.scale:g}"
    )
