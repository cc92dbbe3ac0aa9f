"""What the comparisons share: how two values lie to each other, of any scales or without.

int16 is LiteRT's, which brings it to one scale for EQUAL and NOT_EQUAL, and compares stored values
for order; TFLite Micro has it for GREATER alone, with factors that it never sets. Nothing lies to a
NaN in any way, so that is unequal to all.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np

from tinygen.ir import Array, DType, Tensor
from tinygen.ops.base import Call, Kernel, Node, OpDef, Value, describe, only_for
from tinygen.ops.binary import Pair, broadcast_operands, few_loops, geometry_of, pair_call
from tinygen.quant import multiply_by_quantized_multiplier, quantize_multiplier

LEFT_SHIFT = 8
SCALED = {DType.INT8: "tg_compare_s8"}
PER_TENSOR = (DType.INT8, DType.INT16)
KERNELS = {
    DType.FLOAT32: "tg_compare_f32",
    DType.INT32: "tg_compare_s32",
    DType.INT64: "tg_compare_s64",
}
# For EQUAL and NOT_EQUAL alone.
SCALED_EQUALITY = {DType.INT16: "tg_compare_s16"}
EQUALITY = {DType.BOOL: "tg_compare_bool"}
# For the other four.
ORDER = {DType.INT16: "tg_compare_stored_s16"}


@dataclass(frozen=True, slots=True, eq=False)
class Comparison(Pair):
    """y = whether a lies to b as ``holds`` says: where it is less, equal, greater."""

    holds: ClassVar[tuple[bool, bool, bool]]

    @classmethod
    def orders(cls) -> bool:
        """Whether it tells less from greater."""
        return cls.holds[0] is not cls.holds[2]

    @classmethod
    def kernels(cls) -> dict[DType, str]:
        """The kernels for values that are compared as they are, by type."""
        return KERNELS | (ORDER if cls.orders() else EQUALITY)

    @classmethod
    def scaled_kernels(cls) -> dict[DType, str]:
        """The kernels for values that are brought to one scale, by type."""
        return SCALED | ({} if cls.orders() else SCALED_EQUALITY)


C = TypeVar("C", bound=Comparison)


def types(op: Comparison) -> str:
    """Both operands are int8 or int16 with one scale each, or float32, int32 or int64.

    EQUAL and NOT_EQUAL take bool as well; the output is bool. Convert the model with full integer
    post-training quantization (int8), or not at all.
    """
    if op.y.dtype is not DType.BOOL:
        return describe(op.y)
    for tensor in op.inputs:
        if tensor.dtype is not op.a.dtype or tensor.dtype not in (
            *op.scaled_kernels(),
            *op.kernels(),
        ):
            return describe(tensor)
        if tensor.dtype in PER_TENSOR and (tensor.quant is None or tensor.quant.per_channel):
            return describe(tensor)
    return ""


def scales_below_one(op: Comparison) -> str:
    """The scales of operands that are brought to one scale are below 1.

    The reference kernels stop there; check the ranges that the converter calibrated.
    """
    if op.a.dtype not in op.scaled_kernels():
        return ""
    return next((describe(t) for t in op.inputs if t.scale >= 1), "")


def scaled(op: Comparison, tensor: Tensor, values: Array) -> Array:
    """What is compared. Source: TFLite's ``ComparisonWithScaling``."""
    if tensor.dtype not in op.scaled_kernels():
        return values
    shifted = (values.astype(np.int64) - tensor.zero_point) << LEFT_SHIFT
    return multiply_by_quantized_multiplier(shifted, *quantize_multiplier(tensor.scale)).astype(
        np.int64
    )


def reference(op: Comparison, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's comparisons.h."""
    a, b = (scaled(op, t, v) for t, v in zip(op.inputs, values, strict=True))
    less, _, greater = op.holds
    found = np.select([a < b, a == b, a > b], op.holds, less and greater)
    return (found.astype(bool).reshape(op.y.shape),)


def relation_of(op: Comparison) -> tuple[tuple[str, Value], ...]:
    """The fields ``less``, ``equal`` and ``greater``, for the operands as the kernel takes them."""
    less, equal, greater = reversed(op.holds) if geometry_of(op).swapped else op.holds
    return (("less", int(less)), ("equal", int(equal)), ("greater", int(greater)))


def lower_scaled(op: Comparison) -> tuple[Call, ...]:
    """The call of a kernel with scales."""
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
        plain: Kernel[C] = Kernel(function, "tg_compare.h", "tg_compare", lower)
        return only_for(dtype, plain)[0]

    def scaled_row(dtype: DType, function: str) -> Kernel[C]:
        types = "tg_compare_scaled"
        scaled: Kernel[C] = Kernel(function, "tg_compare.h", types, lower_scaled)
        return only_for(dtype, scaled)[0]

    return OpDef(
        op=op,
        dtypes=(*op.scaled_kernels(), *op.kernels()),
        parse=parse,
        rules=(types, scales_below_one, few_loops),
        reference=reference,
        kernels=(
            *(scaled_row(dtype, function) for dtype, function in op.scaled_kernels().items()),
            *(row(dtype, function) for dtype, function in op.kernels().items()),
        ),
    )
