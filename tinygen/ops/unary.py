"""Operators with one input and one output of the same shape."""

from tinygen.errors import ModelError
from tinygen.ops.base import Node


def check_unary(node: Node) -> None:
    """Check the operands of ``node``. Raises ModelError."""
    node.arity(1)
    shapes = [t.shape for t in (*node.present, *node.outputs)]
    if len(shapes) != 2 or shapes[0] != shapes[1]:
        raise ModelError(f"{node.kind} '{node.name}': input and output shapes differ: {shapes}")
