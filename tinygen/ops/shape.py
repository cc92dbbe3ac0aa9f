"""SHAPE: the sizes of a tensor's axes, which are known when compiling."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, Op
from tinygen.ops.base import Node
from tinygen.ops.settled import settled_definition


@dataclass(frozen=True, slots=True, eq=False)
class Shape(Op):
    """y = the sizes of the axes of x, as int32 or int64."""

    kind: ClassVar[str] = "SHAPE"


def parse(node: Node) -> Shape:
    """Read the node. Raises ModelError where the output cannot hold the sizes."""
    node.arity(1)
    node.makes((len(node.present[0].shape),))
    return Shape(node.name, node.present, node.outputs)


def sizes(op: Shape) -> Array:
    """The sizes, in the output's type."""
    return np.array(op.x.shape, op.y.dtype.numpy)


SHAPE = settled_definition(Shape, parse, sizes)
