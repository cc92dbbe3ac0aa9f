"""EMBEDDING_LOOKUP: rows of a table by number, int8 rows also as floats."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Interval
from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import BoundsOf, Call, Kernel, Node, OpDef, channels_of, describe
from tinygen.ops.indexing import clamped


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingLookup(Op):
    """y[i, ...] = table[numbers[i], ...].

    A number outside of the table counts as the nearest one inside: the reference kernels stop.
    """

    kind: ClassVar[str] = "EMBEDDING_LOOKUP"

    @property
    def numbers(self) -> Tensor:
        """Which rows to take."""
        return self.inputs[0]

    @property
    def table(self) -> Tensor:
        """The rows."""
        return self.inputs[1]

    @property
    def row(self) -> int:
        """The elements of a row."""
        return prod(self.table.shape[1:])

    @property
    def hybrid(self) -> bool:
        """Whether the rows are int8 and come out as floats."""
        return (self.table.dtype, self.y.dtype) == (DType.INT8, DType.FLOAT32)


def parse(node: Node) -> EmbeddingLookup:
    """Read the node. Raises ModelError where the shapes do not fit."""
    node.arity(2)
    numbers, table = node.present
    if len(numbers.shape) != 1 or len(table.shape) < 2:
        raise ModelError(f"{node.kind} '{node.name}': {numbers.shape} are no rows of {table.shape}")
    node.makes((*numbers.shape, *table.shape[1:]))
    return EmbeddingLookup(node.name, node.present, node.outputs)


def types(op: EmbeddingLookup) -> str:
    """Numbers are int32, and the output has the table's type or is float32 from int8.

    Convert the model anew.
    """
    if op.numbers.dtype is not DType.INT32:
        return describe(op.numbers)
    fine = op.table.dtype is op.y.dtype or op.hybrid
    return "" if fine else f"{describe(op.table)} to {describe(op.y)}"


def symmetric(op: EmbeddingLookup) -> str:
    """A table of int8 that comes out as float32 has one scale, and zero point 0.

    TFLite Micro asks for it.
    """
    quant = op.table.quant
    fine = quant is not None and quant.zero_point == (0,)
    return describe(op.table) if op.hybrid and not fine else ""


def reference(op: EmbeddingLookup, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite Micro's ``EvalSimple`` and ``EvalHybrid``."""
    rows = values[1][clamped(values[0], op.table.shape[0] - 1)]
    return (rows * np.float32(op.table.scale) if op.hybrid else rows,)


def bounds(op: EmbeddingLookup, bounds_of: BoundsOf) -> Interval:
    """Every element of the result is one of the table's."""
    return bounds_of(op.table).hull(channels_of(op.y))


def lower(op: EmbeddingLookup) -> tuple[Call, ...]:
    """The call of ``tg_gather_s32``."""
    shape = (
        ("batches", 1),
        ("outer", 1),
        ("axis", op.table.shape[0]),
        ("count", op.numbers.elements),
        ("size", op.row * op.table.dtype.size),
    )
    params = (("last", op.table.shape[0] - 1),)
    return (Call(shape, params, (op.table, op.numbers), (op.y,)),)


def lower_hybrid(op: EmbeddingLookup) -> tuple[Call, ...]:
    """The call of ``tg_embedding_s8_f32``."""
    shape = (("count", op.numbers.elements), ("size", op.row))
    params = (("last", op.table.shape[0] - 1), ("scale", op.table.scale))
    return (Call(shape, params, (op.table, op.numbers), (op.y,)),)


EMBEDDING_LOOKUP: OpDef[EmbeddingLookup] = OpDef(
    op=EmbeddingLookup,
    dtypes=tuple(DType),
    subject=lambda op: op.table,
    parse=parse,
    rules=(types, symmetric),
    reference=reference,
    kernels=(
        Kernel(
            "tg_embedding_s8_f32",
            "tg_gather.h",
            "tg_embedding",
            lower_hybrid,
            fits=lambda op: op.hybrid,
        ),
        Kernel("tg_gather_s32", "tg_gather.h", "tg_gather", lower, fits=lambda op: not op.hybrid),
    ),
    bounds=bounds,
)
