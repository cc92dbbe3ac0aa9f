"""DYNAMIC_UPDATE_SLICE: a tensor with a block of it overwritten."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Interval
from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import BoundsOf, Call, Kernel, Node, OpDef, channels_of, describe
from tinygen.ops.indexing import clamped, index_rows, integer_indices, steps_and_ends
from tinygen.ops.strided import Nest, Walk, dense_strides, nest_of

LOOPS = 4


@dataclass(frozen=True, slots=True, eq=False)
class DynamicUpdateSlice(Op):
    """y = x, but for the block of the shape of ``update`` that begins at ``start``.

    Where the block would not lie inside of x, it begins at the nearest place where it does.
    """

    kind: ClassVar[str] = "DYNAMIC_UPDATE_SLICE"

    @property
    def update(self) -> Tensor:
        """What the block becomes."""
        return self.inputs[1]

    @property
    def start(self) -> Tensor:
        """The block's first index along each axis."""
        return self.inputs[2]

    @property
    def last(self) -> tuple[int, ...]:
        """The largest index along each axis at which the block lies inside."""
        return tuple(n - m for n, m in zip(self.x.shape, self.update.shape, strict=True))


def parse(node: Node) -> DynamicUpdateSlice:
    """Read the node. Raises ModelError where the block is larger than the tensor."""
    node.arity(3)
    x, update, start = node.present
    fits = len(x.shape) == len(update.shape) and all(
        m <= n for m, n in zip(update.shape, x.shape, strict=True)
    )
    if not fits or start.shape != (len(x.shape),) or not x.shape:
        raise ModelError(
            f"{node.kind} '{node.name}': {update.shape} is no block of {x.shape} at {start.shape}"
        )
    node.makes(x.shape)
    return DynamicUpdateSlice(node.name, node.present, node.outputs)


def one_type(op: DynamicUpdateSlice) -> str:
    """The tensor, the block and the output have one type.

    Insert a CAST or a QUANTIZE before the block.
    """
    wrong = (t for t in (op.x, op.update) if t.dtype is not op.y.dtype)
    return next((f"{describe(t)} into {describe(op.y)}" for t in wrong), "")


def nest(op: DynamicUpdateSlice) -> Nest:
    """The block in x, from its beginning."""
    return nest_of(Walk(0, op.update.shape, dense_strides(op.x.shape)), op.x.dtype.size)


def few_loops(op: DynamicUpdateSlice) -> str:
    """Writing the block takes at most four nested loops.

    Merge axes in the model.
    """
    return str(op.update.shape) if len(nest(op).loops) > LOOPS else ""


def reference(op: DynamicUpdateSlice, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite Micro's ``EvalImpl``."""
    start = clamped(values[2], np.array(op.last, np.int64))
    block = (slice(first, first + n) for first, n in zip(start, op.update.shape, strict=True))
    result = values[0].copy()
    result[tuple(block)] = values[1]
    return (result,)


def bounds(op: DynamicUpdateSlice, bounds_of: BoundsOf) -> Interval:
    """Every element of the result is one of the tensor's or the block's."""
    channels = channels_of(op.y)
    parts = (bounds_of(op.x).hull(channels), bounds_of(op.update).hull(channels))
    return Interval.joined(*parts)


def shape_of(op: DynamicUpdateSlice) -> tuple[tuple[str, int], ...]:
    """The fields of ``tg_update_slice_shape``."""
    found = nest(op)
    fields = [("bytes", op.x.nbytes), ("run", found.run)]
    loops = ((1, 0),) * (LOOPS - len(found.loops)) + found.loops
    for index, (count, step) in enumerate(loops):
        fields += [(f"n{index}", count), (f"step{index}", step)]
    return (*fields, ("rank", len(op.x.shape)))


def lower(op: DynamicUpdateSlice) -> tuple[Call, ...]:
    """The call of ``tg_update_slice``."""
    start = clamped(op.start.values, np.array(op.last, np.int64))
    offset = int(start @ np.array(dense_strides(op.x.shape), np.int64)) * op.x.dtype.size
    return (Call(shape_of(op), (("offset", offset),), op.inputs[:2], (op.y,)),)


def lower_at(op: DynamicUpdateSlice) -> tuple[Call, ...]:
    """The call of ``tg_update_at_s32`` or ``tg_update_at_s64``."""
    params = steps_and_ends(op.x.shape, op.update.shape, op.x.dtype.size)
    return (Call(shape_of(op), params, op.inputs, (op.y,)),)


def start_of(op: DynamicUpdateSlice) -> Tensor:
    """The block's first index along each axis."""
    return op.start


HEADER = "tg_update_slice.h"

DYNAMIC_UPDATE_SLICE = OpDef(
    op=DynamicUpdateSlice,
    dtypes=tuple(DType),
    parse=parse,
    rules=(one_type, integer_indices(start_of), few_loops),
    reference=reference,
    kernels=(
        Kernel(
            "tg_update_slice",
            HEADER,
            "tg_update_slice",
            lower,
            fits=lambda op: op.start.is_constant,
            in_place=True,
        ),
        *index_rows("tg_update_at", HEADER, "tg_update_at", lower_at, start_of, in_place=True),
    ),
    bounds=bounds,
)
