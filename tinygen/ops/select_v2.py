"""SELECT_V2: one of two tensors, element by element, as a third says, with broadcasting."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ops.base import Node
from tinygen.ops.selection import Selection, definition_of_selection


@dataclass(frozen=True, slots=True, eq=False)
class SelectV2(Selection):
    """y = a where the condition holds, else b; all three broadcast."""

    kind: ClassVar[str] = "SELECT_V2"


def parse(node: Node) -> SelectV2:
    """Read the node. Raises ModelError where the shapes do not broadcast to the output's."""
    node.arity(3)
    shapes = [t.shape for t in node.present]
    try:
        node.makes(np.broadcast_shapes(*shapes))
    except ValueError:
        raise ModelError(f"SELECT_V2 '{node.name}': {shapes} do not broadcast") from None
    return SelectV2(node.name, node.present, node.outputs)


SELECT_V2 = definition_of_selection(SelectV2, parse)
