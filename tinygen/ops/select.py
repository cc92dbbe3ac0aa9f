"""SELECT: one of two tensors, element by element or row by row, as a third says."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.errors import ModelError
from tinygen.ops.base import Node
from tinygen.ops.selection import Selection, definition_of_selection


@dataclass(frozen=True, slots=True, eq=False)
class Select(Selection):
    """y = a where the condition holds, else b.

    The condition has their shape, or one value for each index of their first axis, or one for all.
    """

    kind: ClassVar[str] = "SELECT"

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """As every ``Selection``'s; the condition's one axis is the first."""
        condition, rank = self.condition.shape, len(self.y.shape)
        if len(condition) == 1:
            condition += (1,) * (rank - 1)
        return condition, self.a.shape, self.b.shape


def parse(node: Node) -> Select:
    """Read the node. Raises ModelError where shapes do not fit each other."""
    node.arity(3)
    condition, a, b = node.present
    node.makes(a.shape)
    if b.shape != a.shape or condition.shape not in (a.shape, a.shape[:1], ()):
        shapes = ", ".join(str(t.shape) for t in node.present)
        raise ModelError(f"SELECT '{node.name}': shapes {shapes} do not fit each other")
    return Select(node.name, node.present, node.outputs)


SELECT = definition_of_selection(Select, parse)
