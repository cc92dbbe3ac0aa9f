"""SPLIT_V: a tensor in parts of given sizes along one axis."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.errors import ModelError
from tinygen.ops.base import Node, OpDef
from tinygen.ops.split import Split, parts, reference, walks
from tinygen.ops.strided import strided_definition


@dataclass(frozen=True, slots=True, eq=False)
class SplitV(Split):
    """As SPLIT, but parts may differ in size along the axis."""

    kind: ClassVar[str] = "SPLIT_V"


def parse(node: Node) -> SplitV:
    """Read the node; a size of -1 stands for all that is left.

    Raises ModelError where the outputs are not the parts of the input.
    """
    node.arity(3, len(node.outputs))
    x = node.present[0]
    axis = node.axis(node.integer(2, "axis"), len(x.shape))
    sizes = node.integer_list(1, "sizes", len(node.outputs))
    if sizes.count(-1) == 1:
        rest = x.shape[axis] - sum(sizes) - 1
        sizes = tuple(rest if size == -1 else size for size in sizes)
    if min(sizes) < 0 or sum(sizes) != x.shape[axis]:
        raise ModelError(f"SPLIT_V '{node.name}': sizes {sizes} of {x.shape} along axis {axis}")
    return parts(node, SplitV, x, axis, sizes)


SPLIT_V: OpDef[SplitV] = strided_definition(SplitV, parse, reference, walks)
