"""Short requantizations that are proven equal to the reference over the reachable accumulators.

The reference takes an accumulator s to an int8 through two roundings and a clamp. As a function of
s it is a staircase: for each output v there is a first accumulator T(v) that gives v or more.
Another monotone function that passes the same values between T(v) - 1 and T(v) *is* the reference,
so comparing both sides of each of the at most 255 steps is a proof; nothing is sampled.

Kernels hold their accumulators times a power of two, and a requantization is then

    clamp((high_word(2**scale_bits * s * multiplier) + constant [+ step if s < 0]) >> shift)

where the constant takes up both roundings and the output's zero point. After a RELU, where no
output below the zero point can be told apart, there is no step: two instructions on an Arm core
with the DSP extension. In general there is one, as the reference rounds halves away from zero. The
shift is part of an instruction where all channels share it. ``requant_split.py`` has a formula for
cores whose products have 32 bits, with the same proof.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinygen.quant import multiply_by_quantized_multiplier

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Product = Callable[[Int64s, Int64s], Int64s]
"""What a formula makes of accumulators [channels, n] and multipliers [channels], before it adds the
constant: a function that grows with both."""

SCALE_BITS = 8
FACTOR = 1 << SCALE_BITS  # the packed kernels' accumulators are this times the reference's
_LIMIT = 2**31
_ROOM = 256  # for the zero point, where the scaled value may be as large as the accumulator
NEVER = 2**40  # beyond every accumulator
_MOST_SHIFT = 22  # 128 << 22 leaves room for the roundings within int32
_COARSER = 3  # uniform shifts that are tried below the most precise one


@dataclass(frozen=True, slots=True)
class Range:
    """The accumulators that can occur: bounds, both included, one pair per channel."""

    low: Int64s
    high: Int64s

    def clip(self, s: Int64s) -> Int64s:
        """``s`` [channels, n], each moved into its channel's range."""
        return np.clip(s, self.low[:, None], self.high[:, None])


@dataclass(frozen=True, slots=True)
class Staircase:
    """The reference: ``first[c, i]`` is channel c's least accumulator that gives ``values[i]``
    or more, among all integers; ``reach`` are those that occur."""

    values: Int64s
    first: Int64s
    reach: Range


@dataclass(frozen=True, slots=True)
class Requantization:
    """The arrays of the formula above, one entry per channel; ``step`` is None if all are zero."""

    shift: Int64s
    multiplier: Int64s
    constant: Int64s
    step: Int64s | None

    @property
    def is_uniform(self) -> bool:
        """Whether all channels have the same shift."""
        return bool((self.shift == self.shift[0]).all())


def staircase(
    multiplier: Int64s, shift: Int64s, zero_point: int, limits: tuple[int, int], reach: Range
) -> Staircase | None:
    """The steps of TFLite's requantization, or None where shifting to the left or adding the zero
    point could leave 32 bits.

    With r the right shift, the doubling product floor((s * multiplier + 2**30) / 2**31) reaches h
    from s = ceil((h * 2**31 - 2**30) / multiplier) on; and h / 2**r, halves away from zero, reaches
    q from h = q * 2**r - 2**(r - 1) on if q > 0, and one later if not. Both sides of every step are
    checked with ``tinygen.quant``. Raises AssertionError should one be wrong.
    """
    left = np.maximum(shift, 0)
    end = np.where(shift < 0, _LIMIT, _LIMIT - _ROOM) >> left
    if (np.maximum(-reach.low, reach.high) >= end).any():
        return None
    right = np.maximum(-shift, 0)[:, None]
    values = np.arange(limits[0] + 1, limits[1] + 1, dtype=np.int64)
    q = (values - zero_point)[None, :]
    h = (q << right) - ((np.int64(1) << right) >> 1) + ((q <= 0) & (right > 0))
    h = np.clip(h, -_LIMIT, _LIMIT)
    first = -(-((h << 31) - (1 << 30)) // np.maximum(multiplier << left, 1)[:, None])
    flushed = np.where(q > 0, NEVER, -NEVER)
    stairs = Staircase(values, np.where((multiplier == 0)[:, None], flushed, first), reach)
    _check(stairs, multiplier, shift, zero_point)
    return stairs


def _check(stairs: Staircase, multiplier: Int64s, shift: Int64s, zero_point: int) -> None:
    def reference(s: Int64s) -> Int64s:
        inside = stairs.reach.clip(s)
        scaled = multiply_by_quantized_multiplier(inside, multiplier[:, None], shift[:, None])
        return np.asarray(scaled.astype(np.int64) + zero_point)

    taken, passed = _occurring(stairs, stairs.reach)
    wrong = (taken & (reference(stairs.first) < stairs.values)) | (
        passed & (reference(stairs.first - 1) >= stairs.values)
    )
    if wrong.any():
        raise AssertionError(f"a step of channel {int(np.argwhere(wrong)[0][0])} is misplaced")


def settled(stairs: Staircase, multiplier: Int64s) -> tuple[Staircase, Bools]:
    """The staircase with channels of a single value made sure of, and which others there are.

    What a channel without steps adds up may pass 32 bits; it will be multiplied by zero.
    """
    reach = stairs.reach
    steps = stairs.first > reach.low[:, None]
    lively = ((stairs.first <= reach.high[:, None]) & steps).any(axis=1) & (multiplier > 0)
    level = np.where(steps, NEVER, -NEVER)
    known = Range(np.where(lively, reach.low, 0), np.where(lively, reach.high, 0))
    first = np.where(lively[:, None], stairs.first, level)
    return Staircase(stairs.values, first, known), lively


def shifts_to_try(most: Int64s, lively: Bools) -> Iterator[tuple[Int64s, ...]]:
    """Groups of shifts of all channels, given the greatest of each.

    Those of a group can be mixed. At first come such as are the same for all.
    """
    uniform = int(np.min(most, where=lively, initial=_MOST_SHIFT))
    for chosen in range(uniform, max(uniform - _COARSER, 0), -1):
        yield (np.full_like(most, chosen),)
    own = np.where(lively, most, np.maximum(uniform, 1))
    if (own >= 1).all():
        yield tuple(np.maximum(own - less, 1) for less in range(_COARSER))


def prove(
    stairs: Staircase, multiplier: Int64s, shift: Int64s, scale_bits: int = SCALE_BITS
) -> Iterator[Requantization]:
    """The requantizations that equal the reference on all that occurs, the cheapest first.

    high_word(2**scale_bits * s * factor) is the reference's scaled value times 2**chosen for a
    factor of multiplier * 2**(shift + chosen + 1 - scale_bits). Where that is no integer both
    neighbours are tried.
    """
    stairs, lively = settled(stairs, multiplier)
    scaled = np.maximum(-stairs.reach.low, stairs.reach.high) << scale_bits
    if (scaled >= _LIMIT).any():
        return

    def product(s: Int64s, factor: Int64s) -> Int64s:
        return np.asarray((s << scale_bits) * factor[:, None] >> 32)

    def factors(chosen: Int64s) -> Iterator[Int64s]:
        right = np.clip(scale_bits - 1 - shift - chosen, 0, 62)
        for more in (0, 1):
            yield np.where(lively, np.minimum((multiplier >> right) + more, _LIMIT - 1), 0)

    most = np.minimum(scale_bits - 1 - shift, _MOST_SHIFT)
    for pivot in (None, np.zeros_like(shift)):
        for shifts in shifts_to_try(most, lively):
            tries = ((chosen, factor) for chosen in shifts for factor in factors(chosen))
            found = fitted(stairs, product, tries, pivot)
            if found and _fits_word(found, product, stairs.reach):
                yield found


def _fits_word(found: Requantization, product: Product, reach: Range) -> bool:
    ends = np.abs(product(np.stack([reach.low, reach.high], axis=1), found.multiplier)).max(axis=1)
    step = 0 if found.step is None else found.step
    added = np.maximum(np.abs(found.constant), np.abs(found.constant + step))
    return bool((ends + added < _LIMIT).all())


def fitted(
    stairs: Staircase,
    product: Product,
    tries: Iterable[tuple[Int64s, Int64s]],
    pivot: Int64s | None,
) -> Requantization | None:
    """For each channel the first of the ``tries``, shift and multiplier, for which there are
    constants that put each step in its place; None if a channel has none.

    With a ``pivot``, accumulators below it have a constant of their own, which makes the step.
    """
    channels = len(stairs.first)
    found = np.zeros((4, channels), np.int64)
    missing = np.ones(channels, np.bool_)
    for chosen, factor in tries:
        constants, fits = _constants(stairs, product, factor, chosen, pivot)
        found = np.where(missing & fits, np.stack([chosen, factor, *constants]), found)
        missing &= ~fits
        if not missing.any():
            shift, multiplier, above, below = found
            step = below - above
            return Requantization(shift, multiplier, above, step if step.any() else None)
    return None


def _constants(
    stairs: Staircase, product: Product, factor: Int64s, chosen: Int64s, pivot: Int64s | None
) -> tuple[tuple[Int64s, Int64s], Bools]:
    """The constants from the pivot on and below it, the same if there is none; and for which
    channels they put each step in its place."""
    low, high = stairs.reach.low, stairs.reach.high
    parts: tuple[Range, ...] = (stairs.reach,)
    if pivot is not None:
        parts = (Range(np.maximum(low, pivot), high), Range(low, np.minimum(high, pivot - 1)))
    bounds = [_bounds(stairs, part, product, factor, chosen) for part in parts]
    fits = np.stack([least <= most for least, most in bounds]).all(axis=0)
    above, below = _within(bounds[0]), _within(bounds[-1])
    if pivot is not None:
        above = np.where(high >= pivot, above, below)
        below = np.where(low < pivot, below, above)
    return (above, below), np.asarray(fits)


def _bounds(
    stairs: Staircase, part: Range, product: Product, factor: Int64s, chosen: Int64s
) -> tuple[Int64s, Int64s]:
    """The least and the greatest constant with which every step of ``part`` is in its place."""

    def missing(s: Int64s) -> Int64s:
        reached = product(part.clip(s), factor)
        return np.asarray((stairs.values[None, :] << chosen[:, None]) - reached)

    taken, passed = _occurring(stairs, part)
    least = np.where(taken, missing(stairs.first), -(2**62))
    most = np.where(passed, missing(stairs.first - 1) - 1, 2**62)
    return least.max(axis=1, initial=-(2**62)), most.min(axis=1, initial=2**62)


def _occurring(stairs: Staircase, part: Range) -> tuple[Bools, Bools]:
    """For each step whether ``part`` holds accumulators at or after it, and before it."""
    low, high = part.low[:, None], part.high[:, None]
    return (stairs.first <= high) & (low <= high), (stairs.first > low) & (low <= high)


def _within(bounds: tuple[Int64s, Int64s]) -> Int64s:
    """A value of each channel within the bounds, the farthest from both where both are near."""
    least, most = bounds
    far = 2**61
    middle = np.clip(least, -far, far) // 2 + np.clip(most, -far, far) // 2
    one_sided = np.where(least < -far, most, least)
    free = (least < -far) & (most > far)
    both = (least >= -far) & (most <= far)
    return np.where(free, 0, np.where(both, np.clip(middle, least, most), one_sided))
