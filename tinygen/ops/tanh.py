"""TANH, int8."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, Numerics, Op
from tinygen.ops import fixedpoint
from tinygen.ops.base import Node, OpDef, int8_per_tensor
from tinygen.ops.lut import bounds_of_table, lookup, lut_kernel
from tinygen.ops.sigmoid import fixed_point_table, float_table, input_scale, standard_output
from tinygen.ops.unary import check_unary

OUTPUT_BITS = 7


@dataclass(frozen=True, slots=True, eq=False)
class Tanh(Op):
    """y = tanh(x).

    TFLite Micro computes it in fixed point, LiteRT's reference kernel in float.
    """

    kind: ClassVar[str] = "TANH"

    numerics: Numerics = Numerics.TFLM


def parse(node: Node) -> Tanh:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return Tanh(node.name, node.present, node.outputs, node.numerics)


def output_range(op: Tanh) -> str:
    """The output's scale is 1/128 and its zero point 0.

    The reference kernels know no other; convert the model anew.
    """
    return standard_output(op.y, 1 / 128, 0)


def table(op: Tanh) -> Array:
    """int8 results by the input's byte read as unsigned."""
    if op.numerics is Numerics.LITERT:
        return float_table(op.x, op.y, np.tanh)
    return fixed_point_table(op.x, op.y, fixedpoint.tanh, OUTPUT_BITS)


def reference(op: Tanh, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: reference_integer_ops::Tanh (TFLite Micro), LUTPopulate (LiteRT)."""
    return (lookup(table(op), values[0]),)


TANH = OpDef(
    op=Tanh,
    parse=parse,
    rules=(int8_per_tensor, output_range, input_scale),
    reference=reference,
    kernels=(lut_kernel(table),),
    bounds=bounds_of_table(table),
)
