"""LOGICAL_NOT: whether a value does not hold."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.logical import truth_values
from tinygen.ops.unary import check_unary


@dataclass(frozen=True, slots=True, eq=False)
class LogicalNot(Op):
    """y = not x."""

    kind: ClassVar[str] = "LOGICAL_NOT"


def parse(node: Node) -> LogicalNot:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return LogicalNot(node.name, node.present, node.outputs)


def reference(op: LogicalNot, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite Micro's ``LogicalNotEval``."""
    del op
    return (np.asarray(~values[0], bool),)


def lower(op: LogicalNot) -> tuple[Call, ...]:
    """The call of ``tg_logical_not``."""
    return (Call((("size", op.x.elements),), (("unused", 0),), (op.x,), (op.y,)),)


LOGICAL_NOT = OpDef(
    op=LogicalNot,
    dtypes=(DType.BOOL,),
    parse=parse,
    rules=(truth_values,),
    reference=reference,
    kernels=(Kernel("tg_logical_not", "tg_logical.h", "tg_logical_not", lower, in_place=True),),
)
