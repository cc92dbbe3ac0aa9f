"""What MAXIMUM and MINIMUM share: they compare stored values, whatever the scales are.

Only LiteRT has them for uint8.
"""

from typing import Any

import numpy as np

from tinygen.ir import Activation, Array, DType
from tinygen.ops.base import Kernel, Node, OpDef, Rule, describe, only_for
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
from tinygen.ops.plain import Function, Plain, operands

PLAIN = (DType.FLOAT32, DType.UINT8, DType.INT16, DType.INT32, DType.INT64)
OPERANDS: Rule[Any] = operands(PLAIN, int8_operands, "int8 with one scale and zero point")


def one_quantization(op: Binary) -> str:
    """Both operands and the output have one scale and zero point.

    The reference kernels compare stored values; insert a QUANTIZE before the operand in question.
    """
    scaled = op.y.dtype is not DType.FLOAT32
    wrong = (t for t in op.inputs if scaled and t.quant != op.y.quant)
    return next((f"{describe(t)} against {describe(op.y)}" for t in wrong), "")


def definition_of_extremum(op: type[B], name: str, choose: Function) -> OpDef[B]:
    """The operator that takes one of two values by ``choose``, which is as C's also where one is
    no number. ``name`` is what the kernels' names begin with.
    """
    plain: Plain[B] = Plain(name, PLAIN, choose)

    def parse(node: Node) -> B:
        return op(node.name, broadcast_operands(node), node.outputs, Activation.NONE)

    def elementwise(op: B, a: Array, b: Array) -> Int8Array:
        return np.asarray(choose(a, b), np.int8)

    function = f"tg_{name}_s8"
    row: Kernel[B] = Kernel(
        function,
        "tg_extremum_s8.h",
        "tg_extremum_s8",
        lambda op: (binary_call(op, ()),),
        in_place=True,
    )
    any_type = plain.or_else(elementwise)

    return OpDef(
        op=op,
        dtypes=(DType.INT8, *PLAIN),
        parse=parse,
        rules=(OPERANDS, one_quantization, few_loops),
        reference=reference_of(any_type),
        kernels=(
            one_variable_kernel(elementwise),
            *only_for(DType.INT8, row),
            *plain.kernels,
        ),
        bounds=corner_bounds(any_type),
    )
