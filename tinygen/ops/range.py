"""RANGE: numbers at even steps between constants, which LiteRT alone has."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Node
from tinygen.ops.settled import settled_definition


@dataclass(frozen=True, slots=True, eq=False)
class Range(Op):
    """y = ``start``, ``start`` + ``step``, ..., as many as y holds."""

    kind: ClassVar[str] = "RANGE"

    start: int
    step: int


def parse(node: Node) -> Range:
    """Read the node. Raises ModelError where the numbers are not those of the output's shape."""
    node.arity(3)
    start, limit, step = (
        node.integer(index, what) for index, what in enumerate(("start", "limit", "step"))
    )
    if step == 0:
        raise ModelError(f"{node.kind} '{node.name}': a step of 0")
    node.makes((max(0, -((start - limit) // step)),))
    return Range(node.name, node.present, node.outputs, start, step)


def numbers(op: Range) -> Array:
    """Source: LiteRT's ``EvalImpl`` of range."""
    whole = op.start + op.step * np.arange(op.y.elements, dtype=np.int64)
    return whole.astype(op.y.dtype.numpy)


RANGE = settled_definition(Range, parse, numbers, (DType.INT32, DType.INT64))
