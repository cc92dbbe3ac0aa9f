"""UNPACK: the slices of a tensor along one axis, without the axis."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, Op
from tinygen.ops.base import Node
from tinygen.ops.strided import Walk, part_walks, strided_definition


@dataclass(frozen=True, slots=True, eq=False)
class Unpack(Op):
    """Output i is x[..., i, ...] at ``axis``, which is not negative."""

    kind: ClassVar[str] = "UNPACK"

    axis: int


def parse(node: Node) -> Unpack:
    """Read the node. Raises ModelError where the outputs are not the slices of the input."""
    import tflite

    node.arity(1, len(node.outputs))
    (x,) = node.present
    options = node.options(tflite.UnpackOptions)
    axis = node.axis(options.Axis(), len(x.shape))
    if not options.Num() == len(node.outputs) == x.shape[axis]:
        raise ModelError(
            f"UNPACK '{node.name}': {options.Num()} slices of {x.shape} along axis {axis} for "
            f"{len(node.outputs)} outputs"
        )
    node.makes(*[(*x.shape[:axis], *x.shape[axis + 1 :])] * len(node.outputs))
    return Unpack(node.name, node.present, node.outputs, axis)


def reference(op: Unpack, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite Micro's ``UnpackImpl``."""
    return tuple(np.moveaxis(values[0], op.axis, 0))


def walks(op: Unpack) -> tuple[Walk, ...]:
    """Where the elements come from."""
    return part_walks(op, op.axis, (1,) * len(op.outputs))


UNPACK = strided_definition(Unpack, parse, reference, walks)
