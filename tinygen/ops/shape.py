"""SHAPE: the sizes of a tensor's axes, which are known when compiling."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe
from tinygen.ops.strided import Walk, copy_call


@dataclass(frozen=True, slots=True, eq=False)
class Shape(Op):
    """y = the sizes of the axes of x, as int32 or int64."""

    kind: ClassVar[str] = "SHAPE"


def parse(node: Node) -> Shape:
    """Read the node. Raises ModelError where the output cannot hold the sizes."""
    node.arity(1)
    node.makes((len(node.present[0].shape),))
    return Shape(node.name, node.present, node.outputs)


def integers(op: Shape) -> str:
    """The output is int32 or int64.

    Convert the model anew.
    """
    return "" if op.y.dtype in (DType.INT32, DType.INT64) else describe(op.y)


def sizes(op: Shape) -> Array:
    """The sizes, in the output's type."""
    return np.array(op.x.shape, op.y.dtype.numpy)


def lower(op: Shape) -> tuple[Call, ...]:
    """A copy of the constant sizes."""
    constant = Tensor(f"{op.name}/sizes", op.y.shape, op.y.dtype, None, sizes(op))
    return (copy_call(Walk(0, op.y.shape, (1,)), constant, op.y),)


SHAPE = OpDef(
    op=Shape,
    dtypes=tuple(DType),
    parse=parse,
    rules=(integers,),
    reference=lambda op, values: (sizes(op),),
    kernels=(Kernel("tg_strided_copy", "tg_strided_copy.h", "tg_strided_copy", lower),),
    shape_only=True,
)
