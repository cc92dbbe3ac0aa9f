"""CUMSUM: the sums of all elements up to each one along an axis."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Call, Node, OpDef, int8_per_tensor
from tinygen.ops.running_sum import finished, sum_in_range, sum_params
from tinygen.ops.typed import typed_rows

PLAIN = (DType.INT32, DType.INT64, DType.FLOAT32)


@dataclass(frozen=True, slots=True, eq=False)
class Cumsum(Op):
    """y[.., i, ..] = the sum of x[.., j, ..] for j up to i along ``axis``.

    ``exclusive`` leaves i itself out; ``reverse`` counts from the end.
    """

    kind: ClassVar[str] = "CUMSUM"

    axis: int
    exclusive: bool
    reverse: bool


def parse(node: Node) -> Cumsum:
    """Read the node. Raises ModelError where shapes differ or there is no such axis."""
    import tflite

    node.arity(2)
    x = node.present[0]
    options = node.options(tflite.CumsumOptions)
    axis = node.axis(node.integer(1, "axis"), len(x.shape))
    node.makes(x.shape)
    flags = bool(options.Exclusive()), bool(options.Reverse())
    return Cumsum(node.name, (x,), node.outputs, axis, *flags)


def reference(op: Cumsum, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::CumSum; int8 is TFLite Micro's, int32 and int64 LiteRT's."""
    plain = op.x.dtype in PLAIN
    differences = values[0] if plain else values[0].astype(np.int64) - op.x.zero_point
    turned = np.flip(differences, op.axis) if op.reverse else differences
    sums = np.cumsum(turned, op.axis, dtype=turned.dtype)
    if op.exclusive:
        sums = np.roll(sums, 1, op.axis)
        sums[(slice(None),) * op.axis + (0,)] = 0
    sums = np.flip(sums, op.axis) if op.reverse else sums
    return (sums + sums.dtype.type(0) if plain else finished(op, sums),)


def shape_of(op: Cumsum) -> tuple[tuple[str, int], ...]:
    """The fields of ``tg_cumsum_shape``."""
    return (
        ("outer", prod(op.x.shape[: op.axis])),
        ("count", op.x.shape[op.axis]),
        ("inner", prod(op.x.shape[op.axis + 1 :])),
        ("exclusive", int(op.exclusive)),
        ("reverse", int(op.reverse)),
    )


def lower(op: Cumsum) -> tuple[Call, ...]:
    """The call of ``tg_cumsum_s8``."""
    return (Call(shape_of(op), sum_params(op), (op.x,), (op.y,)),)


def lower_plain(op: Cumsum) -> tuple[Call, ...]:
    """The call of the kernel of another type."""
    return (Call(shape_of(op), (("unused", 0),), (op.x,), (op.y,)),)


def types(op: Cumsum) -> str:
    """Input and output are both int8 with one scale and zero point, int32, int64 or float32.

    Convert the model with full integer post-training quantization (int8), or without any.
    """
    plain = op.x.dtype is op.y.dtype and op.x.dtype in PLAIN
    return "" if plain else int8_per_tensor(op)


def in_range(op: Cumsum) -> str:
    """The input's scale is less than 2**19 times the output's, where values are quantized.

    The reference kernels stop there; check the ranges that the converter calibrated.
    """
    return "" if op.x.dtype in PLAIN else sum_in_range(op)


CUMSUM = OpDef(
    op=Cumsum,
    dtypes=(DType.INT8, *PLAIN),
    parse=parse,
    rules=(types, in_range),
    reference=reference,
    kernels=(
        *typed_rows("tg_cumsum", "tg_cumsum.h", "tg_cumsum_s8", lower, (DType.INT8,)),
        *typed_rows("tg_cumsum", "tg_cumsum.h", "tg_cumsum", lower_plain, PLAIN),
    ),
)
