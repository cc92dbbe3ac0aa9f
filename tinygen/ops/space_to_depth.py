"""SPACE_TO_DEPTH: blocks of pixels become channels."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.errors import ModelError
from tinygen.ir import Array, Op
from tinygen.ops.base import Node
from tinygen.ops.strided import Walk, strided_definition


@dataclass(frozen=True, slots=True, eq=False)
class SpaceToDepth(Op):
    """y[b, i, j, (m, n, c)] = x[b, i * block + m, j * block + n, c]."""

    kind: ClassVar[str] = "SPACE_TO_DEPTH"

    block: int


def parse(node: Node) -> SpaceToDepth:
    """Read the node. Raises ModelError where the image does not fall into blocks."""
    import tflite

    node.arity(1)
    shape, block = node.present[0].shape, node.options(tflite.SpaceToDepthOptions).BlockSize()
    if len(shape) != 4 or block < 1 or shape[1] % block or shape[2] % block:
        raise ModelError(f"SPACE_TO_DEPTH '{node.name}': {shape} has no blocks of size {block}")
    node.makes((shape[0], shape[1] // block, shape[2] // block, shape[3] * block * block))
    return SpaceToDepth(node.name, node.present, node.outputs, block)


def reference(op: SpaceToDepth, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::SpaceToDepth."""
    batch, height, width, _ = op.y.shape
    blocks = values[0].reshape(batch, height, op.block, width, op.block, -1)
    return (blocks.transpose(0, 1, 3, 2, 4, 5).reshape(op.y.shape),)


def walks(op: SpaceToDepth) -> tuple[Walk, ...]:
    """Where the elements come from: row of blocks, block, row in the block, column and channel."""
    batch, height, width, _ = op.y.shape
    row, run = op.x.shape[2] * op.x.shape[3], op.block * op.x.shape[3]
    sizes = (batch * height, width, op.block, run)
    return (Walk(0, sizes, (op.block * row, run, row, 1)),)


SPACE_TO_DEPTH = strided_definition(SpaceToDepth, parse, reference, walks)
