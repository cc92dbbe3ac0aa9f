"""What SELECT and SELECT_V2 share: one of two tensors, element by element, as a third says.

Stored values of any type are copied. LiteRT has all types, TFLite Micro some of them for SELECT_V2,
and no SELECT.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe
from tinygen.ops.binary import merged_loops

MAX_LOOPS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Selection(Op):
    """y = a where the condition holds, else b: stored values, whatever the scales are."""

    @property
    def condition(self) -> Tensor:
        """Which of the two."""
        return self.inputs[0]

    @property
    def a(self) -> Tensor:
        """The values where the condition holds."""
        return self.inputs[1]

    @property
    def b(self) -> Tensor:
        """The values elsewhere."""
        return self.inputs[2]

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The inputs' shapes as they broadcast to the output's."""
        return tuple(t.shape for t in self.inputs)


S = TypeVar("S", bound=Selection)


def types(op: Selection) -> str:
    """The condition is bool, and both operands and the output have one type.

    Convert the model anew.
    """
    if op.condition.dtype is not DType.BOOL:
        return describe(op.condition)
    return next((describe(t) for t in (op.a, op.b) if t.dtype is not op.y.dtype), "")


def few_loops(op: Selection) -> str:
    """Broadcasting needs at most four nested loops.

    Expand the operands to the output's shape in the model.
    """
    found = " with ".join(map(str, op.shapes))
    return found if len(merged_loops(op.y.shape, *op.shapes)) > MAX_LOOPS else ""


def reference(op: Selection, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::Select."""
    condition, a, b = (v.reshape(s) for v, s in zip(values, op.shapes, strict=True))
    return (np.where(condition, a, b).astype(op.y.dtype.numpy).reshape(op.y.shape),)


def lower(op: Selection) -> tuple[Call, ...]:
    """The call of ``tg_select``; strides of the operands are in bytes."""
    loops = merged_loops(op.y.shape, *op.shapes)
    loops = ((1, (0, 0, 0)),) * (MAX_LOOPS - len(loops)) + loops
    size = op.y.dtype.size
    shape = [("size", size)]
    for index, (count, (condition, a, b)) in enumerate(loops):
        shape += [
            (f"n{index}", count),
            (f"c_step{index}", condition),
            (f"x_step{index}", a * size),
            (f"w_step{index}", b * size),
        ]
    return (Call(tuple(shape), (("unused", 0),), op.inputs, (op.y,)),)


def definition_of_selection(op: type[S], parse: Callable[[Node], S]) -> OpDef[S]:
    """The operator ``op``."""
    return OpDef(
        op=op,
        dtypes=tuple(DType),
        subject=lambda op: op.a,
        parse=parse,
        rules=(types, few_loops),
        reference=reference,
        kernels=(Kernel("tg_select", "tg_select.h", "tg_select", lower),),
    )
