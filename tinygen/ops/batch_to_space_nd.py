"""BATCH_TO_SPACE_ND: images of a batch interleaved to larger ones, and cropped."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, Op
from tinygen.ops.base import Node
from tinygen.ops.strided import dense_strides
from tinygen.ops.tabled import Places, tabled_definition

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class BatchToSpaceND(Op):
    """y[b, i, j, c] = x[(m, n, b), i', j', c] with i + crop = i' * block + m, j likewise.

    ``block`` and ``crops``, (before, after), have an entry for each axis between the first and the
    last.
    """

    kind: ClassVar[str] = "BATCH_TO_SPACE_ND"

    block: tuple[int, ...]
    crops: Pairs


def parse(node: Node) -> BatchToSpaceND:
    """Read the node. Raises ModelError where the batch does not make blocks."""
    node.arity(3)
    shape = node.present[0].shape
    axes = len(shape) - 2
    if axes not in (1, 2):
        raise ModelError(f"{node.kind} '{node.name}': {shape} is no batch of rows or images")
    block = node.integer_list(1, "block sizes", axes)
    pairs = node.integers(2, "crops")
    if pairs.shape != (axes, 2) or pairs.min() < 0 or min(block) < 1 or shape[0] % prod(block):
        raise ModelError(f"{node.kind} '{node.name}': {shape} has no blocks of {block}")
    crops = tuple((int(before), int(after)) for before, after in pairs)
    space = (size * n - sum(pair) for size, n, pair in zip(shape[1:-1], block, crops, strict=True))
    node.makes((shape[0] // prod(block), *space, shape[-1]))
    return BatchToSpaceND(node.name, node.present[:1], node.outputs, block, crops)


def reference(op: BatchToSpaceND, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::BatchToSpaceND."""
    axes = len(op.block)
    parted = values[0].reshape(*op.block, op.y.shape[0], *op.x.shape[1:])
    space = (i for axis in range(axes) for i in (axes + 1 + axis, axis))
    woven = parted.transpose(axes, *space, 2 * axes + 1)
    whole = woven.reshape(
        op.y.shape[0], *(a * b for a, b in zip(op.x.shape[1:], op.block, strict=False)), -1
    )
    kept = (
        slice(before, before + size)
        for (before, _), size in zip(op.crops, op.y.shape[1:-1], strict=True)
    )
    return (whole[(slice(None), *kept)],)


def places(op: BatchToSpaceND) -> Places:
    """Where the elements come from."""
    batch, *strides, _ = dense_strides(op.x.shape)
    found = [np.arange(op.y.shape[0]) * batch]
    for axis, (block, (before, _), stride) in enumerate(
        zip(op.block, op.crops, strides, strict=True)
    ):
        pixel = np.arange(op.y.shape[axis + 1]) + before
        image = pixel % block * prod(op.block[axis + 1 :]) * op.y.shape[0]
        found.append(pixel // block * stride + image * batch)
    return (*found, np.arange(op.y.shape[-1]))


BATCH_TO_SPACE_ND = tabled_definition(BatchToSpaceND, parse, reference, places)
