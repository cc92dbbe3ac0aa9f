"""What MAXIMUM and MINIMUM share: they compare stored values, whatever the scales are."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygen.ir import Activation, Array, DType
from tinygen.ops.base import Kernel, Node, OpDef, describe
from tinygen.ops.binary import (
    B,
    Binary,
    Int8Array,
    binary_call,
    broadcast_operands,
    corner_bounds,
    few_loops,
    int8_operands,
    one_variable_kernel,
    reference_of,
)


def one_quantization(op: Binary) -> str:
    """Both operands and the output have one scale and zero point.

    The reference kernels compare stored values; insert a QUANTIZE before the operand in question.
    """
    wrong = (t for t in op.inputs if t.quant != op.y.quant)
    return next((f"{describe(t)} against {describe(op.y)}" for t in wrong), "")


def definition_of_extremum(
    op: type[B], choose: Callable[[Any, Any], Any], function: str
) -> OpDef[B]:
    """The operator that takes one of two values by numpy's ``choose``, or the C ``function``."""

    def parse(node: Node) -> B:
        return op(node.name, broadcast_operands(node), node.outputs, Activation.NONE)

    def elementwise(op: B, a: Array, b: Array) -> Int8Array:
        return np.asarray(choose(a, b), np.int8)

    return OpDef(
        op=op,
        dtypes=(DType.INT8,),
        parse=parse,
        rules=(int8_operands, one_quantization, few_loops),
        reference=reference_of(elementwise),
        kernels=(
            one_variable_kernel(elementwise),
            Kernel(
                function,
                "tg_extremum_s8.h",
                "tg_extremum_s8",
                lambda op: (binary_call(op, ()),),
                in_place=True,
            ),
        ),
        bounds=corner_bounds(elementwise),
    )
