"""SELECT_V2: one of two tensors, element by element, as a third says, with broadcasting."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe
from tinygen.ops.binary import merged_loops

MAX_LOOPS = 4


@dataclass(frozen=True, slots=True, eq=False)
class SelectV2(Op):
    """y = a where the condition holds, else b: stored values, whatever the scales are."""

    kind: ClassVar[str] = "SELECT_V2"

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


def parse(node: Node) -> SelectV2:
    """Read the node. Raises ModelError where the shapes do not broadcast to the output's."""
    node.arity(3)
    shapes = [t.shape for t in node.present]
    try:
        node.makes(np.broadcast_shapes(*shapes))
    except ValueError:
        raise ModelError(f"SELECT_V2 '{node.name}': {shapes} do not broadcast") from None
    return SelectV2(node.name, node.present, node.outputs)


def types(op: SelectV2) -> str:
    """The condition is bool, and both operands and the output have one type.

    Convert the model anew.
    """
    if op.condition.dtype is not DType.BOOL:
        return describe(op.condition)
    return next((describe(t) for t in (op.a, op.b) if t.dtype is not op.y.dtype), "")


def few_loops(op: SelectV2) -> str:
    """Broadcasting needs at most four nested loops.

    Expand the operands to the output's shape in the model.
    """
    shapes = [t.shape for t in op.inputs]
    found = " with ".join(map(str, shapes))
    return found if len(merged_loops(op.y.shape, *shapes)) > MAX_LOOPS else ""


def reference(op: SelectV2, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::Select."""
    return (np.where(*values).astype(op.y.dtype.numpy).reshape(op.y.shape),)


def lower(op: SelectV2) -> tuple[Call, ...]:
    """The call of ``tg_select``; strides of the operands are in bytes."""
    loops = merged_loops(op.y.shape, *(t.shape for t in op.inputs))
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


SELECT_V2 = OpDef(
    op=SelectV2,
    dtypes=tuple(DType),
    subject=lambda op: op.a,
    parse=parse,
    rules=(types, few_loops),
    reference=reference,
    kernels=(Kernel("tg_select", "tg_select.h", "tg_select", lower),),
)
