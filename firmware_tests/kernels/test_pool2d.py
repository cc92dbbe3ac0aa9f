"""The pools: every row against the reference, the reference against the interpreters."""

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import (
    ALL_ISAS,
    assert_equal,
    check_native,
    compile_cases,
    expected,
    graph_of,
    run_native,
)
from firmware_tests.kernels.tensors import any_scale, any_zero_point, quantized
from firmware_tests.kernels.weighted import (
    CLAMPS,
    ONE_INSTANCE,
    drawn_window,
    is_of_int8,
    window_for,
)
from tinygen.compile import Options
from tinygen.ir import Activation, Numerics
from tinygen.isa import Isa
from tinygen.ops import definition_of
from tinygen.ops.pool2d import AVERAGE_POOL_2D, MAX_POOL_2D, AveragePool2D, MaxPool2D, Pool2D
from tinygen.ops.window import Pair, Window
from tinygen.select import best, candidates

KINDS: tuple[type[Pool2D], ...] = (AveragePool2D, MaxPool2D)


def pool(
    op: type[Pool2D],
    name: str,
    seed: int,
    size: Pair,
    window: Window,
    out: Pair,
    channels: int,
    batches: int = 1,
    activation: Activation = Activation.NONE,
) -> Pool2D:
    """One pool with drawn quantization."""
    rng = np.random.default_rng(seed)
    scale, zero = any_scale(rng), any_zero_point(rng)
    x = quantized(f"{name}_x", (batches, *size, channels), scale, zero)
    y = quantized(name, (batches, *out, channels), scale, zero)
    return op(name, (x,), (y,), window, activation)


def drawn(op: type[Pool2D], index: int) -> Pool2D:
    """A case with everything drawn."""
    rng = np.random.default_rng((13, index))
    size, window, out = drawn_window(rng, dilated=False)
    channels, batches = int(rng.integers(1, 11)), 1 + (index % 5 == 0)
    name = f"{op.kind}_{index}".lower()
    clamp = CLAMPS[index % len(CLAMPS)]
    return pool(op, name, index, size, window, out, channels, batches, clamp)


def named(op: type[Pool2D]) -> tuple[Pool2D, ...]:
    """What tends to go wrong."""

    def case(
        name: str, size: Pair, kernel: Pair, stride: Pair, same: bool, channels: int
    ) -> Pool2D:
        window, out = window_for(size, kernel, stride, (1, 1), same)
        return pool(op, f"{op.kind}_{name}".lower(), len(name), size, window, out, channels)

    return (
        case("global", (25, 5), (25, 5), (1, 1), False, 9),
        case("one_pixel", (1, 1), (3, 3), (1, 1), True, 4),
        case("overlapping", (7, 6), (3, 2), (1, 1), True, 5),
        case("strides_beyond_kernel", (9, 8), (2, 2), (4, 3), False, 3),
        case("most_taps_by_reciprocal", (19, 19), (19, 19), (1, 1), False, 5),
        case("most_taps_by_words", (17, 15), (17, 15), (1, 1), False, 21),
        case("taps_by_division", (20, 19), (19, 20), (9, 9), True, 5),
    )


CASES = tuple(case for op in KINDS for case in (*named(op), *(drawn(op, i) for i in range(30))))


def test_every_row_gives_the_references_bytes() -> None:
    check_native(CASES, options=ONE_INSTANCE)


def test_instances_for_one_geometry_give_the_references_bytes() -> None:
    check_native([case for op in KINDS for case in named(op)], every_row=False, seed=3)


def test_words_of_channels_are_for_sums_of_16_bits() -> None:
    rows = {op.name: candidates(op, Isa.DSP)[0].function for op in CASES}
    assert rows["average_pool_2d_most_taps_by_words"] == "tg_average_pool2d_s8_dsp"
    assert rows["max_pool_2d_most_taps_by_words"] == "tg_max_pool2d_s8_dsp"
    assert rows["average_pool_2d_most_taps_by_reciprocal"] == "tg_average_pool2d_s8"
    assert rows["average_pool_2d_strides_beyond_kernel"] == "tg_average_pool2d_s8"


def test_every_row_is_the_best_for_some_case() -> None:
    cases = [case for op in KINDS for case in named(op)]
    isas = (Isa.ANY, Isa.DSP, Isa.MVE)
    chosen = {candidates(op, isa)[0].function for op in cases for isa in isas}
    rows = [r for d in (AVERAGE_POOL_2D, MAX_POOL_2D) for r in d.kernels if is_of_int8(r)]
    assert chosen == {row.function for row in rows}


def test_division_in_16_bits_is_exact_for_every_sum_and_window() -> None:
    """The formula of tg_pool2d_s8_mve.h, over everything that it can meet."""
    for taps in range(2, 256):
        k = (taps - 1).bit_length() - 1
        reciprocal = -(-(1 << (16 + k)) // taps)
        n = np.arange(128 * taps + 1) + taps // 2
        assert reciprocal < 2**16
        assert n.max() < 2**15
        assert np.array_equal((n * reciprocal >> 16) >> k, n // taps)


def test_division_by_reciprocal_is_exact_for_every_sum_and_window() -> None:
    """The formula of tg_pool_average, over everything that it can meet."""
    for taps in range(1, 362):
        magnitudes = np.arange(128 * taps + 1, dtype=np.uint64) + taps // 2
        reciprocal = ((1 << 24) + taps - 1) // taps
        products = magnitudes * np.uint64(reciprocal)
        assert int(products.max()) < 2**32
        assert np.array_equal(products >> np.uint64(24), magnitudes // np.uint64(taps)), taps


def test_a_window_too_large_for_the_reciprocal_divides() -> None:
    """The mean is just below a tie; the reciprocal of 400 is so inexact that it would go up."""
    window, out = window_for((20, 20), (20, 20), (1, 1), (1, 1), same=False)
    graph = graph_of([pool(AveragePool2D, "large", 0, (20, 20), window, out, 1)])
    x = np.full((1, 20, 20, 1), 109, np.int8)
    x.reshape(-1)[:199] = 110
    program = compile_cases(graph, ALL_ISAS, Options(), best)
    inputs = [(x,)]
    assert_equal(graph, inputs, run_native(program, inputs), expected(graph, inputs))


@pytest.mark.reference
@pytest.mark.parametrize("numerics", list(Numerics), ids=lambda n: n.value)
def test_the_reference_is_the_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees(CASES, numerics)


@pytest.mark.parametrize("op", KINDS, ids=lambda op: op.kind)
def test_a_window_far_beyond_the_image_is_refused(op: type[Pool2D]) -> None:
    def sized(kernel: Pair) -> Pool2D:
        window = Window(kernel, (1, 1), (1, 1), (kernel[0] // 2, kernel[1] // 2))
        return pool(op, "wide", 1, (4, 4), window, (4, 4), 1)

    definition = definition_of(sized((3, 3)))
    assert not definition.violations(sized((256, 256)))
    (found,) = definition.violations(sized((100001, 100001)))
    assert "100001x100001 on 4x4" in found
