"""BROADCAST_TO: a tensor repeated along axes of size one."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, Op
from tinygen.ops.base import Node, OpDef
from tinygen.ops.strided import Walk, dense_strides, strided_definition


@dataclass(frozen=True, slots=True, eq=False)
class BroadcastTo(Op):
    """y = x, repeated where an axis of x is missing or of size one."""

    kind: ClassVar[str] = "BROADCAST_TO"


def parse(node: Node) -> BroadcastTo:
    """Read the node. Raises ModelError where the input does not broadcast to the output's shape."""
    node.arity(2)
    x, y = node.present[0], node.outputs[0]
    node.makes(node.integer_list(1, "shape", len(y.shape)))
    extended = (1,) * (len(y.shape) - len(x.shape)) + x.shape
    fits = len(x.shape) <= len(y.shape) and all(
        a in (1, b) for a, b in zip(extended, y.shape, strict=True)
    )
    if not fits:
        raise ModelError(f"BROADCAST_TO '{node.name}': {x.shape} does not broadcast to {y.shape}")
    return BroadcastTo(node.name, node.present[:1], node.outputs)


def reference(op: BroadcastTo, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::BroadcastTo."""
    return (np.broadcast_to(values[0], op.y.shape),)


def walks(op: Op) -> tuple[Walk, ...]:
    """Where the elements come from: a step of 0 repeats."""
    missing = len(op.y.shape) - len(op.x.shape)
    own = zip(op.x.shape, dense_strides(op.x.shape), strict=True)
    steps = (*(0,) * missing, *(stride if size > 1 else 0 for size, stride in own))
    return (Walk(0, op.y.shape, steps),)


BROADCAST_TO: OpDef[BroadcastTo] = strided_definition(BroadcastTo, parse, reference, walks)
