"""TILE: a tensor repeated along each axis, which LiteRT alone has."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, Op
from tinygen.ops.base import Node
from tinygen.ops.strided import Walk, dense_strides, strided_definition


@dataclass(frozen=True, slots=True, eq=False)
class Tile(Op):
    """y = ``multiples`` copies of x along each axis."""

    kind: ClassVar[str] = "TILE"

    multiples: tuple[int, ...]


def parse(node: Node) -> Tile:
    """Read the node. Raises ModelError where the shapes do not fit."""
    node.arity(2)
    shape = node.present[0].shape
    multiples = node.integer_list(1, "multiples", len(shape))
    if min(multiples, default=1) < 1:
        raise ModelError(f"TILE '{node.name}': {multiples} copies make nothing")
    node.makes(tuple(n * m for n, m in zip(shape, multiples, strict=True)))
    return Tile(node.name, node.present[:1], node.outputs, multiples)


def reference(op: Tile, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: LiteRT's ``TileOneDimension``."""
    return (np.tile(values[0], op.multiples),)


def walks(op: Tile) -> tuple[Walk, ...]:
    """Where the elements come from: each axis is two, of which the outer has a step of 0."""
    axes = zip(op.multiples, op.x.shape, dense_strides(op.x.shape), strict=True)
    pairs = [pair for copies, size, step in axes for pair in ((copies, 0), (size, step))]
    return (Walk(0, tuple(n for n, _ in pairs), tuple(step for _, step in pairs)),)


TILE = strided_definition(Tile, parse, reference, walks)
