"""What ARG_MAX and ARG_MIN share: the index of the first extreme of stored values, int8."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, TypeVar

import numpy as np

from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe


@dataclass(frozen=True, slots=True, eq=False)
class ArgExtreme(Op):
    """y = an index along ``axis`` of x, which is not negative; y lacks the axis."""

    axis: int


P = TypeVar("P", bound=ArgExtreme)


def types(op: ArgExtreme) -> str:
    """The input is int8, the output int32.

    Convert the model with full integer post-training quantization (int8).
    """
    wrong = [t for t, dtype in ((op.x, DType.INT8), (op.y, DType.INT32)) if t.dtype is not dtype]
    return describe(wrong[0]) if wrong else ""


def definition_of_places(op: type[P], choose: Callable[..., Any], function: str) -> OpDef[P]:
    """The operator that takes the index by numpy's ``choose``, or the C ``function``."""

    def parse(node: Node) -> P:
        node.arity(2)
        x = node.present[0]
        axis = node.axis(node.integer(1, "axis"), len(x.shape))
        node.makes((*x.shape[:axis], *x.shape[axis + 1 :]))
        return op(node.name, (x,), node.outputs, axis)

    def reference(op: P, values: tuple[Array, ...]) -> tuple[Array, ...]:
        return (np.asarray(choose(values[0], axis=op.axis), np.int32),)

    def lower(op: P) -> tuple[Call, ...]:
        shape = (
            ("outer", prod(op.x.shape[: op.axis])),
            ("count", op.x.shape[op.axis]),
            ("inner", prod(op.x.shape[op.axis + 1 :])),
        )
        return (Call(shape, (("unused", 0),), (op.x,), (op.y,)),)

    return OpDef(
        op=op,
        dtypes=(DType.INT8,),
        parse=parse,
        rules=(types,),
        reference=reference,
        kernels=(Kernel(function, "tg_arg_s8.h", "tg_arg_s8", lower),),
    )
