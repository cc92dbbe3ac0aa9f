"""MEAN over any set of axes: int8 and int16 requantized, other types as they are stored."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar, TypeVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Interval
from tinygen.ir import Array, DType, Op
from tinygen.ops.base import (
    BoundsOf,
    Call,
    Kernel,
    Node,
    OpDef,
    any_value,
    channels_of,
    integer_per_tensor,
)
from tinygen.ops.typed import typed_rows
from tinygen.ops.unary import scale_in_range
from tinygen.quant import dtype_range, multiply_by_quantized_multiplier, quantize_multiplier

PLAIN = (DType.INT32, DType.INT64, DType.FLOAT32)


@dataclass(frozen=True, slots=True, eq=False)
class Mean(Op):
    """y = mean of x over ``axes``, which are sorted, unique and not negative."""

    kind: ClassVar[str] = "MEAN"

    axes: tuple[int, ...]
    keep_dims: bool

    @property
    def count(self) -> int:
        """Elements that make up one mean."""
        return prod(self.x.shape[axis] for axis in self.axes)

    @property
    def divisor(self) -> int:
        """What the sum is divided by."""
        return self.count


M = TypeVar("M", bound=Mean)


def parse(node: Node) -> Mean:
    """Read the node. Raises ModelError where the axes do not fit the shapes."""
    return parse_reduction(node, Mean)


def parse_reduction(node: Node, op: type[M]) -> M:
    """Read the node. Raises ModelError where the axes do not fit the shapes."""
    import tflite

    node.arity(2)
    x, y = node.present[0], node.outputs[0]
    where = f"{node.kind} '{node.name}'"
    rank = len(x.shape)
    given = [int(v) for v in node.integers(1, "axes").reshape(-1)]
    if any(not -rank <= v < rank for v in given):
        raise ModelError(f"{where}: axes {given} do not exist in input {x.shape}")
    axes = tuple(sorted({v % rank for v in given}))
    keep = bool(node.options(tflite.ReducerOptions).KeepDims())
    shape = tuple(
        1 if i in axes else size for i, size in enumerate(x.shape) if keep or i not in axes
    )
    if y.shape != shape:
        raise ModelError(f"{where}: output {y.shape} is not {shape}")
    return op(node.name, (x,), node.outputs, axes, keep)


def few_groups(op: Mean) -> str:
    """Reduced axes form at most two groups of neighbours.

    Transpose the input in the model, or take the mean in two steps.
    """
    return f"axes {op.axes} of {op.x.shape}" if _loops(op) is None else ""


def addable(op: Mean) -> str:
    """Input and output are both int8, int16 with zero point 0, int32, int64 or float32.

    int8 and int16 have one scale each for a tensor.
    Convert the model with full integer post-training quantization (int8, or 16x8), or without any.
    """
    plain = op.x.dtype is op.y.dtype and op.x.dtype in PLAIN
    return "" if plain else integer_per_tensor(op)


def sums_fit(op: Mean) -> str:
    """A mean of int16 is one of less than 65536 elements.

    The reference sums them in 32 bits; take the mean in two steps.
    """
    return f"{op.count} elements" if op.x.dtype is DType.INT16 and op.count >= 2**16 else ""


def multiplier_of(op: Mean) -> tuple[int, int]:
    """(multiplier, shift) of input_scale / output_scale / divisor.

    Source: TFLite's reference_ops::QuantizedMeanOrSum: the count of a mean divides the fixed-point
    multiplier, shifted left as far as that is safe, and truncates.
    """
    multiplier, shift = quantize_multiplier(op.x.scale / op.y.scale)
    extra = min(op.divisor.bit_length() - 1, 32, 31 + shift)
    return (multiplier << extra) // op.divisor, shift - extra


def reference(op: Mean, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::QuantizedMeanOrSum, and Mean of other types.

    TFLite Micro has no mean of int32 and int64; LiteRT's divides towards zero.
    """
    if op.x.dtype is DType.FLOAT32:
        return ((added_up(op, values[0]) / np.float32(op.count)).reshape(op.y.shape),)
    if op.x.dtype in PLAIN:
        sums = added_up(op, values[0].astype(np.int64))
        quotients = sums // op.count + ((sums < 0) & (sums % op.count != 0))
        return (quotients.astype(op.y.dtype.numpy).reshape(op.y.shape),)
    return (scaled(op, values[0].sum(axis=op.axes, dtype=np.int64)).reshape(op.y.shape),)


def in_order(op: Mean, values: Array) -> Array:
    """The values of each result, as [values, results]: both in the order of the input."""
    return np.moveaxis(values, op.axes, range(len(op.axes))).reshape(op.count, -1)


def added_up(op: Mean, values: Array) -> Array:
    """Sums in the type of ``values``, each from 0 on in the order of the input."""
    steps = np.cumsum(in_order(op, values), axis=0, dtype=values.dtype)
    return np.asarray(steps[-1] + values.dtype.type(0))


def scaled(op: Mean, sums: Array) -> Array:
    """The means whose elements add up to ``sums``."""
    total = (sums - op.x.zero_point * op.count).astype(np.int32)
    raw = multiply_by_quantized_multiplier(total, *multiplier_of(op)).astype(np.int64)
    return np.clip(raw + op.y.zero_point, *dtype_range(op.y.dtype)).astype(op.y.dtype.numpy)


def bounds(op: Mean, bounds_of: BoundsOf) -> Interval:
    """The mean grows with each element, as long as nothing wraps."""
    known = bounds_of(op.x)
    if len(op.x.shape) - 1 in op.axes:
        known = known.hull(channels_of(op.y))
    sums = known.low * op.count, known.high * op.count
    _, shift = multiplier_of(op)
    reach = 256 * op.count << max(shift, 0)
    return (
        Interval.spanning(*(scaled(op, s) for s in sums))
        if reach < 2**31
        else any_value(op, bounds_of)
    )


def _loops(op: Mean) -> tuple[int, ...] | None:
    """Sizes (kept, reduced, kept, reduced, kept), neighbours merged, or None if more are needed."""
    sizes: list[int] = [1]
    for axis, size in enumerate(op.x.shape):
        if size == 1:
            continue
        # Even positions of sizes are kept, odd ones reduced.
        if (axis in op.axes) != (len(sizes) % 2 == 0):
            sizes.append(1)
        sizes[-1] *= size
    return tuple(sizes + [1] * (5 - len(sizes))) if len(sizes) <= 5 else None


def loop_fields(op: Mean) -> tuple[tuple[str, int], ...]:
    """The shape that kernels over ``kept`` and ``reduced`` axes take."""
    loops = _loops(op)
    assert loops is not None, "the rules were checked"
    return tuple(zip(("kept0", "reduced0", "kept1", "reduced1", "kept2"), loops, strict=True))


def lower(op: Mean) -> tuple[Call, ...]:
    """The call of ``tg_mean_s8`` or ``tg_mean_s16``."""
    multiplier, shift = multiplier_of(op)
    params = (
        ("bias", -op.x.zero_point * op.count),
        ("multiplier", multiplier),
        ("shift", shift),
        ("output_zero_point", op.y.zero_point),
    )
    return (Call(loop_fields(op), params, (op.x,), (op.y,)),)


def lower_plain(op: Mean) -> tuple[Call, ...]:
    """The call of a reduction without parameters."""
    return (Call(loop_fields(op), (("unused", 0),), (op.x,), (op.y,)),)


def quantized_rows() -> tuple[Kernel[M], ...]:
    """The rows of what is requantized, for any operator that is a mean or nearly."""
    return typed_rows("tg_mean", "tg_mean.h", "tg_mean", lower, (DType.INT8, DType.INT16))


MEAN = OpDef(
    op=Mean,
    dtypes=(DType.INT8, DType.INT16, *PLAIN),
    parse=parse,
    rules=(addable, scale_in_range, few_groups, sums_fit),
    reference=reference,
    kernels=(
        *quantized_rows(),
        *typed_rows("tg_mean", "tg_mean.h", "tg_reduce", lower_plain, PLAIN),
    ),
    bounds=bounds,
)
