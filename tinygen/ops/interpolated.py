"""Smooth functions of int16: a table of 513 values, with lines in between.

Source: TFLite's ``LUTPopulateInt16`` and ``LUTLookup``.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Call, Kernel, Rule
from tinygen.ops.elementwise import Typed

O = TypeVar("O", bound=Op)  # noqa: E741 - O is an operator throughout
Floats = npt.NDArray[np.floating[Any]]
FloatType = type[np.float32] | type[np.float64]
TableOf = npt.NDArray[np.int16]
STEPS = 512
LOW, HIGH = -(2**15), 2**15 - 1
RANGE = 2**16 - 1


def rounded(value: Floats) -> Floats:
    """Halves away from zero."""
    return np.copysign(np.floor(np.abs(value) + 0.5), value)


def interpolation_table(
    real: FloatType,
    x: tuple[float, int],
    output_scale: float | np.floating[Any],
    function: Callable[[Floats], Floats],
) -> TableOf:
    """``function`` at each 128th int16 of scale and zero point ``x``; the output's zero point is 0.

    Each value is moved by half of the line's error in the middle of the step. All is computed in
    the type ``real``.
    """
    scale, zero_point = x
    start = real(scale) * real(LOW - zero_point)
    end = real(scale) * real(HIGH - zero_point)
    step = (end - start) / real(STEPS)
    to_output = real(output_scale)
    inverse = real(RANGE + 1) / (to_output * real(HIGH) - to_output * real(LOW))
    at: Floats = np.multiply(np.arange(STEPS + 1), step, dtype=real)
    values = function(start + at)
    middles = function(start + at[:-1] + step / real(2))
    samples = rounded(values * inverse)
    line = rounded((values[1:] * inverse + samples[:-1]) / real(2))
    shift = rounded((line - rounded(middles * inverse)) / real(2))
    last = rounded(function(np.array([end])) * inverse)
    return np.asarray(np.clip(np.concatenate([samples[:-1] - shift, last]), LOW, HIGH), np.int16)


def looked_up(table: TableOf, x: Array) -> Array:
    """The line between two values of ``table``, at int16 ``x``."""
    index, rest = 256 + (x >> 7), x & 127
    wide = table.astype(np.int64)
    return np.asarray(wide[index] + (((wide[index + 1] - wide[index]) * rest + 64) >> 7))


def table_of(op: Op, function: Callable[[Floats], Floats]) -> TableOf:
    """The table of an operator that computes ``function`` in float32."""
    with np.errstate(all="ignore"):
        return interpolation_table(
            np.float32,
            (op.x.scale, op.x.zero_point),
            op.y.scale,
            lambda x: np.asarray(function(x.astype(np.float64)), np.float32),
        )


def curve_s16(
    table: Callable[[O], TableOf],
    *rules: Rule[O],
    fits: Callable[[O], bool] = lambda op: True,
) -> Typed[O]:
    """int16, by a table of 513 values."""

    def reference(op: O, x: Array) -> Array:
        return looked_up(table(op), x.astype(np.int64)).astype(np.int16)

    def lower(op: O) -> tuple[Call, ...]:
        shape = (("size", op.x.elements),)
        return (Call(shape, (("table", table(op)),), (op.x,), (op.y,)),)

    name = "tg_line_s16"
    row: Kernel[O] = Kernel(name, f"{name}.h", name, lower, fits=fits, in_place=True)
    return Typed(DType.INT16, reference, (row,), rules)
