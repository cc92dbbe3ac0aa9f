"""GATHER: slices of a tensor along one axis, picked by number."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import Call, Node, OpDef, same_type
from tinygen.ops.indexing import clamped, index_rows, integer_indices
from tinygen.ops.strided import moved_bounds
from tinygen.ops.tabled import Places, few_elements, table_kernel


@dataclass(frozen=True, slots=True, eq=False)
class Gather(Op):
    """y[batch, outer, i, inner] = x[batch, outer, indices[batch, i], inner].

    ``axis``, which is not negative, is what the indices number; the ``batch_dims`` first axes are
    those of x and of the indices alike. An index that is computed and lies outside of the axis
    counts as the nearest one inside: the reference reads whatever is there.
    """

    kind: ClassVar[str] = "GATHER"

    axis: int
    batch_dims: int

    @property
    def indices(self) -> Tensor:
        """Which slices to take."""
        return self.inputs[1]


def parse(node: Node) -> Gather:
    """Read the node. Raises ModelError where shapes or indices do not fit."""
    import tflite

    node.arity(2)
    x, indices = node.present
    options = node.options(tflite.GatherOptions)
    axis = node.axis(options.Axis(), len(x.shape))
    batch = options.BatchDims()
    batch += len(indices.shape) if batch < 0 else 0
    if not 0 <= batch <= min(axis, len(indices.shape)) or x.shape[:batch] != indices.shape[:batch]:
        raise ModelError(
            f"GATHER '{node.name}': {options.BatchDims()} batch axes of {x.shape} and "
            f"{indices.shape}, along axis {axis}"
        )
    node.makes((*x.shape[:axis], *indices.shape[batch:], *x.shape[axis + 1 :]))
    return Gather(node.name, node.present, node.outputs, axis, batch)


def inside(op: Gather) -> str:
    """Constant indices lie within the axis.

    The reference kernels ask for it.
    """
    if not op.indices.is_constant:
        return ""
    low, high = int(op.indices.values.min()), int(op.indices.values.max())
    return "" if low >= 0 and high < op.x.shape[op.axis] else f"{low} to {high} of {op.x.shape}"


def parted(op: Gather) -> tuple[int, int, int, int]:
    """(batches, outer slices, indices of a batch, elements of an inner slice)."""
    shape = op.x.shape
    return (
        prod(shape[: op.batch_dims]),
        prod(shape[op.batch_dims : op.axis]),
        prod(op.indices.shape[op.batch_dims :]),
        prod(shape[op.axis + 1 :]),
    )


def reference(op: Gather, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite Micro's ``Gather``."""
    batches, outer, count, inner = parted(op)
    size = op.x.shape[op.axis]
    x = values[0].reshape(batches, outer, size, inner)
    indices = clamped(values[1], size - 1).reshape(batches, 1, count, 1)
    return (np.take_along_axis(x, indices, 2).reshape(op.y.shape),)


def places(op: Gather) -> Places:
    """Where the elements come from, for constant indices."""
    batches, outer, count, inner = parted(op)
    size = op.x.shape[op.axis]
    picked = op.indices.values.astype(np.int64).reshape(batches, 1, count) * inner
    rest = np.arange(inner)
    if batches == 1:
        return np.arange(outer) * size * inner, picked.reshape(-1), rest
    rows = np.arange(batches * outer).reshape(batches, outer, 1) * size * inner
    return (rows + picked).reshape(-1), rest


def lower(op: Gather) -> tuple[Call, ...]:
    """The call of ``tg_gather_s32`` or ``tg_gather_s64``."""
    batches, outer, count, inner = parted(op)
    shape = (
        ("batches", batches),
        ("outer", outer),
        ("axis", op.x.shape[op.axis]),
        ("count", count),
        ("size", inner * op.x.dtype.size),
    )
    return (Call(shape, (("last", op.x.shape[op.axis] - 1),), (op.x, op.indices), (op.y,)),)


def indices_of(op: Gather) -> Tensor:
    """Which slices to take."""
    return op.indices


GATHER = OpDef(
    op=Gather,
    dtypes=tuple(DType),
    parse=parse,
    rules=(same_type, integer_indices(indices_of), inside, few_elements),
    reference=reference,
    kernels=(
        table_kernel(places, fits=lambda op: op.indices.is_constant),
        *index_rows("tg_gather", "tg_gather.h", "tg_gather", lower, indices_of),
    ),
    bounds=moved_bounds,
)
