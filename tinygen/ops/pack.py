"""PACK: tensors of one shape along a new axis."""

from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Interval
from tinygen.ir import Array, DType, Op
from tinygen.ops.base import BoundsOf, Call, Kernel, Node, OpDef, channels_of
from tinygen.ops.concatenation import one_type, side_by_side


@dataclass(frozen=True, slots=True, eq=False)
class Pack(Op):
    """y[..., i, ...] at ``axis``, which is not negative, is input i."""

    kind: ClassVar[str] = "PACK"

    axis: int


def parse(node: Node) -> Pack:
    """Read the node. Raises ModelError where the shapes do not fit together."""
    import tflite

    inputs = node.present
    options = node.options(tflite.PackOptions)
    if len(node.outputs) != 1 or not inputs or options.ValuesCount() != len(node.inputs):
        raise ModelError(f"PACK '{node.name}' needs one input or more, and one output")
    shape = inputs[0].shape
    axis = node.axis(options.Axis(), len(shape) + 1)
    if len(inputs) != len(node.inputs) or any(t.shape != shape for t in inputs):
        raise ModelError(f"PACK '{node.name}': inputs of {[t.shape for t in inputs]}")
    node.makes((*shape[:axis], len(inputs), *shape[axis:]))
    return Pack(node.name, inputs, node.outputs, axis)


def reference(op: Pack, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite Micro's ``PackImpl``: stored values, whatever the quantizations say."""
    return (np.stack(values, op.axis),)


def bounds(op: Pack, bounds_of: BoundsOf) -> Interval:
    """Every element of the result is one of an input's."""
    channels = channels_of(op.y)
    return reduce(Interval.joined, (bounds_of(t).hull(channels) for t in op.inputs))


def lower(op: Pack) -> tuple[Call, ...]:
    """One call of ``tg_concat`` for each input."""
    return side_by_side(op, prod(op.y.shape[: op.axis]))


PACK = OpDef(
    op=Pack,
    dtypes=tuple(DType),
    parse=parse,
    rules=(one_type,),
    reference=reference,
    kernels=(Kernel("tg_concat", "tg_concat.h", "tg_concat", lower),),
    bounds=bounds,
)
