"""BROADCAST_ARGS: the shape that two shapes broadcast to, which is known when compiling."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Node
from tinygen.ops.settled import settled_definition


@dataclass(frozen=True, slots=True, eq=False)
class BroadcastArgs(Op):
    """y = ``shape``, to which the two inputs broadcast."""

    kind: ClassVar[str] = "BROADCAST_ARGS"

    shape: tuple[int, ...]


def parse(node: Node) -> BroadcastArgs:
    """Read the node. Raises ModelError where the shapes do not broadcast."""
    node.arity(2)
    given = [tuple(node.integers(i, "shape").reshape(-1).tolist()) for i in (0, 1)]
    try:
        shape = np.broadcast_shapes(*given)
    except ValueError:
        raise ModelError(
            f"{node.kind} '{node.name}': shapes {given[0]} and {given[1]} do not broadcast"
        ) from None
    node.makes((len(shape),))
    return BroadcastArgs(node.name, node.present, node.outputs, shape)


def sizes(op: BroadcastArgs) -> Array:
    """Source: TFLite's reference_ops::BroadcastArgs."""
    return np.array(op.shape, op.y.dtype.numpy)


BROADCAST_ARGS = settled_definition(BroadcastArgs, parse, sizes, (DType.INT32, DType.INT64))
