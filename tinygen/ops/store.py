"""STORE: the same bytes in a buffer of their own.

No model file holds it; ``settle_states`` makes it where a state's next value cannot be computed in
the state's place.
"""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.errors import ModelError
from tinygen.ir import DType, Op
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.view import bounds, reshaped


@dataclass(frozen=True, slots=True, eq=False)
class Store(Op):
    """y = x, element for element; the shapes may differ, the number of bytes may not."""

    kind: ClassVar[str] = "STORE"


def parse(node: Node) -> Store:
    """No file has this operator. Raises ModelError."""
    raise ModelError(f"{node.kind} '{node.name}' is no operator of the schema")


def lower(op: Store) -> tuple[Call, ...]:
    """One block, which is all there is."""
    size = op.y.nbytes
    shape = (("count", 1), ("size", size), ("stride", size))
    return (Call(shape, (("offset", 0),), op.inputs, op.outputs),)


STORE = OpDef(
    op=Store,
    dtypes=tuple(DType),
    parse=parse,
    rules=(),
    reference=reshaped,
    kernels=(Kernel("tg_concat", "tg_concat.h", "tg_concat", lower),),
    bounds=bounds,
)
