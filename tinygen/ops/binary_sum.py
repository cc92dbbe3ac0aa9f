"""The arithmetic of ADD and SUB, and the search for a form of it that a core likes better.

The reference scales both inputs to a common fixed point (left shift 20; 15 for int16), adds, and
scales the sum to the output: three roundings. With int8, as there are only 65536 pairs of inputs,
the compiler looks for integers with (a * x + b * w + c) >> shift equal to the reference for every
pair: a proof.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array, DType
from tinygen.ops.lut import every_value
from tinygen.quant import multiply_by_quantized_multiplier, quantize_multiplier

LEFT_SHIFT = {DType.INT8: 20, DType.INT16: 15}
Int32Array = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Term:
    """One operand: sign * multiplier / 2**31 * 2**shift * 2**left_shift * (q - zero_point)."""

    multiplier: int
    shift: int
    zero_point: int
    sign: int = 1
    left_shift: int = LEFT_SHIFT[DType.INT8]

    @property
    def real(self) -> float:
        """The factor of (q - zero_point)."""
        return self.sign * math.ldexp(self.multiplier, self.shift - 31 + self.left_shift)

    def table(self) -> Int32Array:
        """The scaled value of every q, by its byte read as unsigned."""
        return self.scaled(every_value(DType.INT8))

    def scaled(self, values: Array) -> Int32Array:
        """The scaled value of each of ``values``."""
        shifted = (values.astype(np.int64) - self.zero_point) << self.left_shift
        scaled = multiply_by_quantized_multiplier(shifted, self.multiplier, self.shift)
        return (self.sign * scaled).astype(np.int32)


@dataclass(frozen=True, slots=True)
class ScaledSum:
    """clamp((x + w) * multiplier / 2**31 * 2**shift + zero_point, low, high) of two terms."""

    x: Term
    w: Term
    multiplier: int
    shift: int
    zero_point: int
    low: int
    high: int

    @property
    def swapped(self) -> "ScaledSum":
        """The same sum with the operands in the other order."""
        return replace(self, x=self.w, w=self.x)

    def finish(self, raw: npt.NDArray[np.int64] | Int32Array) -> npt.NDArray[np.int64]:
        """The output for sums of scaled values."""
        scaled = multiply_by_quantized_multiplier(raw, self.multiplier, self.shift)
        total = scaled.astype(np.int64) + self.zero_point
        return np.clip(total, self.low, self.high)


def scaled_sum(
    ratios: tuple[float, float, float],
    zero_points: tuple[int, int, int],
    sign: int,
    bounds: tuple[int, int],
    dtype: DType = DType.INT8,
) -> ScaledSum:
    """The sum of ``dtype`` whose real multipliers (x, w, output) are ``ratios``, all below one.

    Source: TFLite's ``CalculateOpDataAdd`` and ``CalculateOpDataSub``.
    """
    (xm, xs), (wm, ws), (ym, ys) = (quantize_multiplier(r) for r in ratios)
    left = LEFT_SHIFT[dtype]
    x, w = Term(xm, xs, zero_points[0], 1, left), Term(wm, ws, zero_points[1], sign, left)
    return ScaledSum(x, w, ym, ys, zero_points[2], *bounds)


@dataclass(frozen=True, slots=True)
class LinearForm:
    """(a * x + b * w + c) >> shift in int32, to be clamped."""

    a: int
    b: int
    c: int
    shift: int


@lru_cache(maxsize=256)
def linear_form(sum_: ScaledSum) -> LinearForm | None:
    """A linear form equal to ``sum_`` for all 65536 input pairs, without int32 overflow, if found.

    For integers a, b and a shift, the admissible c of one pair with result q is an interval; the
    form exists where all 65536 intervals meet. A clamped result bounds c on one side only.
    Multipliers one unit larger than the nearest make ties round away from zero, as the
    reference's do.
    """
    scale = math.ldexp(sum_.multiplier, sum_.shift - 31)
    real_a, real_b = sum_.x.real * scale, sum_.w.real * scale
    values = np.arange(-128, 128, dtype=np.int64)
    order = values.astype(np.int8).view(np.uint8)
    raw = sum_.x.table()[order].astype(np.int64)[:, None] + sum_.w.table()[order][None, :]
    results = sum_.finish(raw)
    # A thin sample of pairs refutes almost every wrong candidate at a fraction of the price.
    sample = (values[3::17, None], values[None, 1::5], results[3::17, 1::5])
    everything = (values[:, None], values[None, :], results)
    offset = abs(sum_.zero_point) + 1 + 128 * (abs(real_a) + abs(real_b))
    largest = 2.0**31 / (offset + 128 * (abs(real_a) + abs(real_b)))
    top = min(30, math.floor(math.log2(largest)))
    for shift in range(top, max(top - 6, 0), -1):
        nearest_a, nearest_b = round(math.ldexp(real_a, shift)), round(math.ldexp(real_b, shift))
        for away in (0, 1, -1):
            for skew in (0, 1, -1):
                a = nearest_a + away * _sign(real_a)
                b = nearest_b + (away + skew) * _sign(real_b)
                if _interval(sum_, a, b, shift, *sample) is None:
                    continue
                found = _interval(sum_, a, b, shift, *everything)
                if found is not None and abs(found) + 128 * (abs(a) + abs(b)) < 2**31:
                    return LinearForm(a, b, found, shift)
    return None


def _interval(
    sum_: ScaledSum,
    a: int,
    b: int,
    shift: int,
    x: npt.NDArray[np.int64],
    w: npt.NDArray[np.int64],
    q: npt.NDArray[np.int64],
) -> int | None:
    """The middle of the admissible values of c, of some 2**30 magnitude at most, or None."""
    least = (q << shift) - (a * x + b * w)
    low = least.max(where=q > sum_.low, initial=-(2**30))
    high = least.min(where=q < sum_.high, initial=2**30) + (1 << shift) - 1
    return int(low + high) // 2 if low <= high else None


def _sign(value: float) -> int:
    return 1 if value >= 0 else -1
