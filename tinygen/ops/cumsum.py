"""CUMSUM: the sums of all elements up to each one along an axis, int8."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Call, Kernel, Node, OpDef, int8_per_tensor
from tinygen.ops.running_sum import finished, sum_in_range, sum_params


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
    """Source: TFLite's reference_ops::CumSum for int8."""
    differences = values[0].astype(np.int64) - op.x.zero_point
    turned = np.flip(differences, op.axis) if op.reverse else differences
    sums = np.cumsum(turned, op.axis) - (turned if op.exclusive else 0)
    return (finished(op, np.flip(sums, op.axis) if op.reverse else sums),)


def lower(op: Cumsum) -> tuple[Call, ...]:
    """The call of ``tg_cumsum_s8``."""
    shape = (
        ("outer", prod(op.x.shape[: op.axis])),
        ("count", op.x.shape[op.axis]),
        ("inner", prod(op.x.shape[op.axis + 1 :])),
        ("exclusive", int(op.exclusive)),
        ("reverse", int(op.reverse)),
    )
    return (Call(shape, sum_params(op), (op.x,), (op.y,)),)


CUMSUM = OpDef(
    op=Cumsum,
    dtypes=(DType.INT8,),
    parse=parse,
    rules=(int8_per_tensor, sum_in_range),
    reference=reference,
    kernels=(Kernel("tg_cumsum_s8", "tg_running_sum_s8.h", "tg_cumsum_s8", lower),),
)
