"""REVERSE_V2: a tensor backwards along some axes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, Op
from tinygen.ops.base import Node
from tinygen.ops.strided import Walk, dense_strides, strided_definition


@dataclass(frozen=True, slots=True, eq=False)
class ReverseV2(Op):
    """y = x with the order along ``axes`` turned round; none is negative."""

    kind: ClassVar[str] = "REVERSE_V2"

    axes: tuple[int, ...]


def parse(node: Node) -> ReverseV2:
    """Read the node. Raises ModelError for axes that the input does not have."""
    node.arity(2)
    x = node.present[0]
    given = node.integers(1, "axes").reshape(-1).tolist()
    axes = tuple(sorted(node.axis(axis, len(x.shape)) for axis in given))
    if len(set(axes)) < len(axes):
        raise ModelError(f"REVERSE_V2 '{node.name}': {given} names an axis twice")
    node.makes(x.shape)
    return ReverseV2(node.name, (x,), node.outputs, axes)


def reference(op: ReverseV2, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::Reverse."""
    return (np.flip(values[0], op.axes),)


def walks(op: ReverseV2) -> tuple[Walk, ...]:
    """Where the elements come from: backwards from the last."""
    steps = dense_strides(op.x.shape)
    offset = sum((op.x.shape[axis] - 1) * steps[axis] for axis in op.axes)
    turned = (-step if axis in op.axes else step for axis, step in enumerate(steps))
    return (Walk(offset, op.x.shape, tuple(turned)),)


REVERSE_V2 = strided_definition(ReverseV2, parse, reference, walks)
