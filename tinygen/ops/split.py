"""SPLIT: a tensor in equal parts along one axis."""

from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, Op, Tensor
from tinygen.ops.base import Node
from tinygen.ops.strided import Walk, part_walks, strided_definition


@dataclass(frozen=True, slots=True, eq=False)
class Split(Op):
    """The outputs are the parts of x, one after the other along ``axis``, which is not negative."""

    kind: ClassVar[str] = "SPLIT"

    axis: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """The size of each part along the axis."""
        return tuple(y.shape[self.axis] for y in self.outputs)


S = TypeVar("S", bound=Split)


def parse(node: Node) -> Split:
    """Read the node. Raises ModelError where the outputs are not equal parts of the input."""
    import tflite

    node.arity(2, len(node.outputs))
    x = node.present[1]
    axis = node.axis(node.integer(0, "axis"), len(x.shape))
    count = node.options(tflite.SplitOptions).NumSplits()
    if count != len(node.outputs) or x.shape[axis] % count:
        raise ModelError(
            f"SPLIT '{node.name}': {count} parts of {x.shape} along axis {axis} for "
            f"{len(node.outputs)} outputs"
        )
    return parts(node, Split, x, axis, (x.shape[axis] // count,) * count)


def parts(node: Node, op: type[S], x: Tensor, axis: int, sizes: tuple[int, ...]) -> S:
    """The operator that cuts ``x`` into parts of ``sizes``. Raises ModelError."""
    node.makes(*((*x.shape[:axis], size, *x.shape[axis + 1 :]) for size in sizes))
    return op(node.name, (x,), node.outputs, axis)


def reference(op: Split, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite Micro's ``SplitImpl``."""
    return tuple(np.split(values[0], np.cumsum(op.sizes[:-1]), op.axis))


def walks(op: Split) -> tuple[Walk, ...]:
    """Where the elements come from."""
    return part_walks(op, op.axis, op.sizes)


SPLIT = strided_definition(Split, parse, reference, walks)
