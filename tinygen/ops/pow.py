"""POW: a to the power of b, with broadcasting, float32 or int32, as LiteRT has it.

For int32 LiteRT stops at an exponent below zero, where generated C goes on with 0, and leaves
undefined what does not fit in 32 bits, which wraps here.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Activation, Array, DType
from tinygen.ops.base import Node, OpDef, describe
from tinygen.ops.binary import Binary, broadcast_operands, few_loops, reference_of
from tinygen.ops.dividing import is_float
from tinygen.ops.plain import Plain, operands
from tinygen.ops.tolerance import CURVE


@dataclass(frozen=True, slots=True, eq=False)
class Pow(Binary):
    """y = a ** b; there is no fused activation."""

    kind: ClassVar[str] = "POW"


def parse(node: Node) -> Pow:
    """Read the node. Raises ModelError where the shapes do not broadcast."""
    return Pow(node.name, broadcast_operands(node), node.outputs, Activation.NONE)


def exponent_not_negative(op: Pow) -> str:
    """No element of a constant int32 exponent is negative.

    The reference kernel stops there; change the constant.
    """
    negative = op.b.is_constant and op.b.dtype is DType.INT32 and (op.b.values < 0).any()
    return describe(op.b) if negative else ""


def power(a: Array, b: Array) -> Array:
    """Source: TFLite's reference_ops::Pow, which is C's: of float32 in float32.

    Whole numbers are squared for each bit of the exponent, and multiplied for those that are set.
    """
    if is_float(a):
        return np.power(a.astype(np.float64), b.astype(np.float64))
    result, square = np.ones_like(a), a
    for bit in range(31):
        result = np.where(b >> bit & 1, result * square, result)
        square = square * square
    return np.where(b < 0, 0, result)


PLAIN: Plain[Pow] = Plain("pow", (DType.FLOAT32, DType.INT32), power)

POW = OpDef(
    op=Pow,
    dtypes=PLAIN.dtypes,
    parse=parse,
    rules=(operands(PLAIN.dtypes), exponent_not_negative, few_loops),
    reference=reference_of(PLAIN.elementwise),
    kernels=PLAIN.kernels,
    tolerance=CURVE,
)
