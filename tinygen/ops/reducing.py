"""What REDUCE_MAX and REDUCE_MIN share: the extreme of stored values over any set of axes, int8."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe, int8_per_tensor
from tinygen.ops.mean import Mean, few_groups, loop_fields, parse_reduction
from tinygen.ops.strided import moved_bounds

M = TypeVar("M", bound=Mean)


def same_quantization(op: Mean) -> str:
    """Input and output have one scale and zero point.

    The reference kernels ask for it; insert a QUANTIZE behind the operator.
    """
    return "" if op.x.quant == op.y.quant else f"{describe(op.x)} to {describe(op.y)}"


def definition_of_reduction(op: type[M], choose: Callable[..., Any], function: str) -> OpDef[M]:
    """The operator that takes numpy's ``choose`` of all values, or the C ``function``."""

    def parse(node: Node) -> M:
        return parse_reduction(node, op)

    def reference(op: M, values: tuple[Array, ...]) -> tuple[Array, ...]:
        return (np.asarray(choose(values[0], axis=op.axes)).reshape(op.y.shape),)

    def lower(op: M) -> tuple[Call, ...]:
        return (Call(loop_fields(op), (("unused", 0),), (op.x,), (op.y,)),)

    return OpDef(
        op=op,
        dtypes=(DType.INT8,),
        parse=parse,
        rules=(int8_per_tensor, same_quantization, few_groups),
        reference=reference,
        kernels=(Kernel(function, "tg_reduce_s8.h", "tg_reduce_s8", lower),),
        bounds=moved_bounds,
    )
