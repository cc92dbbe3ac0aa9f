"""TRANSPOSE: the axes of a tensor in another order."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.errors import ModelError
from tinygen.ir import Array, Op
from tinygen.ops.base import Node
from tinygen.ops.strided import Walk, dense_strides, strided_definition


@dataclass(frozen=True, slots=True, eq=False)
class Transpose(Op):
    """Axis i of y is axis ``permutation[i]`` of x; none is negative."""

    kind: ClassVar[str] = "TRANSPOSE"

    permutation: tuple[int, ...]


def parse(node: Node) -> Transpose:
    """Read the node. Raises ModelError where axes are missing or named twice."""
    node.arity(2)
    shape = node.present[0].shape
    given = node.integer_list(1, "permutation", len(shape))
    permutation = tuple(node.axis(axis, len(shape)) for axis in given)
    if len(set(permutation)) < len(shape):
        raise ModelError(f"TRANSPOSE '{node.name}': {given} names an axis twice")
    node.makes(tuple(shape[axis] for axis in permutation))
    return Transpose(node.name, node.present[:1], node.outputs, permutation)


def reference(op: Transpose, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::Transpose."""
    return (values[0].transpose(op.permutation),)


def walks(op: Transpose) -> tuple[Walk, ...]:
    """Where the elements come from."""
    strides = dense_strides(op.x.shape)
    return (Walk(0, op.y.shape, tuple(strides[axis] for axis in op.permutation)),)


TRANSPOSE = strided_definition(Transpose, parse, reference, walks)
