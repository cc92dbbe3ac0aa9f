"""step_fit: requantizations are found again from their steps alone."""

import numpy as np

from tinygen.passes.step_fit import NEVER, Wanted, fitted
from tinygen.quant import multiply_by_quantized_multiplier
from tinygen.requant_proof import Range, staircase


def drawn(rng: np.random.Generator) -> tuple[Wanted, int, float]:
    """The steps of a random requantization with an addend."""
    multiplier, shift = int(rng.integers(2**30, 2**31)), -int(rng.integers(0, 12))
    low, high = sorted(rng.integers(-200, 200, 2).tolist())
    scale = multiplier / 2**31 * 2.0**shift
    addend, zero = int(rng.integers(-50, 50) / scale), int(rng.integers(-128, 128))
    ends = np.array([[int(low / scale)], [int((high + 1) / scale)]])
    reach = Range(ends[0] + addend, ends[1] + addend)
    stairs = staircase(np.array([multiplier]), np.array([shift]), zero, (-128, 127), reach)
    assert stairs is not None
    first = stairs.first[0] - addend
    return Wanted(stairs.values, first, int(ends[0, 0]), int(ends[1, 0])), zero, scale


def results(wanted: Wanted, zero: int, s: np.typing.NDArray[np.int64], likely: float) -> object:
    found = fitted(wanted, zero, likely)
    assert found is not None
    scaled = multiply_by_quantized_multiplier(s + found.addend, found.multiplier, found.shift)
    return np.clip(scaled.astype(np.int64) + zero, -128, 127)


def test_a_requantization_with_the_same_steps_is_found() -> None:
    rng, found = np.random.default_rng(3), 0
    for _ in range(300):
        wanted, zero, scale = drawn(rng)
        if not wanted.occurring.any():
            continue
        found += 1
        s = np.linspace(wanted.low, wanted.high, 500).astype(np.int64)
        steps = np.concatenate([wanted.first, wanted.first - 1]).clip(wanted.low, wanted.high)
        s = np.concatenate([s, steps])
        expected = -128 + (wanted.first[None, :] <= s[:, None]).sum(axis=1)
        np.testing.assert_array_equal(results(wanted, zero, s, scale), expected)
    assert found > 200


def test_a_step_out_of_line_has_no_requantization() -> None:
    first = np.array([100, 200, 300, 400, 500, 650, 700])
    wanted = Wanted(np.arange(1, 8), first, 0, 1000)
    assert fitted(wanted, 0, 0.01) is None
    assert fitted(Wanted(wanted.values, np.arange(100, 800, 100), 0, 790), 0, 0.01) is not None


def test_what_is_found_has_the_steps_that_were_wanted() -> None:
    rng, found = np.random.default_rng(4), 0
    for _ in range(1500):
        spaces = rng.integers(1, int(rng.choice([3, 40])), rng.integers(2, 6))
        first = rng.integers(-20, 20) + np.cumsum(spaces)
        zero = int(rng.integers(-8, 3))
        low, high = int(first[0] - rng.integers(1, 9)), int(first[-1] + rng.integers(-1, 9))
        wanted = Wanted(np.arange(-2, len(first) - 2), first, low, high)
        if not wanted.occurring.any() or (fit := fitted(wanted, zero, 0.1)) is None:
            continue
        found += 1
        s = np.arange(low, high + 1)
        scaled = multiply_by_quantized_multiplier(s + fit.addend, fit.multiplier, fit.shift)
        made = np.clip(scaled.astype(np.int64) + zero, -3, len(first) - 3)
        np.testing.assert_array_equal(made, -3 + (first[None, :] <= s[:, None]).sum(axis=1))
    assert found > 300


def test_steps_that_do_not_occur_may_be_anywhere() -> None:
    first = np.array([-900, 100, 200, 9000])
    assert fitted(Wanted(np.arange(1, 5), first, 0, 150), 0, 0.01) is not None
    assert fitted(Wanted(np.arange(1, 5), first, 0, 250), 0, 0.01) is not None
    assert fitted(Wanted(np.arange(1, 5), first, 0, 350), 0, 0.01) is None


def test_a_step_that_must_not_occur_bars_a_slope() -> None:
    """Two steps a hundred apart; a third would follow, if nothing clipped it."""
    steps = np.array([100, 200, NEVER])
    assert fitted(Wanted(np.arange(1, 4), steps, 0, 500), 0, 0.01) is None
    assert fitted(Wanted(np.arange(1, 3), steps[:2], 0, 500), 0, 0.01) is not None
