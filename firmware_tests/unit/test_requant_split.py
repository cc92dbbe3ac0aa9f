"""The requantizations by 32-bit products equal the reference on every accumulator that occurs."""

import numpy as np
import pytest

from firmware_tests.unit.test_requant_proof import FULL, channels, reference
from tinygen.requant_proof import Int64s, Range, staircase
from tinygen.requant_split import SplitRequantization, prove_split

WORD = 2**32


def split(found: SplitRequantization, s: Int64s, limits: tuple[int, int]) -> Int64s:
    """The formula as 32-bit registers compute it; asserts that no product passes 32 bits."""
    constants = found.constants
    t = (s - found.base[:, None]) % WORD
    inside = t <= found.top[:, None]
    factor = constants.multiplier[:, None]
    high, low = (t >> 8) * factor, (t & 255) * factor
    assert (~inside | ((high < WORD) & (low < WORD))).all()
    total = high + (low >> 8) + constants.constant[:, None]
    if constants.step is not None:
        total += np.where(t < found.zero[:, None], constants.step[:, None], 0)
    total = (total + WORD // 2) % WORD - WORD // 2
    beyond = np.where(t < WORD // 2, limits[1], limits[0])
    return np.asarray(np.where(inside, total >> constants.shift[:, None], beyond))


def prove_all(
    multiplier: Int64s, shift: Int64s, zero_point: int, limits: tuple[int, int], reach: Range
) -> list[SplitRequantization]:
    stairs = staircase(multiplier, shift, zero_point, limits, reach)
    assert stairs
    return list(prove_split(stairs, multiplier, shift, limits))


@pytest.mark.parametrize("zero_point", [-128, -17, 127])
@pytest.mark.parametrize("real", [0.7, 2**-4, 2**-7, 2**-9, 2**-12])
@pytest.mark.parametrize("relu", [True, False])
def test_every_form_is_the_reference_at_every_accumulator(
    zero_point: int, real: float, relu: bool
) -> None:
    rng = np.random.default_rng(abs(zero_point))
    proven = 0
    for _ in range(2):
        multiplier, shift = channels(rng, 2, real)
        low = rng.integers(-40_000, 20_000, 2)
        reach = Range(low, low + rng.integers(0, 60_000, 2))
        limits = (max(-128, zero_point), 127) if relu else FULL
        every = np.linspace(reach.low, reach.high, 60_001, axis=1).astype(np.int64)
        want = reference(every, multiplier, shift, zero_point, limits)
        for found in prove_all(multiplier, shift, zero_point, limits, reach):
            assert np.array_equal(split(found, every, limits), want)
            proven += 1
    assert proven


def test_a_line_that_no_slope_follows_to_the_end_is_bent() -> None:
    """Sums of 64 products and more after a RELU: most need no step, and all are proven."""
    rng = np.random.default_rng(1)
    multiplier, shift = channels(rng, 60, 2**-8)
    bent = 0
    for one in range(60):
        own, right = multiplier[one : one + 1], shift[one : one + 1]
        reach = Range(np.array([-400_000]), np.array([500_000]))
        found = prove_all(own, right, -128, FULL, reach)[0]
        s = found.base[:, None] + np.arange(-1, int(found.top[0]) + 2)
        assert np.array_equal(split(found, s, FULL), reference(s, own, right, -128, FULL))
        bent += found.constants.step is not None
    assert 0 < bent < 20


def test_a_scale_too_fine_for_its_products_is_not_proven() -> None:
    """Steps 2**20 accumulators apart would need a slope of 32 bits and more."""
    multiplier, shift = np.array([1_987_654_321]), np.array([-19])
    reach = Range(np.array([-(2**28)]), np.array([2**28]))
    assert prove_all(multiplier, shift, 0, FULL, reach) == []


def test_an_accumulator_that_the_limits_decide_is_not_multiplied() -> None:
    multiplier, shift = np.array([1_500_000_001]), np.array([-7])
    reach = Range(np.array([-300_000]), np.array([300_000]))
    found = prove_all(multiplier, shift, -128, FULL, reach)[0]
    assert found.constants.step is None
    steps = reference(
        found.base[:, None] + np.stack([[-1, 0, 1], [*(found.top[0] + np.arange(-1, 2))]]),
        np.repeat(multiplier, 2),
        np.repeat(shift, 2),
        -128,
        FULL,
    )
    assert steps.tolist() == [[-128, -128, -127], [126, 127, 127]]


def test_a_channel_without_steps_is_its_value_whatever_its_sum_wraps_to() -> None:
    multiplier, shift = np.array([2**30 + 5, 2**30 + 7]), np.array([-7, -25])
    reach = Range(np.array([-9_000, 1_000_000_000]), np.array([9_000, 1_000_000_100]))
    found = prove_all(multiplier, shift, -128, FULL, reach)[0]
    every = np.linspace(reach.low, reach.high, 1001, axis=1).astype(np.int64)
    want = reference(every, multiplier, shift, -128, FULL)
    assert found.constants.multiplier[1] == 0
    assert np.array_equal(split(found, every, FULL), want)
