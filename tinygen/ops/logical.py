"""What LOGICAL_AND and LOGICAL_OR share: truth values, with broadcasting."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Kernel, Node, OpDef, describe
from tinygen.ops.binary import Pair, broadcast_operands, few_loops, pair_call


@dataclass(frozen=True, slots=True, eq=False)
class Logical(Pair):
    """y = a op b, of truth values."""


L = TypeVar("L", bound=Logical)


def truth_values(op: Op) -> str:
    """All tensors are bool.

    Convert the model anew.
    """
    wrong = (t for t in (*op.inputs, *op.outputs) if t.dtype is not DType.BOOL)
    return next(map(describe, wrong), "")


def definition_of_logical(op: type[L], choose: Callable[..., Any], function: str) -> OpDef[L]:
    """The operator that joins two values by numpy's ``choose``, or the C ``function``."""

    def parse(node: Node) -> L:
        return op(node.name, broadcast_operands(node), node.outputs)

    def reference(op: L, values: tuple[Array, ...]) -> tuple[Array, ...]:
        return (np.asarray(choose(*values), bool).reshape(op.y.shape),)

    return OpDef(
        op=op,
        dtypes=(DType.BOOL,),
        parse=parse,
        rules=(truth_values, few_loops),
        reference=reference,
        kernels=(
            Kernel(
                function,
                "tg_logical.h",
                "tg_logical",
                lambda op: (pair_call(op, (("unused", 0),)),),
                in_place=True,
            ),
        ),
    )
