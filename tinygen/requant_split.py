"""Proven requantizations with products of 32 bits, for cores that have no longer ones.

Accumulators are held minus a base, so that those which the clamp does not make equal are
t = 0 .. top; beyond, an output is one of the limits. There

    ((t >> 8) * multiplier + ((t & 255) * multiplier >> 8) + constant [+ step if t < zero]) >> shift

is the requantization. The step is for what is rounded otherwise below zero; and where no slope of
the multiplier's few bits leads through all steps, it may also be at another place, and bends the
line there. The first two terms are (t * multiplier) >> 8 to the last bit, without a product of
more than 32 bits. Sums are modulo 2**32, where the result fits. The proof is that of
``requant_proof.py``: every step of the reference is checked on both sides, as are the values at
both ends of what is not clamped.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tinygen.requant_proof import (
    NEVER,
    Bools,
    Int64s,
    Range,
    Requantization,
    Staircase,
    fitted,
    settled,
    shifts_to_try,
)

PIECE_BITS = 8  # of t that are multiplied apart
_WORD = 2**32
_MOST_SHIFT = 24  # an int8 shifted by so much fills 32 bits
_MORE = (0, 1, -1, 2, -2)  # multipliers to try beside the scale's floor


@dataclass(frozen=True, slots=True)
class SplitRequantization:
    """The arrays of the formula above, one entry per channel."""

    constants: Requantization
    base: Int64s
    top: Int64s
    zero: Int64s


def prove_split(
    stairs: Staircase, multiplier: Int64s, shift: Int64s, limits: tuple[int, int]
) -> Iterator[SplitRequantization]:
    """The requantizations that equal the reference on all that occurs, the cheapest first."""
    stairs, lively = settled(stairs, multiplier)
    inner = _unclamped(stairs, limits, lively)
    base, top = inner.reach.low, inner.reach.high - inner.reach.low
    beyond = np.maximum(stairs.reach.high - base, base - stairs.reach.low)
    if (beyond >= _WORD // 2).any():
        return
    # The greatest shift whose multiplier leaves both products below 2**32.
    most_factor = np.minimum(2.0**24, _WORD / ((top >> PIECE_BITS) + 1)) - max(_MORE)
    scale = multiplier * 2.0 ** (shift - 31)
    room = np.log2(most_factor / np.where(lively, scale, 1)) - PIECE_BITS
    most = np.minimum(np.floor(room).astype(np.int64), _MOST_SHIFT)

    def product(s: Int64s, factor: Int64s) -> Int64s:
        return np.asarray((s - base[:, None]) * factor[:, None] >> PIECE_BITS)

    def factors(chosen: Int64s) -> Iterator[Int64s]:
        exact = np.floor(scale * 2.0 ** (PIECE_BITS + chosen)).astype(np.int64)
        for more in _MORE:
            yield np.where(lively, np.maximum(exact + more, 0), 0)

    zero = np.where(lively, np.clip(0, base, base + top + 1), base)
    for pivot in (None, zero, base + (top >> 1)):
        for shifts in shifts_to_try(most, lively):
            tries = ((chosen, factor) for chosen in shifts for factor in factors(chosen))
            if found := fitted(inner, product, tries, pivot):
                below = np.zeros_like(base) if pivot is None else pivot - base
                yield SplitRequantization(found, base, np.where(lively, top, _WORD - 1), below)


def _unclamped(stairs: Staircase, limits: tuple[int, int], lively: Bools) -> Staircase:
    """The staircase where the clamp does not decide, with the limits themselves as steps.

    It begins right before the first step that occurs if that is the step from the lower limit, and
    ends at the last one if that is the step to the upper limit.
    """
    reach = stairs.reach
    always, never = np.full((len(reach.low), 1), -NEVER), np.full((len(reach.low), 1), NEVER)
    values = np.concatenate([[limits[0]], stairs.values, [limits[1] + 1]])
    first = np.concatenate([always, stairs.first, never], axis=1)
    begin = np.clip(first[:, 1] - 1, reach.low, reach.high)
    end = np.clip(first[:, -2], reach.low, reach.high)
    return Staircase(values, first, Range(np.where(lively, begin, 0), np.where(lively, end, 0)))
