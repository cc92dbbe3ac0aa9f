"""What the operators that divide share: a divisor that is zero, and whole numbers in numpy.

Both references stop where a whole number is divided by zero. Generated C cannot; its result is 0.
A constant divisor of zero is refused.
"""

from collections.abc import Callable

import numpy as np

from tinygen.ir import Activation, Array, DType
from tinygen.ops.base import Node, OpDef, describe
from tinygen.ops.binary import B, Pair, broadcast_operands, few_loops, reference_of
from tinygen.ops.plain import Function, Plain, operands


def is_float(values: Array) -> bool:
    """Whether ``values`` are floats."""
    return values.dtype.kind == "f"


def divided(function: Callable[[Array, Array], Array], a: Array, b: Array) -> Array:
    """numpy's ``function`` of whole numbers; 0 for divisors of zero.

    By -1 numpy divides the lowest number as C wraps it.
    """
    return np.where(b == 0, 0, function(a, np.where(b == 0, 1, b)))


def divisor_not_zero(op: Pair) -> str:
    """No element of a constant divisor is zero.

    The reference kernels stop there; change the constant.
    """
    if not op.b.is_constant or op.b.dtype is DType.FLOAT32:
        return ""
    zero = op.b.quant.zero_point[0] if op.b.quant and op.kind == "DIV" else 0
    return describe(op.b) if (op.b.values == zero).any() else ""


def definition_of_division(
    op: type[B], name: str, dtypes: tuple[DType, ...], function: Function
) -> OpDef[B]:
    """The operator that is numpy's ``function`` of values without a scale, of ``dtypes``."""
    plain: Plain[B] = Plain(name, dtypes, function)

    def parse(node: Node) -> B:
        return op(node.name, broadcast_operands(node), node.outputs, Activation.NONE)

    return OpDef(
        op=op,
        dtypes=dtypes,
        parse=parse,
        rules=(operands(dtypes), divisor_not_zero, few_loops),
        reference=reference_of(plain.elementwise),
        kernels=plain.kernels,
    )
