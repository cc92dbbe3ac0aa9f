"""Operators that map each 8-bit value to an 8-bit value: a table of 256 bytes says it all.

The table is made by the operator's own reference, so the kernel is exact by construction.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.interval import Interval
from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.base import BoundsOf, Call, Kernel
from tinygen.quant import dtype_range

O = TypeVar("O", bound=Op)  # noqa: E741 - O is an operator throughout

Table = npt.NDArray[np.int8] | npt.NDArray[np.uint8]
Reference = Callable[[O, tuple[Array, ...]], tuple[Array, ...]]


def every_value(dtype: DType) -> npt.NDArray[np.int64]:
    """All 256 values of an 8-bit type, ordered by their bytes read as unsigned: 0 to 255."""
    return np.arange(256, dtype=np.uint8).view(dtype.numpy).astype(np.int64)


def lut_call(x: Tensor, y: Tensor, table: Array) -> Call:
    """The call of ``tg_lut_8`` that maps ``x`` to ``y``; ``table`` is in the order of its bytes."""
    data = np.ascontiguousarray(table.reshape(-1), y.dtype.numpy).view(np.uint8)
    return Call((("size", x.elements),), (("table", data),), (x,), (y,))


def lut_kernel(
    table: Callable[[O], Array], fits: Callable[[O], bool] = lambda op: True
) -> Kernel[O]:
    """The table row of an operator whose 256 results ``table`` computes."""
    return Kernel(
        "tg_lut_8",
        "tg_lut_8.h",
        "tg_lut_8",
        lambda op: (lut_call(op.activations[0], op.y, table(op)),),
        fits=fits,
        in_place=True,
    )


def clamp_kernel(table: Callable[[O], Array]) -> Kernel[O]:
    """The row for a table that only limits its int8 input to a range: no table is needed."""

    def bounds(op: O) -> tuple[int, int] | None:
        if not op.x.dtype is op.y.dtype is DType.INT8:
            return None
        values = every_value(DType.INT8)
        results = np.asarray(table(op), np.int64).reshape(-1)
        low, high = int(results.min()), int(results.max())
        return (low, high) if np.array_equal(results, np.clip(values, low, high)) else None

    def lower(op: O) -> tuple[Call, ...]:
        low, high = bounds(op) or dtype_range(DType.INT8)
        shape = (("size", op.x.elements),)
        return (Call(shape, (("output_min", low), ("output_max", high)), (op.x,), (op.y,)),)

    return Kernel(
        "tg_clamp_s8",
        "tg_clamp_s8.h",
        "tg_clamp_s8",
        lower,
        fits=lambda op: bounds(op) is not None,
        in_place=True,
    )


def bounds_of_table(
    table: Callable[[O], Array],
) -> Callable[[O, BoundsOf], Interval]:
    """The bounds of an operator whose 256 results ``table`` computes."""

    def bounds(op: O, bounds_of: BoundsOf) -> Interval:
        first, _ = dtype_range(op.x.dtype)
        # From the order of bytes to ascending values.
        ascending = np.argsort(every_value(op.x.dtype))
        results = np.asarray(table(op).reshape(-1)[ascending], np.int64)
        return bounds_of(op.x).mapped(results, first)

    return bounds


def lookup(table: Array, x: Array) -> Array:
    """Apply a 256-entry table, ordered by bytes, to an 8-bit array."""
    return np.asarray(table.reshape(-1)[x.view(np.uint8)])
