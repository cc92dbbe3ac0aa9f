"""Elementary functions on fixed point, bit for bit as the reference kernels compute them.

Source: gemmlowp's fixedpoint.h and TFLite's ``GetReciprocal``. A value with k integer bits is a raw
int32 with 31 - k fractional bits; here raw values travel in int64 arrays, and every sum is
wrapped or saturated where the original does it. The functions that have ``bits`` do the same on
int16, if that is 16.
"""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array
from tinygen.quant import (
    INT32_MAX,
    INT32_MIN,
    doubling_high_mul,
    quantize_multiplier,
    round_half_away,
    rounding_divide_by_pot,
)

Raw = npt.NDArray[np.int64]


def raw_constant(value: float, integer_bits: int, bits: int = 32) -> int:
    """``value`` as a raw fixed-point number."""
    return min(round_half_away(value * 2.0 ** (bits - 1 - integer_bits)), _largest(bits))


def shift_left_saturating(x: Array, shift: int, bits: int = 32) -> Raw:
    """x * 2**shift, saturated."""
    largest = _largest(bits)
    return np.asarray(np.clip(np.asarray(x, np.int64) << shift, -largest - 1, largest), np.int64)


def exp_on_negative_values(x: Array, integer_bits: int, bits: int = 32) -> Raw:
    """exp(x) for raw x <= 0; the result has no integer bits.

    x is split into a remainder in [-1/4, 0), whose exp is a Taylor polynomial around -1/8, and
    powers of two from 1/4 to 16, for each of which the result is multiplied by a constant. Nothing
    is left of exp(x) for x below -32.
    """
    fraction = bits - 1 - integer_bits
    x = np.asarray(x, np.int64)
    quarter = 1 << (fraction - 2)
    remainder = (x & (quarter - 1)) - quarter
    result = _exp_around_minus_one_eighth(remainder << integer_bits, bits)
    whole = remainder - x
    for exponent in range(-2, min(integer_bits, 5)):
        factor = raw_constant(math.exp(-(2.0**exponent)), 0, bits)
        bit = 1 << (fraction + exponent)
        result = np.where(whole & bit, _product(result, factor, bits), result)
    result = np.where(x < -32 << fraction, 0, result)
    return np.where(x == 0, _largest(bits), result)


def _exp_around_minus_one_eighth(x: Raw, bits: int) -> Raw:
    """exp(x) for raw x in [-1/4, 0), no integer bits."""
    base = raw_constant(math.exp(-1.0 / 8.0), 0, bits)
    x = x + (1 << (bits - 4))
    x2 = _product(x, x, bits)
    x3 = _product(x2, x, bits)
    x4 = _product(x2, x2, bits)
    third = raw_constant(1.0 / 3.0, 0, bits)
    cubic = _product(rounding_divide_by_pot(x4, 2) + x3, third, bits) + x2
    return base + _product(np.asarray(x + rounding_divide_by_pot(cubic, 1)), base, bits)


def logistic(x: Array, integer_bits: int, bits: int = 32) -> Raw:
    """1 / (1 + exp(-x)); the result has no integer bits."""
    x = np.asarray(x, np.int64)
    positive = _inverse_one_plus(exp_on_negative_values(-np.abs(x), integer_bits, bits), bits)
    return np.where(x == 0, 1 << (bits - 2), np.where(x > 0, positive, _largest(bits) - positive))


def tanh(x: Array, integer_bits: int, bits: int = 32) -> Raw:
    """tanh(x) = (1 - e) / (1 + e) with e = exp(-2x); the result has no integer bits."""
    x = np.asarray(x, np.int64)
    # Doubling only moves the binary point: one more integer bit, the same raw value.
    e = exp_on_negative_values(-np.abs(x), integer_bits + 1, bits)
    half = _two_over_one_plus(e, bits) - (1 << (bits - 3))
    magnitude = shift_left_saturating(half, 2, bits)
    return np.where(x == 0, 0, np.where(x < 0, -magnitude, magnitude))


def reciprocal(x: Array, integer_bits: int) -> tuple[Raw, Raw]:
    """(r, n) with 1 / x = r / 2**31 / 2**n, for raw x > 0 with ``integer_bits``.

    Source: TFLite's ``GetReciprocal``.
    """
    x = np.asarray(x, np.int64)
    headroom = np.array([32 - int(v).bit_length() for v in x.reshape(-1)], np.int64).reshape(
        x.shape
    )
    return _inverse_one_plus((x << headroom) - (1 << 31)), integer_bits - headroom


def log_of_sum(x: Array, integer_bits: int) -> Raw:
    """log(x) for raw x >= 1 with ``integer_bits``; the result has five.

    Source: TFLite's ``log_x_for_x_greater_than_or_equal_to_1_impl``: the logarithm of a power of
    two, plus a rational approximation around 2^(-1/4) of what remains, which is x or x times
    sqrt(1/2), whichever is smaller.
    """
    sqrt_half, quarter_root = 1518500250, 1805811301
    x = np.asarray(x, np.int64)

    def zeros(raw: Raw) -> Raw:
        counts = [32 - int(v).bit_length() for v in raw.reshape(-1)]
        return np.array(counts, np.int64).reshape(raw.shape)

    lead = zeros(x)
    r_a = shift_left_saturating(_product(x << (lead - 1), sqrt_half), 1)
    power_a = ((integer_bits - lead) << 25) + (1 << 23)
    headroom = zeros(_product(x, sqrt_half)) - 1
    r_b = np.clip(x << headroom, INT32_MIN, INT32_MAX)
    power_b = ((integer_bits - headroom) << 25) - (1 << 23)
    r, power = np.minimum(r_a, r_b), np.maximum(power_a, power_b)
    middle = (r + quarter_root + 1) >> 1
    q = 2 * (r - quarter_root)
    square = _product(q, q)
    numerator = _product(q, r) + _product(_product(q, square), 117049297)
    inner = 1057819769 + q + _product(square, 127690142)
    inverse = _inverse_one_plus(_product(middle, inner) + _product(q, 638450708))
    rest = _product(rounding_divide_by_pot(numerator, 6), inverse)
    return shift_left_saturating(_product(power, 1488522236) + rest, 1)


def _inverse_one_plus(x: Raw, bits: int = 32) -> Raw:
    """1 / (1 + x) for raw x in [0, 1), no integer bits."""
    return shift_left_saturating(_two_over_one_plus(x, bits), 1, bits)


def _two_over_one_plus(x: Raw, bits: int = 32) -> Raw:
    """2 / (1 + x) for raw x in [0, 1): two integer bits, three steps of Newton's method."""
    half_denominator = (x + _largest(bits) + 1) >> 1
    estimate = raw_constant(48.0 / 17.0, 2, bits) + _product(
        half_denominator, raw_constant(-32.0 / 17.0, 2, bits), bits
    )
    for _ in range(3):
        error = (1 << (bits - 3)) - _product(half_denominator, estimate, bits)
        step = _product(estimate, error, bits)
        estimate = estimate + shift_left_saturating(step, 2, bits)
    return estimate


def _product(a: Array, b: Array | int, bits: int = 32) -> Raw:
    if bits == 32:
        return doubling_high_mul(a, b).astype(np.int64)
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    # For products of either sign, the reference's nudge and truncation round halves up.
    rounded = (product + (1 << (bits - 2))) >> (bits - 1)
    return np.asarray(np.minimum(rounded, _largest(bits)), np.int64)


def _largest(bits: int) -> int:
    """1.0 with no integer bits: the nearest value that fits."""
    return int((1 << (bits - 1)) - 1)


def input_radius(integer_bits: int, left_shift: int) -> int:
    """Largest input whose scaled value stays below 2**integer_bits.

    Source: TFLite's ``CalculateInputRadius`` with 31 signed bits.
    """
    limit = 1.0 * ((1 << integer_bits) - 1) * (1 << (31 - integer_bits)) / 2.0**left_shift
    return math.floor(limit)


def input_multiplier(real: float, integer_bits: int) -> tuple[int, int]:
    """(multiplier, left shift) that takes a quantized difference to ``integer_bits`` fixed point.

    ``real`` is the value of one quantization step.
    """
    return quantize_multiplier(min(real * (1 << (31 - integer_bits)), (1 << 31) - 1.0))


@lru_cache(maxsize=512)
def inverse_square_root(value: int) -> tuple[int, int]:
    """(m, s) with 1 / sqrt(value) ~ m / 2**31 / 2**s, for value > 0.

    Source: TFLite's ``GetInvSqrtQuantizedMultiplierExp``: five steps of Newton's method with three
    integer bits, on the value brought between 1/4 and 1 by an even shift.
    """
    if value <= 1:
        return INT32_MAX, 0
    shift = 11
    while value >= 1 << 29:
        value //= 4
        shift += 1
    pairs = (31 - value.bit_length()) // 2 - 1
    shift -= pairs
    raw = np.array((value << (2 * pairs)) >> 1, np.int64)
    half, three_halves = rounding_divide_by_pot(raw, 1), (1 << 28) + (1 << 27)
    x = np.array(1 << 28, np.int64)
    for _ in range(5):
        cube = shift_left_saturating(_product(_product(x, x), x), 6)
        # Both products have six integer bits.
        x = shift_left_saturating(_product(x, three_halves) - _product(half, cube), 3)
    root = int(_product(x, 1518500250))  # sqrt(1/2)
    return (root << -shift, 0) if shift < 0 else (root, shift)
