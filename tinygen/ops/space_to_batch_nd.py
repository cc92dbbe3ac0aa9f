"""SPACE_TO_BATCH_ND: images with a border around them, parted into a batch of smaller ones."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Integers, Interval
from tinygen.ir import Array, DType, Numerics, Op
from tinygen.ops.base import BoundsOf, Call, Kernel, Node, OpDef, same_type
from tinygen.ops.batch_to_space_nd import Pairs
from tinygen.ops.pad import BYTES, zero_points
from tinygen.ops.strided import dense_strides, moved_bounds
from tinygen.ops.tabled import few_elements

BORDER = -1  # in the tables of places


@dataclass(frozen=True, slots=True, eq=False)
class SpaceToBatchND(Op):
    """y[(m, n, b), i, j, c] = x[b, i', j', c] with i' = i * block + m - before, j' likewise.

    ``block`` and ``paddings``, (before, after), have an entry for each axis between the first and
    the last. The border has the output's zero point, or, in TFLite Micro, 0.
    """

    kind: ClassVar[str] = "SPACE_TO_BATCH_ND"

    block: tuple[int, ...]
    paddings: Pairs
    numerics: Numerics

    @property
    def fill(self) -> int:
        """The stored value of the border.

        Source: LiteRT's kernel takes the output's zero point; TFLite Micro's never sets the value,
        so that it is what the memory held before: 0 at the start, and here always.
        """
        zero_point = self.numerics is Numerics.LITERT or self.y.dtype is DType.UINT8
        return self.y.zero_point if zero_point and self.y.dtype in BYTES else 0


def parse(node: Node) -> SpaceToBatchND:
    """Read the node. Raises ModelError where the padded input does not fall into blocks."""
    node.arity(3)
    shape = node.present[0].shape
    axes = len(shape) - 2
    if axes not in (1, 2):
        raise ModelError(f"{node.kind} '{node.name}': {shape} is no batch of rows or images")
    block = node.integer_list(1, "block sizes", axes)
    values = node.integers(2, "paddings")
    if values.shape != (axes, 2) or values.min() < 0 or min(block) < 1:
        raise ModelError(f"{node.kind} '{node.name}': {shape} has no blocks of {block}")
    pairs = tuple((int(before), int(after)) for before, after in values)
    padded = [size + sum(pair) for size, pair in zip(shape[1:-1], pairs, strict=True)]
    if any(size % n for size, n in zip(padded, block, strict=True)):
        raise ModelError(f"{node.kind} '{node.name}': {padded} has no blocks of {block}")
    space = (size // n for size, n in zip(padded, block, strict=True))
    node.makes((shape[0] * prod(block), *space, shape[-1]))
    return SpaceToBatchND(node.name, node.present[:1], node.outputs, block, pairs, node.numerics)


def reference(op: SpaceToBatchND, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::SpaceToBatchND."""
    axes = len(op.block)
    padded = np.pad(values[0], ((0, 0), *op.paddings, (0, 0)), constant_values=op.fill)
    parts = (n for pair in zip(op.y.shape[1:-1], op.block, strict=True) for n in pair)
    parted = padded.reshape(op.x.shape[0], *parts, op.x.shape[-1])
    blocks, space = ([first + 2 * i for i in range(axes)] for first in (2, 1))
    return (parted.transpose(*blocks, 0, *space, 2 * axes + 1).reshape(op.y.shape),)


def places(op: SpaceToBatchND, axis: int) -> Integers:
    """For each place in the block along ``axis``, and each index of the output, the element of x
    that the pixel begins at; ``BORDER`` outside."""
    size, stride = op.x.shape[axis], dense_strides(op.x.shape)[axis]
    block, (before, _) = op.block[axis - 1], op.paddings[axis - 1]
    found = np.arange(op.y.shape[axis]) * block + np.arange(block)[:, None] - before
    return np.where((found >= 0) & (found < size), found * stride, BORDER)


def lower(op: SpaceToBatchND) -> tuple[Call, ...]:
    """The call of ``tg_space_to_batch``; rows are images one pixel wide."""
    element = op.x.dtype.size
    tables = [places(op, axis) for axis in range(1, len(op.block) + 1)]
    tables += [np.zeros((1, 1), np.int64)] * (2 - len(tables))
    rows, columns = (np.where(t == BORDER, BORDER, t * element) for t in tables)
    shape = (
        ("size", op.x.shape[-1] * element),
        ("batches", op.x.shape[0]),
        ("batch_step", dense_strides(op.x.shape)[0] * element),
        ("block_h", len(rows)),
        ("block_w", len(columns)),
        ("out_h", rows.shape[1]),
        ("out_w", columns.shape[1]),
    )
    params = (
        ("rows", rows.astype(np.int32).reshape(-1)),
        ("columns", columns.astype(np.int32).reshape(-1)),
        ("fill", op.fill),
    )
    return (Call(shape, params, (op.x,), (op.y,)),)


def bounds(op: SpaceToBatchND, bounds_of: BoundsOf) -> Interval:
    """The input's, and the border's value where there is a border."""
    known = moved_bounds(op, bounds_of)
    return known.including(op.fill) if any(map(any, op.paddings)) else known


SPACE_TO_BATCH_ND = OpDef(
    op=SpaceToBatchND,
    dtypes=tuple(DType),
    parse=parse,
    rules=(same_type, zero_points, few_elements),
    reference=reference,
    kernels=(Kernel("tg_space_to_batch", "tg_space_to_batch.h", "tg_space_to_batch", lower),),
    bounds=bounds,
)
