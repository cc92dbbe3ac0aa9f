"""SOFTMAX: every row against the reference, the reference against the interpreters."""

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.tensors import float32, quantized, twin
from tinygen.ir import DType, Numerics
from tinygen.ops.softmax import SOFTMAX, Softmax, exponentials

SHAPES = ((1, 10), (1, 1), (3, 2), (2, 3, 5), (1, 2, 2, 7), (12,), (1, 300), (2, 1, 3, 1, 4))
SCALES = (0.0039, 0.05, 0.1, 0.25, 1.0, 3.7, 60.0, 1e-5)


def drawn(index: int, dtype: DType) -> Softmax:
    rng = np.random.default_rng(index)
    shape = SHAPES[index % len(SHAPES)]
    scale = SCALES[(index * 3) % len(SCALES)] * rng.uniform(0.8, 1.2)
    name = f"softmax_{dtype.value}_{index}"
    x = quantized(f"{name}_x", shape, scale, int(rng.integers(-128, 128)))
    bits = 8 * dtype.size
    y = quantized(name, shape, 2.0**-bits, -(2 ** (bits - 1)), dtype=dtype)
    return Softmax(name, (x,), (y,), float32((1.0, 0.5, 2.3)[index % 3]))


CASES: tuple[Softmax, ...] = (
    *(drawn(i, DType.INT8) for i in range(24)),
    *(drawn(i, DType.INT16) for i in range(8)),
)


def wide(depth: int) -> Softmax:
    """A row so long that equal elements have less than half a quantum each."""
    x = quantized("x", (1, depth), 0.1, 0)
    return Softmax("wide", (x,), (quantized("wide", (1, depth), 1 / 256, -128),), 1.0)


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, wide(600), wide(4095)))


def test_results_are_the_same_in_place_and_not() -> None:
    check_native([case for op in CASES[::4] for case in (twin(op), op)], count=4)


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees(CASES, numerics)


def test_table_is_the_exponential() -> None:
    table = exponentials(float32(0.05)) / 2**31
    assert np.abs(table - np.exp(-0.05 * np.arange(256))).max() < 1e-6


def test_a_row_that_overflows_the_sum_is_refused() -> None:
    assert not SOFTMAX.violations(wide(4095))
    (found,) = SOFTMAX.violations(wide(4096))
    assert "at most 4095" in found
