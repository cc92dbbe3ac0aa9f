"""Fixed-point requantization, computed exactly as the reference kernels compute it.

Sources: gemmlowp's fixedpoint.h (saturating_rounding_doubling_high_mul, rounding_divide_by_pot) and
TFLite's quantization_util.cc / kernel_util.cc. ``tinygen/kernels/tg_requant.h`` is the C twin.
"""

import math

import numpy as np
import numpy.typing as npt

from tinygen.ir import Activation, Array, DType, Tensor

INT32_MIN = -(2**31)
INT32_MAX = 2**31 - 1


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Split ``real`` into (multiplier, shift): real ~ multiplier / 2**31 * 2**shift.

    The multiplier is 0 or in [2**30, 2**31); a positive shift is to the left. Source: TFLite's
    ``QuantizeMultiplier``: halves round away from zero, exponents below -31 flush to zero.
    """
    if real == 0.0:
        return 0, 0
    mantissa, shift = math.frexp(real)
    multiplier = round_half_away(mantissa * 2**31)
    if multiplier == 2**31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    if shift > 30:
        return INT32_MAX, 30
    return multiplier, shift


def round_half_away(value: float) -> int:
    """Round to the nearest integer, halves away from zero, as C's ``round``."""
    whole = math.trunc(value)
    if abs(value - whole) >= 0.5:
        return whole + (1 if value > 0 else -1)
    return whole


def doubling_high_mul(a: Array, b: Array | int) -> npt.NDArray[np.int32]:
    """gemmlowp's SaturatingRoundingDoublingHighMul: (a * b * 2 + rounding) >> 32 on int32.

    The nudge makes halves round up for products of either sign; only
    INT32_MIN * INT32_MIN saturates.
    """
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    nudge = np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    total = product + nudge
    # C's division truncates towards zero; numpy's shift floors.
    high = np.where(total >= 0, total >> 31, -((-total) >> 31))
    return np.minimum(high, INT32_MAX).astype(np.int32)


def rounding_divide_by_pot(x: Array, exponent: Array | int) -> npt.NDArray[np.int32]:
    """gemmlowp's RoundingDivideByPOT: x / 2**exponent, halves away from zero."""
    wide = np.asarray(x, np.int64)
    shift = np.asarray(exponent, np.int64)
    mask = (np.int64(1) << shift) - 1
    threshold = (mask >> 1) + (wide < 0)
    return ((wide >> shift) + ((wide & mask) > threshold)).astype(np.int32)


def multiply_by_quantized_multiplier(
    x: Array, multiplier: Array | int, shift: Array | int
) -> npt.NDArray[np.int32]:
    """TFLite's MultiplyByQuantizedMultiplier, double rounding; arrays broadcast.

    A left shift wraps in 32 bits, as it does in the reference kernels.
    """
    shifts = np.asarray(shift, np.int64)
    left = np.maximum(shifts, 0)
    shifted = (np.asarray(x, np.int64) << left).astype(np.int32)
    return rounding_divide_by_pot(doubling_high_mul(shifted, multiplier), np.maximum(-shifts, 0))


def reduced_multiplier(multiplier: Array | int) -> npt.NDArray[np.int64]:
    """The multiplier's upper 15 bits, rounded half up; the greatest stay below 2**15."""
    wide = np.asarray(multiplier, np.int64)
    return np.where(wide < 0x7FFF0000, (wide + (1 << 15)) >> 16, 0x7FFF)


def multiply_wide(x: Array, multiplier: Array | int, shift: Array | int) -> npt.NDArray[np.int32]:
    """TFLite's MultiplyByQuantizedMultiplier for int64 ``x``: one rounding, halves up.

    Defined for shifts of -31 to 7 and ``x`` within 48 bits. The result's upper bits are dropped.
    """
    total = 15 - np.asarray(shift, np.int64)
    product = np.asarray(x, np.int64) * reduced_multiplier(multiplier)
    return ((product + (np.int64(1) << (total - 1))) >> total).astype(np.int32)


def dtype_range(dtype: DType) -> tuple[int, int]:
    """The smallest and the largest value of an integer type."""
    info = np.iinfo(dtype.numpy)
    return int(info.min), int(info.max)


# Least and greatest result of each fused activation that limits.
ACTIVATION_LIMITS = {
    Activation.RELU: (0.0, math.inf),
    Activation.RELU6: (0.0, 6.0),
    Activation.RELU_N1_TO_1: (-1.0, 1.0),
}


def activation_range(activation: Activation, y: Tensor) -> tuple[int, int]:
    """Quantized clamp bounds of a fused activation on output ``y``.

    Source: ``CalculateActivationRangeQuantized``; the division and the rounding are in float32.
    """
    return quantized_limits(*ACTIVATION_LIMITS.get(activation, (-math.inf, math.inf)), y)


def quantized_limits(least: float, most: float, y: Tensor) -> tuple[int, int]:
    """Two real limits as ``y`` stores them, within its type; an infinite one is the type's."""
    low, high = dtype_range(y.dtype)

    def quantized(value: float) -> int:
        return y.zero_point + round_half_away(float(np.float32(value) / np.float32(y.scale)))

    return (
        max(low, quantized(least)) if math.isfinite(least) else low,
        min(high, quantized(most)) if math.isfinite(most) else high,
    )
