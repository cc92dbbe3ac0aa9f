"""BATCH_MATMUL: both orders of each operand's axes, batches of all kinds, scales far apart."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.tensors import any_scale, any_zero_point, constant, quantized
from tinygen.ir import Numerics
from tinygen.ops import definition_of
from tinygen.ops.batch_matmul import BatchMatMul

Shape = tuple[int, ...]
BATCHES: tuple[tuple[Shape, Shape], ...] = (
    ((), ()),
    ((2,), (2,)),
    ((3,), (1,)),
    ((2, 1), (1, 3)),
    ((2, 3), (3,)),
)
SIZES = ((3, 7, 5), (1, 16, 4), (6, 1, 2), (5, 33, 1))


def drawn(index: int) -> BatchMatMul:
    rng = np.random.default_rng(index)
    first, second = BATCHES[index % len(BATCHES)]
    rows, depth, columns = SIZES[index % len(SIZES)]
    flags = bool(index & 1), bool(index & 2)
    name = f"matmul{index}"
    a = quantized(
        f"{name}_a",
        (*first, depth, rows) if flags[0] else (*first, rows, depth),
        any_scale(rng),
        any_zero_point(rng),
    )
    shape = (*second, columns, depth) if flags[1] else (*second, depth, columns)
    b = quantized(f"{name}_b", shape, any_scale(rng), any_zero_point(rng))
    if index % 3 == 1:
        b = constant(f"{name}_c", shape, b.scale, b.zero_point, rng)
    real = float(rng.choice((0.004, 0.02, 2.5)) * rng.uniform(0.5, 1.5))
    scale = a.scale * b.scale / real
    batch = np.broadcast_shapes(first, second)
    y = quantized(name, (*batch, rows, columns), scale, any_zero_point(rng))
    return BatchMatMul(name, (a, b), (y,), *flags)


CASES = tuple(map(drawn, range(4)))
MORE = tuple(map(drawn, range(4, 40)))


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, *MORE[:20]))


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees((*CASES, *MORE), numerics)


def test_sums_beyond_32_bits_are_refused() -> None:
    a, b = quantized("a", (1, 40000), 0.1, 0), quantized("b", (40000, 1), 0.1, 0)
    op = BatchMatMul("y", (a, b), (quantized("y", (1, 1), 0.1, 0),), False, False)
    assert "32767" in definition_of(op).violations(op)[0]
    wide = replace(a, quant=None)
    assert "int8" in definition_of(op).violations(replace(op, inputs=(wide, b)))[0]
