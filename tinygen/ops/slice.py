"""SLICE: a block of a tensor."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.errors import ModelError
from tinygen.ir import Array, Op
from tinygen.ops.base import Node
from tinygen.ops.strided import Walk, block_walk, strided_definition


@dataclass(frozen=True, slots=True, eq=False)
class Slice(Op):
    """y = the block of x of the shape of y that begins at ``begin``."""

    kind: ClassVar[str] = "SLICE"

    begin: tuple[int, ...]


def parse(node: Node) -> Slice:
    """Read the node; a size of -1 stands for all that is left.

    Raises ModelError where the block is not one of the input's.
    """
    node.arity(3)
    shape = node.present[0].shape
    begin = node.integer_list(1, "begin indices", len(shape))
    sizes = node.integer_list(2, "sizes", len(shape))
    sizes = tuple(
        all_ - first if size == -1 else size
        for all_, first, size in zip(shape, begin, sizes, strict=True)
    )
    for all_, first, size in zip(shape, begin, sizes, strict=True):
        if first < 0 or size < 0 or first + size > all_:
            raise ModelError(f"SLICE '{node.name}': {sizes} from {begin} is not within {shape}")
    node.makes(sizes)
    return Slice(node.name, node.present[:1], node.outputs, begin)


def reference(op: Slice, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::Slice."""
    block = (slice(b, b + n) for b, n in zip(op.begin, op.y.shape, strict=True))
    return (values[0][tuple(block)],)


def walks(op: Slice) -> tuple[Walk, ...]:
    """Where the elements come from."""
    return (block_walk(op.x.shape, op.begin, op.y.shape),)


SLICE = strided_definition(Slice, parse, reference, walks)
