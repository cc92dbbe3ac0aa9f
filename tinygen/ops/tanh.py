"""TANH, int8 and int16."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType, Numerics, Op
from tinygen.ops import fixedpoint, sigmoid_wide
from tinygen.ops.base import Node, OpDef, integer_per_tensor, only_for
from tinygen.ops.lut import bounds_of_table, lookup, lut_kernel
from tinygen.ops.sigmoid import fixed_point_table, float_table, input_scale, standard_output
from tinygen.ops.unary import check_unary

OUTPUT_BITS = 7


@dataclass(frozen=True, slots=True, eq=False)
class Tanh(Op):
    """y = tanh(x).

    TFLite Micro computes it in fixed point, LiteRT's reference kernel in float; both int16 alike.
    """

    kind: ClassVar[str] = "TANH"

    numerics: Numerics = Numerics.TFLM


def parse(node: Node) -> Tanh:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return Tanh(node.name, node.present, node.outputs, node.numerics)


def output_range(op: Tanh) -> str:
    """The output's scale is 1/128 and its zero point 0; for int16 they are 1/32768 and 0.

    The reference kernels know no other; convert the model anew.
    """
    if op.y.dtype is DType.INT16:
        return standard_output(op.y, sigmoid_wide.OUTPUT_SCALE, 0)
    return standard_output(op.y, 1 / 128, 0)


def table(op: Tanh) -> Array:
    """int8 results by the input's byte read as unsigned."""
    if op.numerics is Numerics.LITERT:
        return float_table(op.x, op.y, np.tanh)
    return fixed_point_table(op.x, op.y, fixedpoint.tanh, OUTPUT_BITS)


def reference(op: Tanh, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: reference_integer_ops::Tanh (TFLite Micro), LUTPopulate (LiteRT)."""
    if op.x.dtype is DType.INT16:
        return (sigmoid_wide.tanh(op, values[0]),)
    return (lookup(table(op), values[0]),)


TANH = OpDef(
    op=Tanh,
    dtypes=(DType.INT8, DType.INT16),
    parse=parse,
    rules=(integer_per_tensor, output_range, input_scale, sigmoid_wide.step_in_range),
    reference=reference,
    kernels=(
        *only_for(DType.INT8, lut_kernel(table)),
        sigmoid_wide.wide_kernel("tg_tanh_s16", sigmoid_wide.TANH_DOUBLINGS),
    ),
    bounds=bounds_of_table(table),
)
