"""Which requantization has its steps where they are wanted: the converse of ``requant_proof``.

An int8 result as a function of the accumulator s is a staircase: for each value w above the least
there is a first accumulator that gives w or more. TFLite's requantization by a multiplier m and a
right shift r, of s plus an addend, has it at ceil(X / m) - addend, where X depends on w and r only.
So for one addend each wanted step bounds m from both sides, and what is left is an interval.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinygen.quant import quantize_multiplier
from tinygen.requant_proof import Int64s

NEVER = 2**40  # beyond every accumulator
_LIMIT = 2**31
_MOST_ADDENDS = 129
_NO_LIMIT = 2**62


@dataclass(frozen=True, slots=True)
class Wanted:
    """For each of ``values``, ascending by one, the first accumulator to give it or more.

    Steps outside of ``low < first <= high`` do not occur and may be anywhere outside.
    """

    values: Int64s
    first: Int64s
    low: int
    high: int

    @property
    def occurring(self) -> npt.NDArray[np.bool_]:
        """For each step whether accumulators on both sides of it occur."""
        return np.asarray((self.first > self.low) & (self.first <= self.high))


@dataclass(frozen=True, slots=True)
class Fit:
    """zero point + (s + addend) * multiplier / 2**31 * 2**shift, rounded as TFLite does."""

    multiplier: int
    shift: int
    addend: int


def fitted(wanted: Wanted, zero_point: int, likely: float) -> Fit | None:
    """A requantization with these steps, at least one of which occurs; None if none is found.

    ``likely`` is the real factor of a requantization near by, for a staircase of one step, which
    says nothing of the slope.
    """
    for shift, (slowest, fastest) in _slopes(wanted, likely):
        distances = _distances(wanted.values - zero_point, shift)
        scale = 2.0 ** (31 - min(shift, 0))
        for addend in _addends(wanted, distances, (slowest * scale, fastest * scale)):
            least, most = _multipliers(wanted, distances, addend)
            left = max(shift, 0)
            least, most = max(-(-least >> left), _LIMIT // 2), min(most >> left, _LIMIT - 1)
            if least <= most:
                near, exponent = quantize_multiplier(likely)
                best = near if exponent == shift else (least + most) // 2
                return Fit(min(max(best, least), most), shift, addend)
    return None


def _slopes(wanted: Wanted, likely: float) -> Iterator[tuple[int, tuple[float, float]]]:
    """The shifts that may do, each with bounds of the real factor: results per accumulator."""
    steps = np.flatnonzero(wanted.occurring)
    rise = int(steps[-1] - steps[0])
    run = int(wanted.first[steps[-1]] - wanted.first[steps[0]])
    if rise:
        bounds = rise / (run + 1), rise / max(run - 1, 0.5)
    else:
        slow = min(likely, 1 / (wanted.high - wanted.low + 1))
        bounds = slow, slow
    _, near = quantize_multiplier(likely)
    shifts = {quantize_multiplier(bound)[1] for bound in bounds}
    for shift in sorted(shifts, key=lambda shift: (abs(shift - near), shift)):
        yield shift, bounds


def _distances(q: Int64s, shift: int) -> Int64s:
    """X of each q: see ``requant_proof.staircase`` for the formula."""
    right = max(-shift, 0)
    h = (q << right) - ((1 << right) >> 1) + ((q <= 0) & (right > 0))
    return np.asarray((np.clip(h, -_LIMIT, _LIMIT) << 31) - (1 << 30))


def _addends(wanted: Wanted, distances: Int64s, factors: tuple[float, float]) -> Iterable[int]:
    """The addends that the first step allows with a factor within bounds, zero before others."""
    step = int(np.flatnonzero(wanted.occurring)[0])
    ends = sorted(float(distances[step]) / factor for factor in factors)
    first = int(wanted.first[step])
    least, most = int(ends[0]) - 1 - first, int(ends[1]) + 2 - first
    middle = min(max(0, least), most) if most - least < _MOST_ADDENDS else (least + most) // 2
    half = _MOST_ADDENDS // 2
    found = range(max(least, middle - half), min(most, middle + half) + 1)
    return sorted(found, key=lambda addend: abs(addend - middle))


def _multipliers(wanted: Wanted, x: Int64s, addend: int) -> tuple[int, int]:
    """The least and the greatest m with which all steps ceil(x / m) - addend are as wanted."""
    late = np.where(wanted.first > wanted.low, wanted.first, -NEVER)
    least = np.where(wanted.first > wanted.high, wanted.high + 1, late) + addend
    soon = np.where(wanted.first <= wanted.high, wanted.first, NEVER)
    most = np.where(wanted.first <= wanted.low, wanted.low, soon) + addend
    # ceil(x / m) <= most, and x / m > before
    before = least - 1
    up, down = np.where(most == 0, 1, most), np.where(before == 0, 1, before)
    impossible = ((most == 0) & (x > 0)) | ((before == 0) & (x <= 0))
    at_least = np.maximum(
        np.where(most > 0, -(-x // up), 0), np.where(before < 0, x // down + 1, 0)
    )
    at_most = np.minimum(
        np.where(most < 0, x // up, _NO_LIMIT), np.where(before > 0, -(-x // down) - 1, _NO_LIMIT)
    )
    if impossible.any():
        return 1, 0
    return int(at_least.max()), int(at_most.min())
