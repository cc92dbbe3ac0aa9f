"""Operators whose result is known when compiling: SHAPE, and what else follows from shapes."""

from collections.abc import Callable
from typing import TypeVar

from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe
from tinygen.ops.strided import Walk, copy_call

O = TypeVar("O", bound=Op)  # noqa: E741 - O is an operator throughout


def integers(op: Op) -> str:
    """The output is int32 or int64.

    Convert the model anew.
    """
    return "" if op.y.dtype in (DType.INT32, DType.INT64) else describe(op.y)


def settled_definition(
    op: type[O],
    parse: Callable[[Node], O],
    result: Callable[[O], Array],
    dtypes: tuple[DType, ...] = tuple(DType),
) -> OpDef[O]:
    """The operator whose output is ``result``, whatever the inputs' values at run time."""

    def lower(op: O) -> tuple[Call, ...]:
        constant = Tensor(f"{op.name}/value", op.y.shape, op.y.dtype, None, result(op))
        sizes = (op.y.elements,)
        return (copy_call(Walk(0, sizes, (1,)), constant, op.y),)

    return OpDef(
        op=op,
        dtypes=dtypes,
        parse=parse,
        rules=(integers,),
        reference=lambda op, values: (result(op),),
        kernels=(Kernel("tg_strided_copy", "tg_strided_copy.h", "tg_strided_copy", lower),),
        shape_only=True,
    )
