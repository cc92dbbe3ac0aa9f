"""SOFTMAX on int16: both exp(x) and 1 / (1 + x) are tables of 513 values with lines in between.

Source: TFLite's reference_ops::SoftmaxInt16 and ``CalculateSoftmaxParams``.
"""

from functools import cache

import numpy as np

from tinygen.ir import Array, Numerics
from tinygen.ops.interpolated import (
    HIGH,
    LOW,
    RANGE,
    FloatType,
    TableOf,
    interpolation_table,
    looked_up,
)
from tinygen.quant import multiply_by_quantized_multiplier, quantize_multiplier

LEAST_EXPONENT = 10.0  # exp(-10) is the least that counts
# The type in which each makes its tables.
REALS: dict[Numerics, FloatType] = {Numerics.TFLM: np.float32, Numerics.LITERT: np.float64}


@cache
def exponentials(numerics: Numerics) -> TableOf:
    """exp(x) for x from -10 to 0."""
    real = REALS[numerics]
    scale = float(real(LEAST_EXPONENT) / real(RANGE))
    return interpolation_table(
        real,
        (scale, HIGH),
        real(2) / real(RANGE),
        lambda x: np.exp(x.astype(np.float64)).astype(x.dtype),
    )


@cache
def reciprocals(numerics: Numerics) -> TableOf:
    """1 / (1 + x) for x from 0 to 1."""
    real = REALS[numerics]
    scale = float(real(1) / real(RANGE))
    return interpolation_table(
        real, (scale, LOW), real(2) / real(RANGE), lambda x: real(1) / (real(1) + x)
    )


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
