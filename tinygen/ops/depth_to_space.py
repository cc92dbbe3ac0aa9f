"""DEPTH_TO_SPACE: channels become blocks of pixels."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.errors import ModelError
from tinygen.ir import Array, Op
from tinygen.ops.base import Node
from tinygen.ops.strided import Walk, strided_definition


@dataclass(frozen=True, slots=True, eq=False)
class DepthToSpace(Op):
    """y[b, i * block + m, j * block + n, c] = x[b, i, j, (m, n, c)]."""

    kind: ClassVar[str] = "DEPTH_TO_SPACE"

    block: int


def parse(node: Node) -> DepthToSpace:
    """Read the node. Raises ModelError where the channels do not make blocks."""
    import tflite

    node.arity(1)
    shape, block = node.present[0].shape, node.options(tflite.DepthToSpaceOptions).BlockSize()
    if len(shape) != 4 or block < 1 or shape[3] % (block * block):
        raise ModelError(f"DEPTH_TO_SPACE '{node.name}': {shape} has no blocks of size {block}")
    node.makes((shape[0], shape[1] * block, shape[2] * block, shape[3] // (block * block)))
    return DepthToSpace(node.name, node.present, node.outputs, block)


def reference(op: DepthToSpace, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::DepthToSpace."""
    batch, height, width, _ = op.x.shape
    blocks = values[0].reshape(batch, height, width, op.block, op.block, -1)
    return (blocks.transpose(0, 1, 3, 2, 4, 5).reshape(op.y.shape),)


def walks(op: DepthToSpace) -> tuple[Walk, ...]:
    """Where the elements come from: row of pixels, row in the block, pixel, column and channel."""
    batch, height, width, channels = op.x.shape
    run = channels // op.block
    sizes = (batch * height, op.block, width, run)
    return (Walk(0, sizes, (width * channels, run, channels, 1)),)


DEPTH_TO_SPACE = strided_definition(DepthToSpace, parse, reference, walks)
