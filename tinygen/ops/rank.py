"""RANK: the number of a tensor's axes, which LiteRT alone has."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, Op
from tinygen.ops.base import Node
from tinygen.ops.settled import settled_definition


@dataclass(frozen=True, slots=True, eq=False)
class Rank(Op):
    """y = the number of the axes of x."""

    kind: ClassVar[str] = "RANK"


def parse(node: Node) -> Rank:
    """Read the node. Raises ModelError where the output is not one number."""
    node.arity(1)
    node.makes(())
    return Rank(node.name, node.present, node.outputs)


def count(op: Rank) -> Array:
    """The number of axes, in the output's type."""
    return np.array(len(op.x.shape), op.y.dtype.numpy)


RANK = settled_definition(Rank, parse, count)
