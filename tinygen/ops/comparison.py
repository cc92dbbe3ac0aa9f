"""What the comparisons share: how two values lie to each other, int8 of any scales or integers."""

from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np

from tinygen.interval import Integers
from tinygen.ir import Array, DType, Tensor
from tinygen.ops.base import Call, Kernel, Node, OpDef, Value, describe
from tinygen.ops.binary import Pair, broadcast_operands, few_loops, geometry_of, pair_call
from tinygen.quant import multiply_by_quantized_multiplier, quantize_multiplier

LEFT_SHIFT = 8
KERNELS = {DType.INT32: "tg_compare_s32", DType.INT64: "tg_compare_s64"}


@dataclass(frozen=True, slots=True, eq=False)
class Comparison(Pair):
    """y = whether a lies to b as ``holds`` says: where it is less, equal, greater."""

    holds: ClassVar[tuple[bool, bool, bool]]


C = TypeVar("C", bound=Comparison)


def types(op: Comparison) -> str:
    """Both operands are int8 with one scale each, or both int32 or int64; the output is bool.

    Convert the model with full integer post-training quantization (int8).
    """
    if op.y.dtype is not DType.BOOL:
        return describe(op.y)
    for tensor in op.inputs:
        if tensor.dtype is not op.a.dtype or tensor.dtype not in (DType.INT8, *KERNELS):
            return describe(tensor)
        if tensor.dtype is DType.INT8 and (tensor.quant is None or tensor.quant.per_channel):
            return describe(tensor)
    return ""


def scales_below_one(op: Comparison) -> str:
    """The scales of int8 operands are below 1.

    The reference kernels stop there; check the ranges that the converter calibrated.
    """
    if op.a.dtype is not DType.INT8:
        return ""
    return next((describe(t) for t in op.inputs if t.scale >= 1), "")


def scaled(tensor: Tensor, values: Array) -> Integers:
    """What is compared. Source: TFLite's ``ComparisonWithScaling``."""
    if tensor.dtype is not DType.INT8:
        return values.astype(np.int64)
    shifted = (values.astype(np.int64) - tensor.zero_point) << LEFT_SHIFT
    return multiply_by_quantized_multiplier(shifted, *quantize_multiplier(tensor.scale)).astype(
        np.int64
    )


def reference(op: Comparison, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's comparisons.h."""
    a, b = (scaled(t, v) for t, v in zip(op.inputs, values, strict=True))
    less, equal, greater = op.holds
    return (np.select([a < b, a == b], [less, equal], greater).astype(bool).reshape(op.y.shape),)


def relation_of(op: Comparison) -> tuple[tuple[str, Value], ...]:
    """The fields ``less``, ``equal`` and ``greater``, for the operands as the kernel takes them."""
    less, equal, greater = reversed(op.holds) if geometry_of(op).swapped else op.holds
    return (("less", int(less)), ("equal", int(equal)), ("greater", int(greater)))


def lower_s8(op: Comparison) -> tuple[Call, ...]:
    """The call of ``tg_compare_s8``."""
    operands = (op.b, op.a) if geometry_of(op).swapped else (op.a, op.b)
    params = relation_of(op)
    for name, tensor in zip("xw", operands, strict=True):
        multiplier, shift = quantize_multiplier(tensor.scale)
        params += (
            (f"{name}_zero_point", tensor.zero_point),
            (f"{name}_multiplier", multiplier),
            (f"{name}_shift", shift),
        )
    return (pair_call(op, params),)


def lower(op: Comparison) -> tuple[Call, ...]:
    """The call of a kernel without scales."""
    return (pair_call(op, relation_of(op)),)


def definition_of_comparison(op: type[C]) -> OpDef[C]:
    """The operator ``op``."""

    def parse(node: Node) -> C:
        return op(node.name, broadcast_operands(node), node.outputs)

    def row(dtype: DType, function: str) -> Kernel[C]:
        return Kernel(
            function, "tg_compare.h", "tg_compare", lower, fits=lambda op: op.a.dtype is dtype
        )

    return OpDef(
        op=op,
        dtypes=(DType.INT8, *KERNELS),
        parse=parse,
        rules=(types, scales_below_one, few_loops),
        reference=reference,
        kernels=(
            Kernel(
                "tg_compare_s8",
                "tg_compare.h",
                "tg_compare_s8",
                lower_s8,
                fits=lambda op: op.a.dtype is DType.INT8,
            ),
            *(row(dtype, function) for dtype, function in KERNELS.items()),
        ),
    )
