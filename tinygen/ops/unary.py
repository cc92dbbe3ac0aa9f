"""Operators with one input and one output of the same shape."""

from tinygen.errors import ModelError
from tinygen.ir import Op
from tinygen.ops.base import Node


def check_unary(node: Node) -> None:
    """Check the operands of ``node``. Raises ModelError."""
    node.arity(1)
    shapes = [t.shape for t in (*node.present, *node.outputs)]
    if len(shapes) != 2 or shapes[0] != shapes[1]:
        raise ModelError(f"{node.kind} '{node.name}': input and output shapes differ: {shapes}")


def scale_in_range(op: Op) -> str:
    """The input's scale is less than 2**22 times the output's.

    Beyond that the reference kernels overflow; check the ranges that the converter calibrated.
    """
    if any(t.quant is None or t.quant.per_channel for t in (op.x, op.y)):
        return ""  # not quantized, or another rule's finding
    return "" if op.x.scale < 2**22 * op.y.scale else f"{op.x.scale:g} against {op.y.scale:g}"
