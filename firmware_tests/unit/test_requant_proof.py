"""The short requantizations equal the reference on every accumulator that can occur."""

import numpy as np
import numpy.typing as npt
import pytest

from tinygen.quant import multiply_by_quantized_multiplier
from tinygen.requant_proof import FACTOR, Range, Requantization, prove, staircase

Int64s = npt.NDArray[np.int64]

FULL = (-128, 127)


def reference(
    s: Int64s, multiplier: Int64s, shift: Int64s, zero_point: int, limits: tuple[int, int]
) -> Int64s:
    scaled = multiply_by_quantized_multiplier(s, multiplier[:, None], shift[:, None])
    clipped: Int64s = np.clip(scaled.astype(np.int64) + zero_point, *limits)
    return clipped


def short(found: Requantization, s: Int64s, limits: tuple[int, int]) -> Int64s:
    """The formula as 32-bit registers compute it."""
    acc = (FACTOR * s).astype(np.int32).astype(np.int64)
    high = acc * found.multiplier[:, None] >> 32
    step = 0 if found.step is None else np.where(acc < 0, found.step[:, None], 0)
    total = high + found.constant[:, None] + step
    assert np.abs(total).max() < 2**31
    return np.asarray(np.clip(total >> found.shift[:, None], *limits))


def channels(rng: np.random.Generator, count: int, real: float) -> tuple[Int64s, Int64s]:
    """Multipliers and shifts around ``real``, a few times apart."""
    exponents = np.log2(real) + rng.uniform(-2, 2, count)
    shift = np.floor(exponents).astype(np.int64) + 1
    return rng.integers(2**30, 2**31, count), shift


@pytest.mark.parametrize("zero_point", [-128, -17, 0, 127])
@pytest.mark.parametrize("real", [0.7, 2**-3, 2**-6, 2**-9, 2**-14])
@pytest.mark.parametrize("relu", [True, False])
def test_every_form_is_the_reference_at_every_accumulator(
    zero_point: int, real: float, relu: bool
) -> None:
    rng = np.random.default_rng(abs(zero_point))
    multiplier, shift = channels(rng, 6, real)
    multiplier[0] = 0
    reach = Range(rng.integers(-40_000, 20_000, 6), np.zeros(6, np.int64))
    reach = Range(reach.low, reach.low + rng.integers(0, 60_000, 6))
    limits = (max(-128, zero_point), 127) if relu else FULL
    stairs = staircase(multiplier, shift, zero_point, limits, reach)
    assert stairs is not None
    found = list(prove(stairs, multiplier, shift))
    assert found
    every = np.linspace(reach.low, reach.high, 20_001, axis=1).astype(np.int64)
    want = reference(every, multiplier, shift, zero_point, limits)
    for form in found:
        assert np.array_equal(short(form, every, limits), want)


def test_a_relu_needs_no_step_and_a_signed_output_does() -> None:
    multiplier, shift = np.array([1_500_000_001]), np.array([-8])
    reach = Range(np.array([-200_000]), np.array([200_000]))
    relu = staircase(multiplier, shift, -128, FULL, reach)
    both = staircase(multiplier, shift, 3, FULL, reach)
    assert relu
    assert both
    assert next(prove(relu, multiplier, shift)).step is None
    assert all(found.step is not None for found in prove(both, multiplier, shift))


def test_ties_away_from_zero_are_told_apart() -> None:
    """Half of all values are ties: s / 2 for a multiplier of one half."""
    multiplier, shift = np.array([2**30]), np.array([0])
    reach = Range(np.array([-300]), np.array([300]))
    stairs = staircase(multiplier, shift, 0, FULL, reach)
    assert stairs
    every = np.arange(-300, 301)[None, :]
    for found in prove(stairs, multiplier, shift):
        want = reference(every, multiplier, shift, 0, FULL)
        assert np.array_equal(short(found, every, FULL), want)


def test_one_shift_serves_channels_whose_scales_differ_much() -> None:
    multiplier = np.array([1_234_567_891, 1_834_567_891])
    shift = np.array([-5, -11])
    reach = Range(np.array([-4_000, -300_000]), np.array([4_000, 300_000]))
    stairs = staircase(multiplier, shift, -128, FULL, reach)
    assert stairs
    forms = list(prove(stairs, multiplier, shift))
    assert {form.is_uniform for form in forms} == {True, False}


def test_a_channel_without_steps_may_pass_what_its_accumulator_holds() -> None:
    multiplier, shift = np.array([2**30 + 5, 2**30 + 7]), np.array([-7, -25])
    reach = Range(np.array([-9_000, 1_000_000_000]), np.array([9_000, 1_000_000_100]))
    stairs = staircase(multiplier, shift, -128, FULL, reach)
    assert stairs
    found = next(prove(stairs, multiplier, shift))
    want = reference(np.array([[0], [1_000_000_050]]), multiplier, shift, -128, FULL)
    assert found.multiplier[1] == 0
    assert found.constant[1] >> found.shift[1] == want[1, 0]


def test_nothing_is_proven_where_an_accumulator_with_steps_passes_what_its_register_holds() -> None:
    multiplier, shift = np.array([2**30]), np.array([-22])
    reach = Range(np.array([-(2**23)]), np.array([2**23]))
    stairs = staircase(multiplier, shift, 0, FULL, reach)
    assert stairs
    assert list(prove(stairs, multiplier, shift)) == []


def test_a_left_shift_that_could_pass_32_bits_has_no_staircase() -> None:
    reach = Range(np.array([-(2**20)]), np.array([2**20]))
    assert staircase(np.array([2**30]), np.array([11]), 0, FULL, reach) is None
    assert staircase(np.array([2**30]), np.array([10]), 0, FULL, reach) is not None


@pytest.mark.parametrize(("high", "exists"), [(2**31 - 300, True), (2**31 - 200, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_no_steps_are_told_where_the_zero_point_may_leave_32_bits(
    high: int, exists: bool, sign: int
) -> None:
    """The reference wraps there: a sum just below 2**31 becomes the least output."""
    reach = Range(*np.sort([[sign * high], [sign * (high - 500)]], axis=0))
    multiplier, shift = np.array([2**31 - 1]), np.array([0])
    assert (staircase(multiplier, shift, 0, FULL, reach) is not None) == exists
    assert staircase(multiplier, shift - 1, 0, FULL, reach) is not None


@pytest.mark.parametrize(("high", "exists"), [(2**23 - 1, True), (2**23, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_nothing_is_proven_where_256_times_an_accumulator_leaves_32_bits(
    high: int, exists: bool, sign: int
) -> None:
    reach = Range(*np.sort([[0], [sign * high]], axis=0))
    multiplier, shift = np.array([2**30 + 12345]), np.array([-16])
    stairs = staircase(multiplier, shift, -5, FULL, reach)
    assert stairs is not None
    assert bool(list(prove(stairs, multiplier, shift))) == exists
