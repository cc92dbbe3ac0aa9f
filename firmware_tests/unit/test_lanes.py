"""The requantization in Helium's lanes equals the reference on every accumulator in reach."""

import numpy as np
import numpy.typing as npt
import pytest

from tinygen.ops.convolution import Scaling
from tinygen.ops.lanes import LaneRequantization, lane_requantization
from tinygen.quant import multiply_by_quantized_multiplier
from tinygen.requant_proof import Range

Int64s = npt.NDArray[np.int64]

CHANNELS = 8
FULL = (-128, 127)


def scaling_around(rng: np.random.Generator, real: float) -> Scaling:
    """Multipliers and shifts around ``real``, a few times apart; the first is flushed to zero."""
    shift = np.floor(np.log2(real) + rng.uniform(-2, 2, CHANNELS)).astype(np.int8) + 1
    multiplier = rng.integers(2**30, 2**31, CHANNELS).astype(np.int32)
    multiplier[0] = shift[0] = 0
    return Scaling(multiplier, shift.astype(np.int8))


def computed(found: LaneRequantization, s: Int64s, limits: tuple[int, int]) -> Int64s:
    """The formula as Helium's instructions compute it."""
    h = (s * found.multiplier + 2**30) >> 31
    h = h + (h >> 31 if found.has_step else 0) + found.constant
    assert np.abs(h).max() < 2**31
    moved = np.where(
        found.left < 0, h >> np.maximum(-found.left, 0), h << np.maximum(found.left, 0)
    )
    saturated = np.clip(moved, -(2**31), 2**31 - 1)
    return np.asarray(np.clip(saturated >> 24, *limits))


@pytest.mark.parametrize("zero_point", [-128, -17, 0, 127])
@pytest.mark.parametrize("real", [2**-3, 2**-6, 2**-9, 2**-14, 2**-25])
@pytest.mark.parametrize("relu", [True, False])
def test_the_formula_is_the_reference_at_every_accumulator(
    zero_point: int, real: float, relu: bool
) -> None:
    rng = np.random.default_rng(abs(zero_point))
    scaling = scaling_around(rng, real)
    low = rng.integers(-40_000, 20_000, CHANNELS)
    reach = Range(low, low + rng.integers(0, 60_000, CHANNELS))
    limits = (max(-128, zero_point), 127) if relu else FULL
    found = lane_requantization(scaling, zero_point, limits, reach)
    assert found is not None
    assert found.multiplier[0] == 0
    every = np.linspace(reach.low, reach.high, 20_001).astype(np.int64)
    scaled = multiply_by_quantized_multiplier(every, scaling.multiplier, scaling.shift)
    want = np.clip(scaled.astype(np.int64) + zero_point, *limits)
    assert np.array_equal(computed(found, every, limits), want)


def one_channel(shift: int, low: int, high: int, zero_point: int) -> LaneRequantization | None:
    scaling = Scaling(np.array([3 << 29], np.int32), np.array([shift], np.int8))
    return lane_requantization(scaling, zero_point, FULL, Range(np.array([low]), np.array([high])))


def test_a_relu_needs_no_step_and_a_signed_output_does() -> None:
    relu, signed = (one_channel(-8, -200_000, 200_000, zero_point) for zero_point in (-128, 3))
    assert relu
    assert signed
    assert (relu.has_step, signed.has_step) == (False, True)


@pytest.mark.parametrize(
    ("shift", "low", "high", "zero_point"),
    [
        (1, -100, 100, -128),
        (0, -100, 100, 5),
        (-4, -(2**31), 2**31 - 1, -128),
        (-24, -(2**26), 2**26, 127),
    ],
    ids=["left_shift", "no_second_rounding", "wraps", "constant_too_large"],
)
def test_what_the_formula_cannot_do_is_left_to_other_kernels(
    shift: int, low: int, high: int, zero_point: int
) -> None:
    assert one_channel(shift, low, high, zero_point) is None


def test_a_channel_with_one_output_is_multiplied_by_zero() -> None:
    found = one_channel(-24, -9, 9, 127)
    assert found is not None
    assert not found.multiplier.any()
    assert set(computed(found, np.array([[-9], [0], [9]]), FULL).ravel()) == {127}
