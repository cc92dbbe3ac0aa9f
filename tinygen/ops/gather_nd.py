"""GATHER_ND: slices of a tensor, each found by indices along its first axes."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Integers
from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import Call, Node, OpDef, same_type
from tinygen.ops.indexing import clamped, index_rows, integer_indices, steps_and_ends
from tinygen.ops.strided import dense_strides, moved_bounds
from tinygen.ops.tabled import Places, few_elements, table_kernel


@dataclass(frozen=True, slots=True, eq=False)
class GatherNd(Op):
    """y[outer, inner] = x[indices[outer, 0], indices[outer, 1], ..., inner].

    An index that is computed and lies outside of its axis counts as the nearest one inside: the
    reference kernels stop there.
    """

    kind: ClassVar[str] = "GATHER_ND"

    @property
    def indices(self) -> Tensor:
        """Which slices to take; the last axis numbers the axes of x."""
        return self.inputs[1]

    @property
    def depth(self) -> int:
        """How many indices find a slice."""
        return self.indices.shape[-1]

    @property
    def inner(self) -> int:
        """The elements of a slice."""
        return prod(self.x.shape[self.depth :])


def parse(node: Node) -> GatherNd:
    """Read the node. Raises ModelError where the shapes do not fit."""
    node.arity(2)
    x, indices = node.present
    if not x.shape or not indices.shape or indices.shape[-1] > len(x.shape):
        raise ModelError(f"GATHER_ND '{node.name}': {indices.shape} are no places in {x.shape}")
    node.makes((*indices.shape[:-1], *x.shape[indices.shape[-1] :]))
    return GatherNd(node.name, node.present, node.outputs)


def inside(op: GatherNd) -> str:
    """Constant indices lie within their axes.

    The reference kernels ask for it.
    """
    if not op.indices.is_constant:
        return ""
    places = op.indices.values.reshape(-1, op.depth)
    fine = places.min() >= 0 and (places < op.x.shape[: op.depth]).all()
    return "" if fine else f"{places.max(axis=0).tolist()} in {op.x.shape}"


def offsets(op: GatherNd, indices: Array) -> Integers:
    """The element of x that each slice begins at."""
    last = np.array(op.x.shape[: op.depth]) - 1
    places = clamped(indices.reshape(-1, op.depth), last)
    return np.asarray(places @ np.array(dense_strides(op.x.shape)[: op.depth], np.int64))


def reference(op: GatherNd, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite Micro's ``GatherNd``."""
    at = offsets(op, values[1])[:, None] + np.arange(op.inner)
    return (values[0].reshape(-1)[at].reshape(op.y.shape),)


def places(op: GatherNd) -> Places:
    """Where the elements come from, for constant indices."""
    return offsets(op, op.indices.values), np.arange(op.inner)


def lower(op: GatherNd) -> tuple[Call, ...]:
    """The call of ``tg_gather_nd_s32`` or ``tg_gather_nd_s64``."""
    size = op.x.dtype.size
    shape = (("count", op.indices.elements // op.depth), ("depth", op.depth))
    params = steps_and_ends(op.x.shape, (1,) * op.depth, size)
    fields = (*shape, ("size", op.inner * size))
    return (Call(fields, params, (op.x, op.indices), (op.y,)),)


def indices_of(op: GatherNd) -> Tensor:
    """Which slices to take."""
    return op.indices


GATHER_ND = OpDef(
    op=GatherNd,
    dtypes=tuple(DType),
    parse=parse,
    rules=(same_type, integer_indices(indices_of), inside, few_elements),
    reference=reference,
    kernels=(
        table_kernel(places, fits=lambda op: op.indices.is_constant),
        *index_rows("tg_gather_nd", "tg_gather.h", "tg_gather_nd", lower, indices_of),
    ),
    bounds=moved_bounds,
)
