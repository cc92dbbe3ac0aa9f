"""Operators that give the same bytes another shape: no code, the output is the input's buffer."""

from typing import TypeVar

from tinygen.errors import ModelError
from tinygen.interval import Interval
from tinygen.ir import Array, DType, Op
from tinygen.ops.base import BoundsOf, Node, OpDef, channels_of, same_type

V = TypeVar("V", bound=Op)


def parse_view(node: Node, op: type[V]) -> V:
    """Read the node; the target shape is the output's, other inputs are dropped.

    Raises ModelError where the number of elements changes.
    """
    node.arity(range(1, 3))
    if not node.inputs or node.inputs[0] is None:
        raise ModelError(f"{node.kind} '{node.name}' has no input")
    x, y = node.inputs[0], node.outputs[0]
    if x.elements != y.elements:
        raise ModelError(f"{node.kind} '{node.name}': {x.shape} and {y.shape} differ in elements")
    return op(node.name, (x,), node.outputs)


def reshaped(op: Op, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's kernels copy the stored bytes, whatever the quantizations say."""
    return (values[0].reshape(op.y.shape),)


def bounds(op: Op, bounds_of: BoundsOf) -> Interval:
    """An element's channel follows from its place, which is the same before and after."""
    return bounds_of(op.x).reshaped(channels_of(op.y))


def view_of(op: type[V]) -> OpDef[V]:
    """The definition of a view."""
    return OpDef(
        op=op,
        dtypes=tuple(DType),
        parse=lambda node: parse_view(node, op),
        rules=(same_type,),
        reference=reshaped,
        kernels=(),
        bounds=bounds,
    )
