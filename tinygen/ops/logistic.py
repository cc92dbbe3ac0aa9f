"""LOGISTIC: 1 / (1 + exp(-x)), int8 and int16."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array, DType, Numerics, Op
from tinygen.ops import fixedpoint, sigmoid_wide
from tinygen.ops.base import Node, OpDef, integer_per_tensor, only_for
from tinygen.ops.lut import bounds_of_table, lookup, lut_kernel
from tinygen.ops.sigmoid import fixed_point_table, float_table, input_scale, standard_output
from tinygen.ops.unary import check_unary

OUTPUT_BITS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Logistic(Op):
    """y = 1 / (1 + exp(-x)).

    TFLite Micro computes it in fixed point, LiteRT's reference kernel in float; both int16 alike.
    """

    kind: ClassVar[str] = "LOGISTIC"

    numerics: Numerics = Numerics.TFLM


def parse(node: Node) -> Logistic:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return Logistic(node.name, node.present, node.outputs, node.numerics)


def output_range(op: Logistic) -> str:
    """The output's scale is 1/256 and its zero point -128; for int16 they are 1/32768 and 0.

    The reference kernels know no other; convert the model anew.
    """
    if op.y.dtype is DType.INT16:
        return standard_output(op.y, sigmoid_wide.OUTPUT_SCALE, 0)
    return standard_output(op.y, 1 / 256, -128)


def float_logistic(x: npt.NDArray[np.float64]) -> Array:
    """1 / (1 + exp(-x)), each step rounded to float32."""
    with np.errstate(over="ignore"):
        exponential = np.exp(-x).astype(np.float32)
    return np.asarray(np.float32(1) / (np.float32(1) + exponential))


def table(op: Logistic) -> Array:
    """int8 results by the input's byte read as unsigned."""
    if op.numerics is Numerics.LITERT:
        return float_table(op.x, op.y, float_logistic)
    return fixed_point_table(op.x, op.y, fixedpoint.logistic, OUTPUT_BITS)


def reference(op: Logistic, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: reference_integer_ops::Logistic (TFLite Micro), LUTPopulate (LiteRT)."""
    if op.x.dtype is DType.INT16:
        return (sigmoid_wide.logistic(op, values[0]),)
    return (lookup(table(op), values[0]),)


LOGISTIC = OpDef(
    op=Logistic,
    dtypes=(DType.INT8, DType.INT16),
    parse=parse,
    rules=(integer_per_tensor, output_range, input_scale, sigmoid_wide.step_in_range),
    reference=reference,
    kernels=(
        *only_for(DType.INT8, lut_kernel(table)),
        sigmoid_wide.wide_kernel("tg_logistic_s16", sigmoid_wide.LOGISTIC_DOUBLINGS),
    ),
    bounds=bounds_of_table(table),
)
