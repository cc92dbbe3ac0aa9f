"""LOGISTIC and TANH on int16: one table of the sigmoid serves both, as tanh(x) = 2 s(2x) - 1.

Source: TFLite's reference_integer_ops::Logistic and Tanh for int16, and their ``Prepare``.
"""

import math
from functools import cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Call, Kernel, describe, only_for

O = TypeVar("O", bound=Op)  # noqa: E741 - O is an operator throughout
OUTPUT_SCALE = 2.0**-15
STEPS = 24  # of the table in 1
LAST = 255
# How many doublings of a scale of 2**-12 are recognized as powers of two.
LOGISTIC_DOUBLINGS, TANH_DOUBLINGS = 0, 1


@cache
def sigmoid_table() -> npt.NDArray[np.uint16]:
    """s(i / 24) at 16 fractional bits, for linear interpolation.

    Chords run below the curve, by up to 1/8 of |s''| times the step squared; half of that added
    centres the error. This gives the reference's table but for its last entry.
    """
    s = 1 / (1 + np.exp(-np.arange(LAST + 1) / STEPS))
    curvature = s * (1 - s) * (2 * s - 1)
    values = np.floor(65536 * (s + curvature / (16 * STEPS**2)) + 0.5)
    values[LAST] = 65535
    return values.astype(np.uint16)


def step_in_range(op: Op) -> str:
    """The input's scale is at most 2.66 where it is int16.

    The reference kernels overflow beyond; convert the model anew.
    """
    if op.x.quant is None or op.x.quant.per_channel or op.x.dtype is not DType.INT16:
        return ""
    return "" if op.x.scale * 3 * 4096 <= 32767 else describe(op.x)


def checked_log2(scale: float) -> tuple[int, bool]:
    """The nearest power of two, and whether it is near enough to be taken for the scale.

    Source: TFLite's ``CheckedLog2``, in float32.
    """
    logarithm = float(np.log(np.float32(scale)) * (np.float32(1) / np.log(np.float32(2))))
    power = round(logarithm)
    return power, abs(logarithm - power) < 1e-3


def power_scaling(power: int) -> tuple[int, int]:
    """``input_scaling`` of the scale 2**power."""
    return (3 << (12 + power), 0) if power >= -12 else (3, -12 - power)


def input_scaling(op: Op, most_doublings: int) -> tuple[int, int]:
    """(multiplier, right shift) that take the input to steps of 1 / (3 * 4096).

    Scales near 2**-12, times 2 as often as ``most_doublings``, are taken for that power.
    """
    power, exact = checked_log2(op.x.scale)
    if exact and 0 <= 12 + power <= most_doublings:
        return power_scaling(power)
    multiplier, shift = op.x.scale * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and shift <= 30:
        multiplier, shift = 2 * multiplier, shift + 1
    return math.trunc(multiplier), shift


def interpolated(x: Array, multiplier: int, shift: int, fraction_bits: int) -> tuple[Array, Array]:
    """Whether the scaled input is negative, and s(|input|) with ``fraction_bits`` more bits."""
    scaled = (x.astype(np.int64) * multiplier + ((1 << shift) >> 1)) >> shift
    index, rest = np.abs(scaled) >> fraction_bits, np.abs(scaled) & ((1 << fraction_bits) - 1)
    table = sigmoid_table().astype(np.int64)
    low, high = (table[np.minimum(index + i, LAST)] for i in (0, 1))
    inside = (low << fraction_bits) + rest * (high - low)
    return scaled < 0, np.where(index >= LAST, -1, inside)


def logistic_of(x: Array, multiplier: int, shift: int) -> Array:
    """int16 results of inputs with this scaling."""
    negative, found = interpolated(x, multiplier, shift, 9)
    value = np.where(found < 0, 0x7FFF << 10, found)
    return (np.where(negative, (1 << 25) - value + 511, value + 512) >> 10).astype(np.int16)


def tanh_of(x: Array, multiplier: int, shift: int) -> Array:
    """int16 results of inputs with this scaling."""
    negative, found = interpolated(x, multiplier, shift, 8)
    value = np.where(found < 0, 0xFFFF << 8, found) - (1 << 23)
    return (np.where(negative, 127 - value, value + 128) >> 8).astype(np.int16)


def logistic(op: Op, x: Array) -> Array:
    """int16 results."""
    return logistic_of(x, *input_scaling(op, LOGISTIC_DOUBLINGS))


def tanh(op: Op, x: Array) -> Array:
    """int16 results."""
    return tanh_of(x, *input_scaling(op, TANH_DOUBLINGS))


def wide_kernel(name: str, doublings: int) -> Kernel[O]:
    """The row of either operator."""

    def lower(op: O) -> tuple[Call, ...]:
        multiplier, shift = input_scaling(op, doublings)
        params = (("table", sigmoid_table()), ("multiplier", multiplier), ("shift", shift))
        return (Call((("size", op.x.elements),), params, (op.x,), (op.y,)),)

    types = "tg_sigmoid_s16"
    row: Kernel[O] = Kernel(name, f"{types}.h", types, lower, in_place=True)
    return only_for(DType.INT16, row)[0]
