"""SOFTMAX on int16: both exp(x) and 1 / (1 + x) are tables of 513 values with lines in between.

Source: TFLite's reference_ops::SoftmaxInt16, ``LUTPopulateInt16`` and ``CalculateSoftmaxParams``.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array, Numerics
from tinygen.quant import multiply_by_quantized_multiplier, quantize_multiplier

Floats = npt.NDArray[np.floating[Any]]
FloatType = type[np.float32] | type[np.float64]
TableOf = npt.NDArray[np.int16]
STEPS = 512
LOW, HIGH = -(2**15), 2**15 - 1
RANGE = 2**16 - 1
LEAST_EXPONENT = 10.0  # exp(-10) is the least that counts
# The type in which each makes its tables.
REALS: dict[Numerics, FloatType] = {Numerics.TFLM: np.float32, Numerics.LITERT: np.float64}


def rounded(value: Floats) -> Floats:
    """Halves away from zero."""
    return np.copysign(np.floor(np.abs(value) + 0.5), value)


def interpolation_table(
    real: FloatType, scale: float, zero_point: int, function: Callable[[Floats], Floats]
) -> TableOf:
    """``function`` at each 128th int16 of this quantization, with 15 fractional bits.

    Each value is moved by half of the line's error in the middle of the step. All is computed in
    the type ``real``.
    """
    start = real(scale) * real(LOW - zero_point)
    end = real(scale) * real(HIGH - zero_point)
    step = (end - start) / real(STEPS)
    to_output = real(2) / real(RANGE)
    inverse = real(RANGE + 1) / (to_output * real(HIGH) - to_output * real(LOW))
    at: Floats = np.multiply(np.arange(STEPS + 1), step, dtype=real)
    values = function(start + at)
    middles = function(start + at[:-1] + step / real(2))
    samples = rounded(values * inverse)
    line = rounded((values[1:] * inverse + samples[:-1]) / real(2))
    shift = rounded((line - rounded(middles * inverse)) / real(2))
    last = rounded(function(np.array([end])) * inverse)
    return np.asarray(np.clip(np.concatenate([samples[:-1] - shift, last]), LOW, HIGH), np.int16)


@cache
def exponentials(numerics: Numerics) -> TableOf:
    """exp(x) for x from -10 to 0."""
    real = REALS[numerics]
    scale = float(real(LEAST_EXPONENT) / real(RANGE))
    return interpolation_table(
        real, scale, HIGH, lambda x: np.exp(x.astype(np.float64)).astype(x.dtype)
    )


@cache
def reciprocals(numerics: Numerics) -> TableOf:
    """1 / (1 + x) for x from 0 to 1."""
    real = REALS[numerics]
    scale = float(real(1) / real(RANGE))
    return interpolation_table(real, scale, LOW, lambda x: real(1) / (real(1) + x))


def looked_up(table: TableOf, x: Array) -> Array:
    """The line between two values of ``table``, at int16 ``x``."""
    index, rest = 256 + (x >> 7), x & 127
    wide = table.astype(np.int64)
    return np.asarray(wide[index] + (((wide[index + 1] - wide[index]) * rest + 64) >> 7))


def ratio(step: float) -> float:
    """The factor from differences, of ``step`` each, to steps of the table of exponentials."""
    return step / (LEAST_EXPONENT / 65535.0)


def softmax(x: Array, step: float, numerics: Numerics) -> Array:
    """int16 results with 15 fractional bits along the last axis of ``x``."""
    wide = x.astype(np.int64)
    differences = wide - wide.max(axis=-1, keepdims=True)
    scaled = multiply_by_quantized_multiplier(differences, *quantize_multiplier(ratio(step)))
    exps = looked_up(exponentials(numerics), np.clip(scaled.astype(np.int64) + HIGH, LOW, HIGH))
    sums = exps.sum(axis=-1, keepdims=True)
    bits = np.floor(np.log2(sums)).astype(np.int64)  # exact: sums stay far below 2**53
    mantissa = ((sums << (30 - bits)) + (1 << 13)) >> 14
    scale = looked_up(reciprocals(numerics), np.clip(mantissa - (RANGE + 1 - LOW), LOW, HIGH))
    results = (exps * scale + (np.int64(1) << (bits - 1))) >> bits
    return np.asarray(np.clip(results, 0, HIGH), np.int16)
