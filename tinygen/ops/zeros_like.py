"""ZEROS_LIKE: zeros in the shape and type of a tensor, which are known when compiling."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import Call, Kernel, Node, OpDef, same_type
from tinygen.ops.strided import Walk, copy_call
from tinygen.ops.unary import check_unary


@dataclass(frozen=True, slots=True, eq=False)
class ZerosLike(Op):
    """y = stored values of 0, whatever the zero point is."""

    kind: ClassVar[str] = "ZEROS_LIKE"


def parse(node: Node) -> ZerosLike:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return ZerosLike(node.name, node.present, node.outputs)


def zeros(op: ZerosLike) -> Array:
    """The result."""
    return np.zeros(op.y.shape, op.y.dtype.numpy)


def lower(op: ZerosLike) -> tuple[Call, ...]:
    """One zero, again and again."""
    constant = Tensor(f"{op.name}/zero", (1,), op.y.dtype, None, np.zeros(1, op.y.dtype.numpy))
    return (copy_call(Walk(0, (op.y.elements,), (0,)), constant, op.y),)


ZEROS_LIKE = OpDef(
    op=ZerosLike,
    dtypes=tuple(DType),
    parse=parse,
    rules=(same_type,),
    reference=lambda op, values: (zeros(op),),
    kernels=(Kernel("tg_strided_copy", "tg_strided_copy.h", "tg_strided_copy", lower),),
    shape_only=True,
)
