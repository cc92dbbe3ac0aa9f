"""What ARG_MAX and ARG_MIN share: the index of the first extreme of stored values."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, TypeVar

import numpy as np

from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe
from tinygen.ops.typed import SUFFIXES

TYPES = (DType.INT8, DType.UINT8, DType.INT32, DType.FLOAT32, DType.BOOL)
INDICES = (DType.INT32, DType.INT64)


@dataclass(frozen=True, slots=True, eq=False)
class ArgExtreme(Op):
    """y = an index along ``axis`` of x, which is not negative; y lacks the axis.

    No value is beyond NaN, nor NaN beyond a value, so NaN is chosen where it comes first. That is
    TFLite Micro's; what LiteRT makes of NaN depends on where in a vector of its loop it stands.
    """

    axis: int


P = TypeVar("P", bound=ArgExtreme)


def types(op: ArgExtreme) -> str:
    """The input is int8, uint8, int32, float32 or bool, the output int32 or int64.

    The reference kernels take no others.
    """
    wrong = [t for t, some in ((op.x, TYPES), (op.y, INDICES)) if t.dtype not in some]
    return describe(wrong[0]) if wrong else ""


def first_extreme(op: ArgExtreme, x: Array, beyond: Callable[[Array, Array], Array]) -> Array:
    """The index of the first value that none is ``beyond``.

    Source: TFLite's reference_ops::ArgMinMax.
    """
    best, *values = np.moveaxis(x, op.axis, 0)
    index = np.zeros(op.y.shape, op.y.dtype.numpy)
    with np.errstate(invalid="ignore"):
        for place, value in enumerate(values, start=1):
            wins = beyond(value, best)
            best = np.where(wins, value, best)
            index = np.where(wins, index.dtype.type(place), index)
    return index


def lower(op: ArgExtreme) -> tuple[Call, ...]:
    """The call of a function of ``tg_arg.h``."""
    shape = (
        ("outer", prod(op.x.shape[: op.axis])),
        ("count", op.x.shape[op.axis]),
        ("inner", prod(op.x.shape[op.axis + 1 :])),
    )
    return (Call(shape, (("unused", 0),), (op.x,), (op.y,)),)


def row(name: str, source: DType, index: DType) -> Kernel[Any]:
    """The row of ``tg_arg.h`` for ``name`` and a pair of types."""
    function = f"tg_arg_{name}_{SUFFIXES[source]}_{SUFFIXES[index]}"

    def fits(op: ArgExtreme) -> bool:
        return (op.x.dtype, op.y.dtype) == (source, index)

    return Kernel(function, "tg_arg.h", "tg_arg", lower, fits=fits)


def definition_of_places(
    op: type[P], name: str, beyond: Callable[[Array, Array], Array]
) -> OpDef[P]:
    """The operator on values compared by ``beyond``, or by the C functions of ``name``."""

    def parse(node: Node) -> P:
        node.arity(2)
        x = node.present[0]
        axis = node.axis(node.integer(1, "axis"), len(x.shape))
        node.makes((*x.shape[:axis], *x.shape[axis + 1 :]))
        return op(node.name, (x,), node.outputs, axis)

    return OpDef(
        op=op,
        dtypes=TYPES,
        parse=parse,
        rules=(types,),
        reference=lambda op, values: (first_extreme(op, values[0], beyond),),
        kernels=tuple(row(name, dtype, index) for dtype in TYPES for index in INDICES),
    )
