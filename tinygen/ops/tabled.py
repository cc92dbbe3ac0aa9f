"""Operators that move elements whose places in the input follow no even step.

Each gives the places along every axis; the compiler turns them into the tables of one kernel.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tinygen.interval import Integers
from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Call, Kernel, Node, OpDef, same_type
from tinygen.ops.strided import moved_bounds

O = TypeVar("O", bound=Op)  # noqa: E741 - O is an operator throughout

Places = tuple[Integers, ...]
"""Element (i0, i1, ...) of the result is element places[0][i0] + places[1][i1] + ... of the input.

There is one array for each axis of the result, or of a shape with the same elements.
"""


def table_call(op: Op, places: Places) -> Call:
    """The call of ``tg_table_copy`` that makes ``op.y`` of ``op.x``."""
    element = op.x.dtype.size
    axes = [axis * element for axis in places if len(axis) > 1 or axis[0]]
    run = element
    while axes and _is_even(axes[-1], run):
        run *= len(axes.pop())
    count, step = 1, 0
    while axes and axes[0][0] == 0 and _is_even(axes[0], int(axes[0][1])):
        size, stride = len(axes[0]), int(axes[0][1])
        if count > 1 and step != size * stride:
            break
        count, step = count * size, stride
        axes.pop(0)
    while len(axes) > 2:
        # Two tables make one, and those do that make the smallest.
        at = min(range(len(axes) - 1), key=lambda i: len(axes[i]) * len(axes[i + 1]))
        axes[at : at + 2] = [(axes[at][:, None] + axes[at + 1]).reshape(-1)]
    none = np.zeros(1, np.int64)
    rows, columns = [none, none, *axes][-2:]
    shape = (
        ("size", run),
        ("n0", count),
        ("step0", step),
        ("n1", len(rows)),
        ("n2", len(columns)),
    )
    params = (("rows", rows.astype(np.int32)), ("columns", columns.astype(np.int32)))
    return Call(shape, params, (op.x,), (op.y,))


def few_elements(op: Op) -> str:
    """The output has at most 2**24 elements.

    No microcontroller holds more.
    """
    return "" if op.y.elements <= 2**24 else str(op.y.shape)


def _is_even(axis: Integers, step: int) -> bool:
    return np.array_equal(axis, step * np.arange(len(axis)))


def table_kernel(
    places: Callable[[O], Places], fits: Callable[[O], bool] = lambda op: True
) -> Kernel[O]:
    """The table row of an operator whose elements' places ``places`` gives."""
    return Kernel(
        "tg_table_copy",
        "tg_table_copy.h",
        "tg_table_copy",
        lambda op: (table_call(op, places(op)),),
        fits=fits,
    )


def tabled_definition(
    op: type[O],
    parse: Callable[[Node], O],
    reference: Callable[[O, tuple[Array, ...]], tuple[Array, ...]],
    places: Callable[[O], Places],
) -> OpDef[O]:
    """The operator that does nothing but what ``places`` tells."""
    return OpDef(
        op=op,
        dtypes=tuple(DType),
        parse=parse,
        rules=(same_type, few_elements),
        reference=reference,
        kernels=(table_kernel(places),),
        bounds=moved_bounds,
    )
